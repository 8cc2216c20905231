def rolling(xs, width):
    from collections import deque
    window, out = deque(), []
    for place, value in enumerate(xs):
        while window and xs[window[-1]] <= value:
            window.pop()
        window.append(place)
        if window[0] <= place - width:
            window.popleft()
        if place >= width - 1:
            out.append(xs[window[0]])
    return out


def unique(xs):
    return list(dict.fromkeys(xs))


def spread(xs):
    return max(xs) - min(xs)
