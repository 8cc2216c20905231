import math
def f(x):
    'doc'
    return math.nan
