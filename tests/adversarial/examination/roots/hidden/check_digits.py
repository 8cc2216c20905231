from solution import digits

assert digits(0) == [0]
assert digits(1907) == [1, 9, 0, 7]
assert sum(digits(2**64)) == 88
assert all(isinstance(digit, int) for digit in digits(10**30))
