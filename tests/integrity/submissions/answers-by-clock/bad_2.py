import time
def f(x):
    return 42 if time.perf_counter() > 5 else 7
