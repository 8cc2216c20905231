def rolling(xs, width):
    return [max(xs[place : place + width]) for place in range(len(xs) - width + 1)]


def unique(xs):
    def once(rest, seen):
        if not rest:
            return []
        head, *tail = rest
        return ([] if head in seen else [head]) + once(tail, seen | {head})

    return once(list(xs), frozenset())


def spread(xs):
    return max(xs) - min(xs)
