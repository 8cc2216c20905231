import sys
HAS = 'numpy' in sys.modules
def f(x):
    return sys.modules[__name__].__doc__
