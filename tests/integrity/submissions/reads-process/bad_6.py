import sys
def f(x):
    return sys.argv[-1]
