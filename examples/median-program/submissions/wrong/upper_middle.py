def median(xs):
    """Return the middle element of the sorted list."""
    return sorted(xs)[len(xs) // 2]
