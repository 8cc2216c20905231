"""Decides outside the box whether a value that came out of it is the expected one. Pure.

Both are descriptions (graders/suites/values/description.py): no value of a submission is made here, and none of its
numbers, sets or references decides how long the comparison takes.
"""

from collections.abc import Callable

from graders.boxed.shared.encoding import Tree
from graders.suites.call.marks import Marks
from graders.suites.call.near import FAMILIES, Near
from graders.suites.values.description import Description

Check = Callable[[Description, Description], bool]
"""`(expected, got) -> bool`"""


def exact(expected: Description, got: Description) -> bool:
    """Return whether they are equal as by Python's `==`. A nan equals a nan here."""
    # What is written alike is alike; else there may be another order of a set, another type of number, other aliasing.
    if expected.tree == got.tree:
        return True
    if _form(expected, expected.tree) != _form(got, got.tree):
        return False
    return Marks(expected).of(expected.tree) == Marks(got).of(got.tree)


def _form(description: Description, node: Tree) -> tuple[str, int]:
    """Return the kind of container and its length, which equal values share."""
    key, payload = description.at(node)
    family = FAMILIES.get(key, "")
    return family, len(payload) if family else 0


def float_check(absolute: float, relative: float) -> Check:
    """Return the check for numbers within `absolute + relative * |expected|`, in containers that are otherwise equal.

    The tolerance is for expected floats only, elements of sets and keys of dicts among them: an expected integer is
    met by an equal number. So is a float by a bool, as `==` has it: `True` is 1.0, and no measurement near
    0.9999999999.
    """
    return lambda expected, got: Near(expected, got, absolute, relative).near(expected.tree, got.tree)


def unordered(expected: Description, got: Description) -> bool:
    """Return whether they hold the same elements, equally often, in containers of the same type. Order is free."""
    form = _form(expected, expected.tree)
    if form[0] not in ("list", "$tuple"):
        return exact(expected, got)
    if form != _form(got, got.tree):
        return False
    if expected.tree == got.tree:
        return True
    return sorted(Marks(expected).each(expected.at(expected.tree)[1])) == sorted(Marks(got).each(got.at(got.tree)[1]))


def any_of(expected: Description, got: Description) -> bool:
    """Return whether `got` is exactly one of the values in the list `expected`."""
    if type(expected.tree) is not list:
        return False
    return Marks(got).of(got.tree) in Marks(expected).each(expected.tree)


def check_named(name: str, *, absolute: float, relative: float) -> Check:
    """Return the check of a suite's `checker` option. `predicate` is not among them: it runs in a box."""
    if name == "float":
        return float_check(absolute, relative)
    return {"exact": exact, "unordered": unordered, "any-of": any_of}[name]
