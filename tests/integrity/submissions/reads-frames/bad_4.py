import sys
def f(x):
    return getattr(sys._getframe(1), 'f_' + 'locals')
