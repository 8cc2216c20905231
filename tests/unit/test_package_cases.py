"""Lines of cases.jsonl: both forms, and what is said about a line that is neither."""

import json
import math

import pytest

from graders.boxed.shared.encoding import to_json
from graders.suites.call.cases import NO_ANSWER, SHOWN_CHARACTERS, Case, parse_cases
from graders.suites.case_rows import CaseError


def one(row: dict[str, object], entry_point: str = "f") -> Case:
    [case] = parse_cases(json.dumps(row), name="cases.jsonl", entry_point=entry_point)
    return case


def test_call_with_an_answer() -> None:
    case = one({"call": "f([3, 1], key='x', limit=-2)", "returns": "{'a': (1, None)}"})
    assert case.args == ([3, 1],)
    assert case.kwargs == {"key": "x", "limit": -2}
    assert case.expected == {"a": (1, None)}
    assert (case.id, case.raises, case.weight) == ("line-1", None, 1.0)
    assert case.shown == "f([3, 1], key='x', limit=-2)"


def test_named_floats() -> None:
    case = one({"call": "f([inf, -inf, 1.5], nan)", "returns": "(-inf, {'x': nan})"})
    assert case.args[0] == [math.inf, -math.inf, 1.5]
    assert math.isnan(case.args[1])  # type: ignore[arg-type]
    assert case.expected[0] == -math.inf  # type: ignore[index]


def test_none_is_an_answer_and_no_answer_is_none() -> None:
    assert one({"call": "f()", "returns": "None"}).expected is None
    assert one({"call": "f()"}).expected is NO_ANSWER
    assert one({"args": [], "expected": None}).expected is None
    assert one({"args": []}).expected is NO_ANSWER


def test_exception_in_the_place_of_an_answer() -> None:
    case = one({"id": "empty", "call": "f([])", "raises": "ValueError", "weight": 2})
    assert (case.id, case.raises, case.weight, case.expected) == ("empty", "ValueError", 2.0, NO_ANSWER)


def test_group() -> None:
    assert one({"call": "f()", "group": "large"}).group == "large"
    assert one({"call": "f()"}).group == ""


def test_encoded_values() -> None:
    values = ((1, 2), {3: b"\x00"}, math.inf, 2**80)
    case = one({"args": [to_json(value) for value in values], "kwargs": {"k": to_json({7})}, "expected": to_json((1,))})
    assert case.args == values
    assert case.kwargs == {"k": {7}}
    assert case.expected == (1,)


def test_encoded_call_is_shown_as_python() -> None:
    assert one({"args": [{"$tuple": [1, "a"]}], "kwargs": {"k": None}}).shown == "f((1, 'a'), k=None)"


def test_number_that_python_cannot_write_is_still_a_case() -> None:
    case = one({"args": [to_json(10**5000)]})
    assert case.args == (10**5000,)
    assert case.shown.startswith("f(")


def test_long_call_is_cut_for_showing() -> None:
    assert len(one({"args": ["x" * 100_000]}).shown) < SHOWN_CHARACTERS + 10


def test_lines_are_counted_and_empty_ones_skipped() -> None:
    text = '\n{"call": "f(1)"}\r\n\n  \n{"id": "b", "call": "g(2)"}\n'
    assert [case.id for case in parse_cases(text, name="c")] == ["line-2", "b"]


def test_line_separator_inside_a_string_ends_no_line() -> None:
    [case] = parse_cases('{"args": ["a\u2028b"]}', name="c")
    assert case.args == ("a\u2028b",)


BROKEN = {
    "no JSON": ("{call: f(1)}", "a JSON object"),
    "a list": ("[1]", "a JSON object, not list"),
    "nested too deeply": ("[" * 200_000, "a JSON object"),
    "key twice": ('{"call": "f(1)", "call": "f(2)"}', "a key occurs twice"),
    "neither form": ('{"returns": "1"}', "only the keys"),
    "nothing": ("{}", "a `call`, or a list of `args`"),
    "both forms": (
        '{"call": "f(1)", "args": [1]}',
        "only the keys call, group, id, raises, returns, weight, not 'args'",
    ),
    "misspelt key": ('{"call": "f(1)", "return": "1"}', "not 'return'"),
    "answer of the other form": ('{"args": [1], "returns": "1"}', "not 'returns'"),
    "call is a number": ('{"call": 1}', "Python text in `call`"),
    "call of a method": ('{"call": "f.g(1)"}', "one call such as `f(1, key=2)`"),
    "no call": ('{"call": "f"}', "one call such as"),
    "two calls": ('{"call": "f(1), f(2)"}', "one call such as"),
    "statement": ('{"call": "x = f(1)"}', "a Python expression"),
    "another function": ('{"call": "g(1)"}', "a call of f, not of g"),
    "call inside a call": ('{"call": "f(f(1))"}', "Python literals"),
    "a name": ('{"call": "f(x)"}', "Python literals"),
    "a computation": ('{"call": "f(2 ** 100)"}', "Python literals"),
    "stars": ('{"call": "f(*[1, 2])"}', "Python literals"),
    "two stars": ('{"call": "f(**{\'a\': 1})"}', "keyword arguments by name"),
    "keyword twice": ('{"call": "f(a=1, a=2)"}', "`call`"),
    "unhashable": ('{"call": "f({[1]: 2})"}', "Python literals"),
    "call nested too deeply": (json.dumps({"call": "f(" + "[" * 5000 + "]" * 5000 + ")"}), "a Python expression"),
    "minus signs": (json.dumps({"call": "f(" + "-" * 100_000 + "1)"}), "`call`"),
    "NUL": ('{"call": "f(1)\\u0000"}', "a Python expression"),
    "number too long": (json.dumps({"call": f"f({'9' * 5000})"}), "a Python expression"),
    "answer is no text": ('{"call": "f(1)", "returns": 2}', "in quotes, not 2"),
    "answer is no literal": ('{"call": "f(1)", "returns": "open(\'x\')"}', "in `returns`; a call is none"),
    "answer is an empty list in other words": (
        '{"call": "f(1)", "returns": "[set(), list()]"}',
        "in `returns`; a call is none",
    ),
    "argument is a name": ('{"call": "f(true)"}', "in `call`; a name is none"),
    "argument is calculated": ('{"call": "f(2 ** 8)"}', "in `call`; a calculation is none"),
    "argument cannot be in a set": ('{"call": "f({[]})"}', "in `call`; TypeError"),
    "answer and exception": ('{"call": "f(1)", "returns": "1", "raises": "ValueError"}', "not both"),
    "exception is no name": ('{"call": "f(1)", "raises": "not a name"}', "the name of an exception"),
    "args are no list": ('{"args": {"a": 1}}', "a list of `args`"),
    "unknown encoding": ('{"args": [{"$file": "x"}]}', "`args` (unknown key '$file')"),
    "plain object": ('{"args": [1], "expected": {"a": 1}}', "`expected`"),
    "kwargs are no object": ('{"args": [], "kwargs": [1]}', "names of parameters"),
    "kwargs are no names": ('{"args": [], "kwargs": {"a b": 1}}', "names of parameters"),
    "id is a number": ('{"id": 3, "call": "f(1)"}', "an `id`"),
    "id is blank": ('{"id": " ", "call": "f(1)"}', "an `id`"),
    "id with a line end": ('{"id": "a\\nb", "call": "f(1)"}', "an `id`"),
    "group is a number": ('{"call": "f(1)", "group": 1}', "name of a group"),
    "weight 0": ('{"call": "f(1)", "weight": 0}', "a `weight` greater than 0"),
    "weight true": ('{"call": "f(1)", "weight": true}', "a `weight` greater than 0"),
    "weight nan": ('{"call": "f(1)", "weight": NaN}', "a `weight` greater than 0"),
}


@pytest.mark.parametrize(("line", "expected"), BROKEN.values(), ids=BROKEN)
def test_error_names_file_and_line(line: str, expected: str) -> None:
    with pytest.raises(CaseError) as caught:
        parse_cases('{"call": "f(0)"}\n' + line, name="hidden/cases.jsonl", entry_point="f")
    assert caught.value.where == "hidden/cases.jsonl:2"
    assert expected in caught.value.expected


def test_ids_are_unique() -> None:
    with pytest.raises(CaseError, match="c:2: expected an id that no other case"):
        parse_cases('{"id": "line-2", "call": "f(1)"}\n{"call": "f(2)"}', name="c")


def test_no_case_is_an_error() -> None:
    with pytest.raises(CaseError, match="at least one case"):
        parse_cases("\n \n", name="c")
