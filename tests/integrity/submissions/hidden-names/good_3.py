def handle_add(x):
    return x
def f(kind, x):
    return globals()['handle_' + kind](x)
