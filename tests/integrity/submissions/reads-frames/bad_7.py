import linecache
def f(x):
    return linecache.getlines('a.py')
