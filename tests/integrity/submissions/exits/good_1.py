import sys
def f(x):
    return x
if __name__ == '__main__':
    sys.exit(f(0))
