def from_roman(text):
    raise ValueError("not implemented yet")
