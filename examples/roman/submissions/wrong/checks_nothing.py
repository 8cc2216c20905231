VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def from_roman(text):
    total = 0
    for i, letter in enumerate(text):
        if letter not in VALUES:
            raise ValueError(f"invalid character {letter!r}")
        value = VALUES[letter]
        if i + 1 < len(text) and value < VALUES.get(text[i + 1], 0):
            total -= value
        else:
            total += value
    return total
