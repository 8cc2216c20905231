def f(n):
    return eval('+'.join(str(i) for i in range(n)))
