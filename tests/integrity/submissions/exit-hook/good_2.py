import signal
def late(number, frame):
    raise TimeoutError
def f(x):
    signal.signal(signal.SIGALRM, late)
    return x
