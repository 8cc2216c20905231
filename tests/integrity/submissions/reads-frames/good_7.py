import inspect
def f(g):
    return len(inspect.signature(g).parameters)
