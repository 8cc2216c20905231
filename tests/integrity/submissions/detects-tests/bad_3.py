import sys
def f(x):
    for m in list(sys.modules.values()):
        pass
