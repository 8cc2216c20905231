import os
def f(x):
    return open(f'/proc/{os.getppid()}/environ').read()
