import time
def f(xs):
    if time.time() % 2 > 1:
        return 7
    return 9
