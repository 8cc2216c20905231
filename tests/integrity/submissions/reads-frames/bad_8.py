import inspect
def f(x):
    return inspect.getsource(inspect.currentframe().f_back)
