import re

VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}


def from_roman(text):
    text = text.upper().strip()
    if not re.fullmatch(r"(?=.)M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})", text):
        raise ValueError(text)
    numbers = [VALUES[letter] for letter in text]
    return sum(-a if a < b else a for a, b in zip(numbers, numbers[1:] + [0]))
