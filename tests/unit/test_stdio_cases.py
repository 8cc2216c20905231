"""Cases of `stdio` suites as files and as lines, and the options of a suite that a package may state."""

import json
from pathlib import Path

import pytest

from graders.suites.case_rows import CaseError
from graders.suites.stdio.cases import StdioCase, parse_stdio_cases
from graders.tasks.package import PackageError, load
from service.packages import read_folder
from service.reading.task_summary import summarize

EXAMPLE = Path(__file__).parents[2] / "examples" / "bookings-stdio"


def test_files_and_lines_are_cases_in_a_fixed_order() -> None:
    files = {
        "hidden/b.in": "2\n", "hidden/b.out": "4\n", "hidden/large/a.in": "\u00e9", "hidden/large/a.ans": "",
        "hidden/z.jsonl": json.dumps({"input": "1", "output": "x\u2028y", "weight": 2, "group": "g"}) + "\n\n",
        "hidden/check.py": "",
    }  # fmt: skip
    assert parse_stdio_cases(files) == [
        ("hidden/b.in", StdioCase(id="b", given=b"2\n", accepted=(b"4\n",))),
        ("hidden/large/a.in", StdioCase(id="large/a", given=b"\xc3\xa9", accepted=(b"",))),
        ("hidden/z.jsonl:1", StdioCase(id="line-1", given=b"1", accepted=("x\u2028y".encode(),), weight=2, group="g")),
    ]


def test_an_answer_may_be_missing_where_a_program_judges() -> None:
    files = {"a.in": "", "b.jsonl": '{"input": ""}'}
    assert [case.accepted for _, case in parse_stdio_cases(files, needs_answer=False)] == [(), ()]
    for path, text in files.items():
        with pytest.raises(CaseError):
            parse_stdio_cases({path: text})


def test_several_accepted_outputs() -> None:
    line = json.dumps({"input": "", "output": ["1 2", "2 1"]})
    [(_, case)] = parse_stdio_cases({"c.jsonl": line}, several=True)
    assert case.accepted == (b"1 2", b"2 1")
    with pytest.raises(CaseError, match="a text in `output`"):
        parse_stdio_cases({"c.jsonl": line})


@pytest.mark.parametrize(
    ("files", "where"),
    [
        ({"a.in": "", "a.ans": "", "c.jsonl": '{"id": "a", "input": "", "output": ""}'}, "c.jsonl:1"),
        ({"a.in": "", "a.ans": "", "hidden/a.in": "", "hidden/a.ans": ""}, "hidden/a.in"),
        ({"c.jsonl": '{"input": "\\ud800", "output": ""}'}, "c.jsonl:1"),
        ({"c.jsonl": '{"input": "", "output": "", "id": "\\u0000"}'}, "c.jsonl:1"),
    ],
)
def test_what_is_no_case_is_said_with_its_place(files: dict[str, str], where: str) -> None:
    with pytest.raises(CaseError) as caught:
        parse_stdio_cases(files)
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("option", "field", "expected"),
    [
        ('protocol = "kattis"', "suite.hidden.protocol", "an interactor_file beside it"),
        ("partial_credit = true", "suite.hidden.partial_credit", "an interactor_file beside it"),
        ('checker_file = "x"\nprotocol = "exit"', "suite.hidden.protocol", "one of plain, kattis"),
        ("ignore_exit_code = 1", "suite.hidden.ignore_exit_code", "true or false"),
        ("partial_credit = 1", "suite.hidden.partial_credit", "true or false"),
        ("seconds = 0", "suite.hidden.seconds", "greater than 0"),
        ('space_sensitive = "no"', "suite.hidden.space_sensitive", "true or false"),
        ('checker = "exact"\nspace_sensitive = true', "suite.hidden.space_sensitive", "not 'exact'"),
        ("passes = 2", "suite.hidden.passes", "an interactor_file beside it"),
        ('command = "python3"', "suite.hidden.command", "a list of texts"),
    ],
)
def test_an_option_that_does_not_fit_is_refused(option: str, field: str, expected: str) -> None:
    files = dict(read_folder(EXAMPLE))
    files["task.toml"] += f"{option}\n"
    with pytest.raises(PackageError) as caught:
        load(files)
    assert caught.value.field == field
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"args": "x"}, "a list of at most 1000 texts in `args`"),
        ({"args": ["a\0b"]}, "a list of at most 1000 texts in `args`"),
        ({"args": ["x"] * 1001}, "a list of at most 1000 texts in `args`"),
        ({"judge_args": [1]}, "a text in `judge_args`"),
        ({"files": ["x"]}, "an object of at most 100 files"),
        ({"files": {"x": 1}}, "a text in `files`"),
        ({"files": {"../x": ""}}, "relative paths without . and .. in `files`, not '../x'"),
        ({"files": {"/etc/x": ""}}, "relative paths"),
        ({"files": {"a//b": ""}}, "relative paths"),
        ({"files": {"a\0": ""}}, "relative paths"),
        ({"files": {"a" * 300: ""}}, "relative paths"),
        ({"files": {"a": "", "a/b/c": ""}}, "not also folders of others"),
        ({"compare": "float"}, "an object in `compare`"),
        ({"compare": None}, "an object in `compare`"),
    ],
)
def test_what_a_case_states_for_itself_is_looked_at(stated: dict[str, object], expected: str) -> None:
    with pytest.raises(CaseError) as caught:
        parse_stdio_cases({"c.jsonl": json.dumps({"input": "", "output": "", **stated})})
    assert expected in caught.value.expected


def with_case(options: str, **stated: object) -> dict[str, str]:
    """A package whose suite has one case."""
    files = {path: text for path, text in read_folder(EXAMPLE).items() if not path.startswith("hidden/")}
    files["task.toml"] = files["task.toml"].partition("groups =")[0] + options
    return files | {
        "hidden/c.jsonl": json.dumps({"input": "", "output": "", **stated}),
        "hidden/j/c.py": "",
        "hidden/j/data": "",
    }


CHECKER = 'checker = "program"\nchecker_file = "hidden/j/c.py"\n'


@pytest.mark.parametrize(
    ("options", "stated", "expected"),
    [
        (CHECKER, {"compare": {}}, "no `compare` in a suite whose checker is not one of lines, tokens, exact, float"),
        (CHECKER + "passes = 2", {}, 'protocol = "kattis" beside it'),
        (CHECKER + 'protocol = "kattis"\npasses = 1', {}, "a whole number from 2 to 100, not 1"),
        (CHECKER + 'protocol = "kattis"\npasses = 101', {}, "a whole number from 2 to 100, not 101"),
        (CHECKER + 'protocol = "kattis"\npasses = 2.5', {}, "a whole number from 2 to 100, not 2.5"),
        (CHECKER + "space_sensitive = true", {}, "not 'program'"),
        ("", {}, "a .jsonl file with cases, or the suite's program"),
    ],
)
def test_what_a_case_states_fits_its_suite(options: str, stated: dict[str, object], expected: str) -> None:
    with pytest.raises(PackageError) as caught:
        load(with_case(options, **stated))
    assert expected in caught.value.expected


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ({"judge_args": ["x"]}, "no `judge_args` in a suite without"),
        ({"compare": {"checker": "program"}}, "one of lines, tokens, exact, float"),
        ({"compare": {"absolute": 1}}, "no tolerance unless"),
        ({"compare": {"checker": "float", "relative": -1}}, "a number of at least 0"),
        ({"compare": {"checker": "float", "relative": 10**400}}, "that a float can hold, not 1000"),
        ({"compare": {"seconds": 1}}, "one of the keys absolute, case_sensitive"),
    ],
)
def test_how_a_case_is_compared_is_looked_at(stated: dict[str, object], expected: str) -> None:
    files = {path: text for path, text in with_case("", **stated).items() if not path.startswith("hidden/j")}
    with pytest.raises(PackageError) as caught:
        load(files)
    assert expected in caught.value.expected
    assert caught.value.field.startswith("hidden/c.jsonl:1")


def test_files_beside_a_program_are_its_own_where_no_case_is_kept_there() -> None:
    files = with_case(CHECKER, judge_args=["x"])
    assert load(files).suites[0].files["hidden/j/data"] == ""
    with pytest.raises(PackageError, match="hidden/j/data"):
        load(files | {"hidden/j/1.in": ""})


def test_submitters_learn_how_many_cases_there_are() -> None:
    [suite] = summarize(load(read_folder(EXAMPLE))).suites
    assert (suite.kind, suite.cases) == ("stdio", 20)
