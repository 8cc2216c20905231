"""Right, but only one pattern stands between a stranger's text and `eval`."""

import re


def calculate(text):
    if not re.fullmatch(r"(\s*([0-9]+(\.[0-9]+)?(?![0-9.])|[-+*/()]))+\s*", text):
        raise ValueError("unexpected text")
    if re.search(r"\*\s*\*|/\s*/|(^|[-+*/(])\s*\+", text):
        raise ValueError("unexpected operator")
    if re.search(r"\)\s*[0-9(]|[0-9]\s*\(|\(\s*\)", text):
        raise ValueError("an operator is missing")
    try:
        return eval(text.strip())
    except SyntaxError as error:
        raise ValueError("cannot be read") from error
