import importlib
m = importlib.import_module('test_' + 'solution')
