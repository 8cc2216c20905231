print('0 failed yet')
def f(x):
    print('FAILED? no', x)
    return x
