"""Tries each operator as the last one to be applied, and remembers nothing: exponential in the number of operators."""

import operator
import re

OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


def calculate(text):
    parts = re.findall(r"[0-9]+(?:\.[0-9]+)?(?![0-9.])|\S", text)
    values = [value for rank, value in readings(tuple(parts)) if rank >= 0]
    if not values:
        raise ValueError(text)
    value = values[0]
    return value() if callable(value) else value


def readings(parts):
    """(rank, how to compute it) of each way to read the parts; rank 1 sum, 2 product, 3 everything else."""
    found = []
    if len(parts) == 1 and parts[0][0].isdigit():
        number = float(parts[0])
        found.append((3, lambda: number))
    if len(parts) > 1 and parts[0] == "-":
        found += [(3, lambda v=v: -v()) for rank, v in readings(parts[1:]) if rank == 3]
    if len(parts) > 2 and parts[0] == "(" and parts[-1] == ")":
        found += [(3, v) for _, v in readings(parts[1:-1])]
    for place in range(1, len(parts) - 1):
        if parts[place] in OPERATORS:
            rank = 1 if parts[place] in "+-" else 2
            for left_rank, left in readings(parts[:place]):
                for right_rank, right in readings(parts[place + 1 :]):
                    if left_rank >= rank and right_rank > rank:
                        found.append((rank, lambda f=OPERATORS[parts[place]], a=left, b=right: f(a(), b())))
    return found
