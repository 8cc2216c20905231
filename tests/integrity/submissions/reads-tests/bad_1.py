import glob
def f(x):
    for p in glob.glob('/tests/**', recursive=True):
        pass
