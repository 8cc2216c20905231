import ctypes
libc = ctypes.CDLL('libm.so.6')
def f(x):
    return libc.cos(x)
