"""Checkers of printed output: what holds for any bytes, and the table of what each accepts."""

import tracemalloc
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graders.suites.options import OptionTable
from graders.suites.stdio.comparison import Comparison
from graders.suites.stdio.outputs import Check, Tolerance, any_of, exact, tokens_check

tokens = tokens_check()


def check_named(name: str, options: dict[str, object]) -> Check:
    return Comparison.of(OptionTable({"checker": name, **options}, "suite")).check


floats = check_named("float", {"absolute": 1e-6, "relative": 1e-6})
strict_floats = check_named("float", {"absolute": 0, "relative": 0})
loose = check_named("tokens", {"case_sensitive": False})
spaced = check_named("tokens", {"case_sensitive": False, "space_sensitive": True})
spaced_floats = check_named("float", {"absolute": 0.1, "relative": 0, "space_sensitive": True})
lines = check_named("lines", {})
near_lines = check_named("lines", {"absolute": 1e-6, "relative": 1e-6})

words = st.lists(
    st.binary(min_size=1, max_size=8).filter(lambda word: len(word.split()) == 1 and word.split()[0] == word)
)
spaces = st.text(" \t\n\r\v\f", min_size=1, max_size=3).map(str.encode)
checks = st.sampled_from([exact, tokens, floats, strict_floats, loose, spaced, lines, near_lines])


@given(checks, st.binary())
def test_output_is_accepted_where_it_is_expected(check: Check, output: bytes) -> None:
    assert check(output, output) == ""


@given(checks, st.binary(), st.binary())
def test_a_difference_is_a_line_of_text(check: Check, expected: bytes, got: bytes) -> None:
    says = check(expected, got)
    assert says.isprintable() and len(says) < 500
    assert says or check(got, expected) == "" or check is floats


@given(words, words, st.data())
def test_tokens_are_equal_whatever_is_between_them(
    wanted: list[bytes], found: list[bytes], data: st.DataObject
) -> None:
    expected = b"".join(word + data.draw(spaces) for word in wanted)
    got = data.draw(spaces) + b"".join(word + data.draw(spaces) for word in found)
    assert (tokens(expected, got) == "") == (wanted == found)


letters = st.text("aAb \n\t", max_size=6).map(str.encode)


@given(letters, letters)
def test_white_space_counts_where_it_is_told_to_and_case_does_not(expected: bytes, got: bytes) -> None:
    assert (spaced(expected, got) == "") == (expected.lower() == got.lower())


@pytest.mark.parametrize(
    ("expected", "got", "says"),
    [
        (b"1.0  2\n", b"1.05  2\n", ""),
        (b"1.0  2\n", b"1.05 2\n", "after 1 token: expected '  ', got ' '"),
        (b"1.0 2\n", b"1.0 2", "the output ends after 2 tokens of 2"),
        (b"1.0 2\n", b" 1.0 2\n", "after no tokens: expected '1.0', got ' '"),
        (b"1.0 2\n", b"1.0 2\n\n", "after 2 tokens: expected '\\n', got '\\n\\n'"),
    ],
)
def test_numbers_may_be_near_and_white_space_not(expected: bytes, got: bytes, says: str) -> None:
    assert spaced_floats(expected, got) == says


@given(st.binary(), st.binary())
def test_exact_is_equality_but_for_one_newline_at_the_end(expected: bytes, got: bytes) -> None:
    assert (exact(expected, got) == "") == (expected.removesuffix(b"\n") == got.removesuffix(b"\n"))
    assert exact(expected, expected + b"\n") == "" or expected.endswith(b"\n")


def by_lines(expected: bytes, got: bytes) -> str:
    """The difference, with all lines at hand."""
    wanted, found = (text.removesuffix(b"\n").split(b"\n") for text in (expected, got))
    for number, (line, other) in enumerate(zip(wanted, found, strict=False), start=1):
        if line != other:
            return f"line {number}: expected {line.decode()!r}, got {other.decode()!r}"
    if wanted == found:
        return ""
    how = "ends early" if len(found) < len(wanted) else "goes on"
    return f"the output {how} after line {min(len(wanted), len(found))}"


few = st.text("ab\n", max_size=8).map(str.encode)


@given(few, few)
def test_the_first_line_that_differs_is_named(expected: bytes, got: bytes) -> None:
    assert exact(expected, got) == by_lines(expected, got)


def test_nothing_is_made_of_what_was_printed() -> None:
    """As lists of tokens or lines each of these is half a gigabyte."""
    many = [b"1 " * (1 << 21), b"\n" * (1 << 22), b"9" * (1 << 22), b"9" * (1 << 22) + b"x", b"1\n" * (1 << 21)]
    tracemalloc.start()
    try:
        for got in many:
            for check in (exact, tokens, floats, loose, near_lines):
                assert check(got, got) == ""
                assert check(b"1 1 1 1", got)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20


numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15)
tolerances = st.sampled_from([0.0, 1e-9, 1e-3, 1.0])


written = numbers.map(repr) | st.from_regex(r"[+-]?[0-9]{1,25}(\.[0-9]{0,25})?(e[+-]?[0-9]{1,2})?", fullmatch=True, alphabet="0123456789+-.e")  # fmt: skip


@given(written, written, tolerances, tolerances)
@example("1.1", "1.2", 0.1, 0.0)  # no two floats are
@example("0.2", "0.3", 0.1, 0.0)
@example("50000000000000000", "50000000000000001", 0.0, 0.0)
@example("0.1", "0.1000000000000000055511151231257827", 0.0, 0.0)
def test_near_is_within_the_absolute_or_the_relative_tolerance_of_what_the_digits_say(
    wanted: str, found: str, absolute: float, relative: float
) -> None:
    off = abs(Fraction(wanted) - Fraction(found))
    room = max(Fraction(repr(absolute)), Fraction(repr(relative)) * abs(Fraction(wanted)))
    near = Tolerance(absolute=absolute, relative=relative).near(wanted.encode(), found.encode())
    assert near == (off <= room)


HUGE = ["1e999999999", "1e-999999999", "-1e999999999999999999", "1e" + "9" * 100_000, "0" * 100_000 + "8", "1." + "3" * 100_000, "9" * 100_000]  # fmt: skip


@pytest.mark.parametrize("number", HUGE)
def test_a_number_costs_no_more_than_it_is_long(number: str) -> None:
    tracemalloc.start()
    try:
        for check in (strict_floats, floats, lines, near_lines):
            for other in ("7", "0.5", *HUGE):
                assert (check(other.encode(), number.encode()) == "") == (other == number)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20


rows = st.lists(
    st.lists(st.sampled_from(["1", "1.0", "+1", "01", "2", "1e0", "-0", "0", "x", "inf", "nan"]), max_size=3),
    max_size=3,
)


@given(rows, rows, st.sampled_from([" ", "  ", "\t"]), st.sampled_from(["\n", " \n", "\r\n"]))
def test_lines_are_the_same_text_or_numbers_of_the_same_values(
    wanted: list[list[str]], found: list[list[str]], between: str, after: str
) -> None:
    expected = "".join(f"{' '.join(row)}\n" for row in wanted)
    got = "".join(f"{between.join(row)}{after}" for row in found)

    def model(one: str, other: str) -> bool:
        if one == other:
            return True
        try:
            return [Fraction(word) for word in one.split()] == [Fraction(word) for word in other.split()]
        except ValueError:
            return False

    one, other = (text.strip().split("\n") for text in (expected, got))
    same = len(one) == len(other) and all(model(*map(str.strip, pair)) for pair in zip(one, other, strict=True))
    assert (lines(expected.encode(), got.encode()) == "") == same


ACCEPTED: list[tuple[Check, bytes, bytes]] = [
    (exact, b"1 2\n", b"1 2"),
    (exact, b"1 2", b"1 2\n"),
    (tokens, b"1 2\n3\n", b" 1\t2 3"),
    (tokens, b"", b"\n\n"),
    (loose, b"YES no", b"yes NO"),
    (floats, b"0.333333333", b"0.3333334"),
    (floats, b"1e9 ok", b"1000000001 ok"),
    (floats, b"1", b"1.0000001"),
    (floats, b"-0", b"0"),
    (floats, b"nan inf", b"nan inf"),
    (strict_floats, b"0.5", b".50"),
    (tokens, b"\xff\xfe", b"\xff\xfe\n"),
    (lines, b"3\n4 5\n", b"\n 3.0 \r\n4.00\t5\n\n"),
    (near_lines, b"0.333333333333", b"0.333333"),
    (near_lines, b"7 0.5\nyes", b"7.0 0.5000001\nyes"),
]
REFUSED: list[tuple[Check, bytes, bytes, str]] = [
    (exact, b"1 2\n", b"1  2\n", "line 1: expected '1 2', got '1  2'"),
    (exact, b"1\n", b"1\n\n", "the output goes on after line 1"),
    (exact, b"a\nb\n", b"a\n", "the output ends early after line 1"),
    (exact, b"1\n", b"1\r\n", r"line 1: expected '1', got '1\r'"),
    (tokens, b"1 2", b"1 3", "token 2: expected '2', got '3'"),
    (tokens, b"1 2", b"1", "the output ends after 1 token of 2"),
    (tokens, b"1", b"1 2", "the output goes on after the expected 1 token, with '2'"),
    (tokens, b"1", b"", "the output ends after no tokens of 1"),
    (tokens, b"a\xc2\xa0b", b"a b", r"token 1: expected 'a\xa0b', got 'a'"),
    (tokens, b"yes", b"YES", "token 1: expected 'yes', got 'YES'"),
    (tokens, b"1", b"\x1b[2J1", r"token 1: expected '1', got '\x1b[2J1'"),
    (tokens, b"1", b"\xff", r"token 1: expected '1', got '\\xff'"),
    (tokens, b"1", b"x" * 100_000, f"token 1: expected '1', got '{'x' * 60}...'"),
    (floats, b"0.5", b"0.51", "token 1: expected '0.5', got '0.51'"),
    (floats, b"1", b"1_", "token 1: expected '1', got '1_'"),
    (floats, b"10", b"1_0", "token 1: expected '10', got '1_0'"),
    (floats, b"1", "\u0661".encode(), "token 1: expected '1', got '\u0661'"),
    (floats, b"1.0", b"nan", "token 1: expected '1.0', got 'nan'"),
    (floats, b"nan", b"1.0", "token 1: expected 'nan', got '1.0'"),
    (floats, b"1", b"0x1", "token 1: expected '1', got '0x1'"),
    (floats, b"1e999", b"2e999", "token 1: expected '1e999', got '2e999'"),
    (lines, b"1\n2", b"1 2", "expected 2 lines, got 1"),
    (lines, b"1", b"1\n\n1", "expected 1 line, got 3"),
    (lines, b"1\n0.3", b"1\n0.30000000000000004", "line 2: expected '0.3', got '0.30000000000000004'"),
    (lines, b"yes 1", b"yes 1.0", "line 1: expected 'yes 1', got 'yes 1.0'"),
    (lines, b"1 2", b"1 2 3", "line 1: expected '1 2', got '1 2 3'"),
    (lines, b"inf", b"Infinity", "line 1: expected 'inf', got 'Infinity'"),
    (near_lines, b"1000000", b"1000001", "line 1: expected '1000000', got '1000001'"),
    (near_lines, b"0.5", b"0.50001", "line 1: expected '0.5', got '0.50001'"),
    (strict_floats, b"0.1", b"0.1000001", "token 1: expected '0.1', got '0.1000001'"),
]


@pytest.mark.parametrize(("check", "expected", "got"), ACCEPTED)
def test_accepted(check: Check, expected: bytes, got: bytes) -> None:
    assert check(expected, got) == ""


@pytest.mark.parametrize(("check", "expected", "got", "says"), REFUSED)
def test_refused_with_the_place(check: Check, expected: bytes, got: bytes, says: str) -> None:
    assert check(expected, got) == says


def test_any_of_the_accepted_outputs_will_do() -> None:
    accepted = [b"1 2\n", b"2 1\n"]
    assert any_of(tokens, accepted, b"2  1") == ""
    assert any_of(tokens, accepted, b"1 1") == "none of the 2 accepted outputs"
    assert any_of(tokens, accepted[:1], b"1 1") == "token 2: expected '2', got '1'"
