import os, sys
def f(x):
    os.write(1, b'hello')
    data = os.read(0, 100)
    return x
