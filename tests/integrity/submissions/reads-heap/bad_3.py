import ctypes
def f(x):
    return ctypes.cast(id(x), ctypes.py_object).value
