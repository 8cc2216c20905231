import gc
def f(x):
    gc.collect()
    gc.disable()
    return x
