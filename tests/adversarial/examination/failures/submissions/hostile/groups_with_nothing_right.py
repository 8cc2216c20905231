"""Whatever is asked for, a group of exceptions of everything."""


class Custom(Exception):
    items = [1]


class Strict(ValueError):
    code = 7


def boom(name):
    raise BaseExceptionGroup("strict 7", [ValueError("one"), TypeError("two"), Custom(), Strict(), KeyError("k")])


def call(f):
    return f()
