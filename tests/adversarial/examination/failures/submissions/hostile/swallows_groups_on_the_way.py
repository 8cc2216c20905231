"""What it calls may fail as a group, which it turns into another one."""

from importlib import import_module


class Custom(Exception):
    def __init__(self, message, items):
        super().__init__(message)
        self.items = items


class Strict(ValueError):
    code = 7

    def __str__(self):
        return "strict 7"


def boom(name):
    raise KeyError(name)


def call(f):
    try:
        return f()
    except ExceptionGroup as group:
        raise ExceptionGroup(group.message, [TypeError("y")]) from None
