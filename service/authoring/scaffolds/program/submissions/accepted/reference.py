def second_largest(numbers):
    different = sorted(set(numbers))
    if len(different) < 2:
        raise ValueError("fewer than two different numbers")
    return different[-2]
