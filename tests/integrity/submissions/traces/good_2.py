def f(x):
    return f.__code__.co_argcount
