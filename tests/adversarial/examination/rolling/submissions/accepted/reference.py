def rolling(xs, width):
    return [max(xs[place : place + width]) for place in range(len(xs) - width + 1)]


def unique(xs):
    return list(dict.fromkeys(xs))


def spread(xs):
    return max(xs) - min(xs)
