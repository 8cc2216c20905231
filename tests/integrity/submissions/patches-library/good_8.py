max = 3
list = [max]
def abs(x):
    return x
