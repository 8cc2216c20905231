def median(xs):
    xs = sorted(xs)
    n = len(xs)
    value = xs[n // 2] if n % 2 else (xs[n // 2 - 1] + xs[n // 2]) / 2
    return f"{value}"
