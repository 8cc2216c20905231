import sys
del sys.modules['random']
