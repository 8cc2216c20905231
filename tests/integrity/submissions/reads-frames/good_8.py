def names(g):
    return g.__code__.co_varnames[:g.__code__.co_argcount]
