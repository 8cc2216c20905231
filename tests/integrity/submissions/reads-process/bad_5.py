def f(x):
    return open('/proc/self/fd/3').read()
