from gc import get_referrers as g
def f(x):
    return g(x)
