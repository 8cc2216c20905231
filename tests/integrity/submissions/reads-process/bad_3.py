import os
def f(x):
    return dict(os.environ)
