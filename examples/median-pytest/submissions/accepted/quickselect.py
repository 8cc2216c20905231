"""Finds the middle without sorting everything; always a float."""


def select(xs, k):
    while True:
        pivot = xs[len(xs) // 2]
        below = [x for x in xs if x < pivot]
        equal = [x for x in xs if x == pivot]
        if k < len(below):
            xs = below
        elif k < len(below) + len(equal):
            return pivot
        else:
            k -= len(below) + len(equal)
            xs = [x for x in xs if x > pivot]


def median(xs):
    half, odd = divmod(len(xs), 2)
    if odd:
        return float(select(xs, half))
    return (select(xs, half - 1) + select(xs, half)) / 2.0
