import operator
import re

BINARY = {"+": (1, operator.add), "-": (1, operator.sub), "*": (2, operator.mul), "/": (2, operator.truediv)}
SIGN = (3, None)


def calculate(text):
    if not re.fullmatch(r"(\s*([0-9]+(\.[0-9]+)?(?![0-9.])|[-+*/()]))+\s*", text):
        raise ValueError("unexpected text")
    values, waiting = [], []

    def apply():
        _, function = waiting.pop()
        if function is None:
            values.append(-values.pop())
        else:
            right = values.pop()
            values.append(function(values.pop(), right))

    value_next = True
    for part in re.findall(r"[0-9.]+|[-+*/()]", text):
        if value_next and part == "-":
            waiting.append(SIGN)
        elif value_next and part == "(":
            waiting.append("(")
        elif value_next and part[0].isdigit():
            values.append(float(part))
            value_next = False
        elif not value_next and part == ")":
            while waiting and waiting[-1] != "(":
                apply()
            if not waiting:
                raise ValueError("too many )")
            waiting.pop()
        elif not value_next and part in BINARY:
            while waiting and waiting[-1] != "(" and waiting[-1][0] >= BINARY[part][0]:
                apply()
            waiting.append(BINARY[part])
            value_next = True
        else:
            raise ValueError(f"unexpected {part}")
    if value_next:
        raise ValueError("the text ends too early")
    while waiting:
        if waiting[-1] == "(":
            raise ValueError("too many (")
        apply()
    return values[0]
