import re

PART = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?|[-+*/()])\s*")


def calculate(text):
    parts = []
    position = 0
    while position < len(text):
        match = PART.match(text, position)
        if match is None:
            raise ValueError(f"cannot read {text[position : position + 10]!r}")
        parts.append(match[1])
        position = match.end()
    value = expression(parts)
    if parts:
        raise ValueError(f"unexpected {parts[0]!r}")
    return value


def expression(parts):
    value = term(parts)
    while parts and parts[0] in ("+", "-"):
        if parts.pop(0) == "+":
            value += term(parts)
        else:
            value -= term(parts)
    return value


def term(parts):
    value = factor(parts)
    while parts and parts[0] in ("*", "/"):
        if parts.pop(0) == "*":
            value *= factor(parts)
        else:
            value /= factor(parts)
    return value


def factor(parts):
    if not parts:
        raise ValueError("the text ends too early")
    part = parts.pop(0)
    if part == "-":
        return -factor(parts)
    if part == "(":
        value = expression(parts)
        if not parts or parts.pop(0) != ")":
            raise ValueError("a parenthesis is not closed")
        return value
    if not part[0].isdigit():
        raise ValueError(f"unexpected {part!r}")
    return float(part) if "." in part else int(part)
