import inspect
def show(g):
    return inspect.getsource(g)
