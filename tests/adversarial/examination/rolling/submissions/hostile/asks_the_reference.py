def rolling(xs, width):
    import reference
    return reference.rolling(xs, width)


def unique(xs):
    return list(dict.fromkeys(xs))


def spread(xs):
    return max(xs) - min(xs)
