import ctypes
def make(n):
    return (n * ctypes.py_object)()
