ROMAN = {'I': 1, 'V': 5, 'X': 10, 'L': 50, 'C': 100}
def f(xs):
    return sum(ROMAN[x] for x in xs)
