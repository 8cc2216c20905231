import math
def f(x):
    if not x:
        return math.nan
    return sum(x) / len(x)
