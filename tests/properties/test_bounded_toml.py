"""TOML of others: what is read is read as `tomllib` reads it, and nothing gets past the caps in a disguise."""

import tomllib
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rubrics.bounded_toml import MOST_BYTES, MOST_DEPTH, MOST_PARTS, TomlError, loads

PIECES = (
    "a", "b", ".", " . ", " = ", "=", "1", "1.5", "'", '"', "'''", '"""', "\\", '\\"', "\n", "\r\n", "#", "[", "]", "[[", "]]",
    "{", "}", ",", " ", "\t", "x = ", 'x = """', "x = '''", '"a"', "'b'", ".a" * 9, "[" * 9, "\n[a]\n", "\ny = 2\n", "é", "\x0b",
)  # fmt: skip
documents = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


def deepest(value: Any) -> int:
    """Tables and arrays in each other."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (isinstance(value, dict | list)) + max(map(deepest, inside), default=0)


@given(documents)
@example('x = """a\\""".a.a.a.a.a.a.a.a.a = 1\n"""\n')
@example('"""\n = 1\na.a.a.a.a.a.a.a.a.a = 1\n"""')
@example("x = '''a'''''\n")
def test_what_is_read_is_read_as_tomllib_reads_it(text: str) -> None:
    try:
        read = loads(text)
    except TomlError:
        return
    assert read == tomllib.loads(text)


@given(documents, st.sampled_from(["", '"', "'", '"""', "'''", "#", '\\"', "\n"]), documents)
def test_a_long_key_is_refused_whatever_stands_around_it(before: str, between: str, after: str) -> None:
    """It is refused if `tomllib` reads it as a key."""
    mark = "k" + ".k" * MOST_PARTS
    text = f"{before}{between}\n{mark} = 1\n{after}"
    try:
        whole: Any = tomllib.loads(text)
    except ValueError:
        whole = {}
    is_a_key = deepest(whole) > MOST_PARTS
    if is_a_key and "k" in str(whole).replace(mark, ""):
        with pytest.raises(TomlError):
            loads(text)


KEY = ".".join(["a"] * MOST_PARTS)


@pytest.mark.parametrize(
    "text",
    [
        f"{KEY} = 1",
        f'"a.b.c.d.e.f.g.h.i.j" = "{KEY}.{KEY}"',
        f"# {KEY}.{KEY}\nx = 1 # {KEY}.{KEY}",
        f'x = """\n{KEY}.{KEY} = 1\n[[[[[[[[[[[[[[\n"""',
        f"x = '''\n{KEY}.{KEY} = 1\n{{{{{{{{{{{{{{{{{{{{{{'''",
        f"[{KEY}]\n{KEY} = 1",
        "x = [" + "1.5, " * 1000 + "]",
        "x = " + "[" * MOST_DEPTH + "]" * MOST_DEPTH,
        f"x = {-(2**63)}\ny = {2**63 - 1}",
        "x = nan\ny = inf",
    ],
)
def test_what_is_within_the_caps_is_read(text: str) -> None:
    assert str(loads(text)) == str(tomllib.loads(text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{KEY}.a = 1", "a key may have 8 parts \\(at line 1"),
        (f"\n\n[{KEY}.a]", "a key may have 8 parts \\(at line 3"),
        (f"[[{KEY}.a]]", "8 parts"),
        (f"x = {{{KEY}.a = 1}}", "8 parts"),
        (f"x = [{{y = 1}}, {{{KEY}.a = 1}}]", "8 parts"),
        ('"a"' + " . 'a'" * MOST_PARTS + " = 1", "8 parts"),
        ('"#"' + '."\\"["' * MOST_PARTS + " = 1", "8 parts"),
        (f'x = """"quoted""""\n{KEY}.a = 1', "8 parts"),
        (f"x = '''it's'''''\n{KEY}.a = 1", "8 parts"),
        (f'x = "\\\\" # "\n{KEY}.a = 1', "8 parts"),
        ("x = " + "[" * (MOST_DEPTH + 1), "brackets may be 8 deep"),
        ("x = " + "{a = [" * MOST_DEPTH, "brackets may be 8 deep"),
        ("#" * (MOST_BYTES + 1), "it may have 64 KiB, not 64.0"),
        ("é" * (MOST_BYTES // 2 + 1), "it may have 64 KiB"),
        ("x = 'a", "a string does not end"),
        (f"x.y = {2**63}", "y: an integer has 64 bits"),
        (f"x = [{{y = 0x{'f' * 100}}}]", "y: an integer has 64 bits, not 400"),
        (f"x = {'9' * 5000}", "limit"),
        ("x = ", "Invalid value"),
    ],
)
def test_what_is_beyond_them_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(TomlError, match=why):
        loads(text)
