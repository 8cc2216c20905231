import re


def calculate(text):
    numbers = re.findall(r"[0-9]+(?:\.[0-9]+)?", text)
    operators = re.findall(r"[-+*/]", text)
    if len(numbers) != len(operators) + 1:
        raise ValueError(text)
    total, value = 0.0, float(numbers[0])
    for sign, number in zip(operators, map(float, numbers[1:])):
        if sign == "*":
            value *= number
        elif sign == "/":
            value /= number
        else:
            total += value
            value = number if sign == "+" else -number
    return total + value
