class Missing(Exception):
    pass
def f(x):
    raise Missing(x)
