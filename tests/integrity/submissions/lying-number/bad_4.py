from fractions import Fraction
Q = type('Q', (Fraction,), {'__eq__': lambda s, o: s is o})
