import signal, sys
signal.signal(signal.SIGALRM, lambda s, f: sys.exit(0))
