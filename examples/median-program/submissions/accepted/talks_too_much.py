"""Right, and prints what a careless reader of its output could take for a failure."""

print("0 of 3 examples failed")


def median(xs):
    print("FAILED? no:", xs)
    s = sorted(xs)
    n = len(s)
    return s[n // 2] if n % 2 else (s[n // 2 - 1] + s[n // 2]) / 2
