DIGITS = (
    ("M", 1000),
    ("CM", 900),
    ("D", 500),
    ("CD", 400),
    ("C", 100),
    ("XC", 90),
    ("L", 50),
    ("XL", 40),
    ("X", 10),
    ("IX", 9),
    ("V", 5),
    ("IV", 4),
    ("I", 1),
)


def to_roman(number):
    text = ""
    for letters, value in DIGITS:
        count, number = divmod(number, value)
        text += letters * count
    return text


NUMBERS = {to_roman(number): number for number in range(1, 4000)}


def from_roman(text):
    if text not in NUMBERS:
        raise ValueError(f"not a Roman numeral: {text!r}")
    return NUMBERS[text]
