import importlib
m = importlib.import_module('copy')
m.deepcopy = lambda x: x
