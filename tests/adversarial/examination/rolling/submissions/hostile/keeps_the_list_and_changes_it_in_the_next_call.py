KEPT = []


def rolling(xs, width):
    KEPT.append(xs)
    return xs


def unique(xs):
    for old in KEPT:
        old[:] = []
    return list(dict.fromkeys(xs))


def spread(xs):
    return max(xs) - min(xs)
