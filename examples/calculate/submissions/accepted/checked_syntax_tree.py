"""Lets Python read the text, but computes the tree itself and knows five kinds of node."""

import ast
import operator
import re

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def calculate(text):
    words = re.findall(r"[0-9]+(?:\.[0-9]+)?|[-+*/()]|\s+|.", text)
    if any(not re.fullmatch(r"[0-9]+(\.[0-9]+)?|[-+*/()]|\s+", word) for word in words):
        raise ValueError("unexpected character")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise ValueError("cannot be read") from error
    return value(tree.body)


def value(node):
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -value(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](value(left), value(right))
    raise ValueError("not allowed here")
