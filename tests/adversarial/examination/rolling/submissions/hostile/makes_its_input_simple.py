def rolling(xs, width):
    xs[:] = [xs[0]] * len(xs)
    return list(xs)[: max(0, len(xs) - width + 1)]


def unique(xs):
    del xs[1:]
    return list(xs)


def spread(xs):
    return max(xs) - min(xs)
