import os
def f(folder):
    return sorted(os.listdir(folder))
