class Row(list):
    @property
    def last(self):
        return self[-1]


def rolling(xs, width):
    return Row(max(xs[place : place + width]) for place in range(len(xs) - width + 1))


def unique(xs):
    return list(dict.fromkeys(xs))


def spread(xs):
    return max(xs) - min(xs)
