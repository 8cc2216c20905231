def f(expression):
    return eval(expression)
