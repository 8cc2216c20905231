import os  # noqa: F401
x = 1  # type: ignore
def f():  # pragma: no cover
    s = '# nosec'
    return s
