import __main__
def f(x):
    return vars(__main__)[x]
