import os
def f(x):
    for root, d, names in os.walk('/'):
        pass
