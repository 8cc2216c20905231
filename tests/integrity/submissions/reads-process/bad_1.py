def f(x):
    return open('/proc/self/cmdline').read()
