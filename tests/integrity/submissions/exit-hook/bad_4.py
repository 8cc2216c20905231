import signal
def h(*a):
    pass
signal.signal(signal.SIGTERM, h)
