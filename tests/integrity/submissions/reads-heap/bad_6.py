import ctypes
def f(x):
    ctypes.memmove(id(x), id(2), 28)
