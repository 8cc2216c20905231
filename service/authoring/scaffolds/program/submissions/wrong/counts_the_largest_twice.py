# The likely mistake: right wherever the largest number stands there only once.
def second_largest(numbers):
    if len(numbers) < 2:
        raise ValueError("fewer than two numbers")
    return sorted(numbers)[-2]
