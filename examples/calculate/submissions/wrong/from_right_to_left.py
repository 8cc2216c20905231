import re


def calculate(text):
    parts = re.findall(r"[0-9]+(?:\.[0-9]+)?|[-+*/()]|\S", text)
    value = expression(parts)
    if parts:
        raise ValueError(parts[0])
    return value


def expression(parts):
    left = term(parts)
    if parts and parts[0] in "+-":
        # the recursion takes all of the rest as the right side
        return left + expression(parts) if parts.pop(0) == "+" else left - expression(parts)
    return left


def term(parts):
    left = factor(parts)
    if parts and parts[0] in "*/":
        return left * term(parts) if parts.pop(0) == "*" else left / term(parts)
    return left


def factor(parts):
    part = parts.pop(0) if parts else ""
    if part == "-":
        return -factor(parts)
    if part == "(":
        value = expression(parts)
        if not parts or parts.pop(0) != ")":
            raise ValueError("missing )")
        return value
    return float(part)
