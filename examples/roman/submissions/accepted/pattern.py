import re

NUMERAL = re.compile(r"M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def from_roman(text):
    if not text or not NUMERAL.fullmatch(text):
        raise ValueError("not a Roman numeral")
    total = 0
    for letter, following in zip(text, text[1:] + text[-1]):
        value = VALUES[letter]
        total += -value if value < VALUES[following] else value
    return total
