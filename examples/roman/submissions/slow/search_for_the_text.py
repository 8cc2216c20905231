"""Writes every text of that length in alphabetical order until it meets the numeral: 7 ** length of them."""

from itertools import product

from re import fullmatch

VALUES = {"C": 100, "D": 500, "I": 1, "L": 50, "M": 1000, "V": 5, "X": 10}


def from_roman(text):
    for letters in product(VALUES, repeat=len(text)):
        if "".join(letters) == text and fullmatch(r"(?=.)M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})", text):
            numbers = [VALUES[letter] for letter in letters]
            return sum(-a if a < b else a for a, b in zip(numbers, numbers[1:] + [0]))
    raise ValueError(text)
