"""MBPP+ rows, made by hand in the format of the published file; the numbers of the tasks are the benchmark's."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from graders.suites.call.cases import parse_cases
from graders.tasks.package import load
from rubrics.input_error import InputError
from service.importers.formats.mbpp_plus import arguments_of, mbpp_plus


def row(entry_point: str, number: int = 9999, **fields: Any) -> dict[str, Any]:
    return {
        "task_id": f"Mbpp/{number}",
        "prompt": '"""\nWrite a function.\n"""\n',
        "entry_point": entry_point,
        "canonical_solution": f"\ndef {entry_point}(*arguments):\n    return arguments\n",
        "assertion": f"assert {entry_point}(1) == (1,)",
        "base_input": [[1]],
        "plus_input": [],
        "atol": 0,
        **fields,
    }


@pytest.mark.parametrize(
    ("number", "stored", "called"),
    [
        (9999, [[1, 2], "x"], [[1, 2], "x"]),
        (2, [[3, 4], [5]], [(3, 4), (5,)]),
        (63, [[[1, 2], [3]]], [[(1, 2), (3,)]]),
        (75, [[[6, 24], [7]], 6], [[(6, 24), (7,)], 6]),
        (106, [[5, 6], [9, 10]], [[5, 6], (9, 10)]),
        (115, [[[1, 2], []]], [[{1, 2}, {}]]),
        (124, ["0", "1j"], [0.0, 1j]),
        (252, ["(1+2j)"], [1 + 2j]),
        (250, [[10, 8], 8], [(10, 8), 8]),
        (307, [["a", []], 1, 50], [("a", []), 1, 50]),
        (259, [[[1, 3], [4]], [[6]]], [((1, 3), (4,)), ((6,),)]),
        (278, [[1, [2, [3]], "ab"]], [(1, (2, [3]), "ab")]),
        (722, [{"a": [6.2, 70]}, 6.0, 70], [{"a": (6.2, 70)}, 6.0, 70]),
        (580, [[4, [7, [9]]]], [(4, (7, (9,)))]),
    ],
)
def test_arguments_get_the_types_that_json_does_not_have(number: int, stored: list[Any], called: list[Any]) -> None:
    assert arguments_of(f"Mbpp/{number}", [stored]) == [called]
    cases = load(mbpp_plus(row("f", number, base_input=[stored])).files).suites[0].files["hidden/cases.jsonl"]
    assert [list(case.args) for case in parse_cases(cases, name="cases")] == [called]


def test_inputs_that_are_not_the_tasks_are_refused() -> None:
    with pytest.raises(InputError, match="Mbpp/252: inputs: expected those of MBPP\\+ task 252"):
        arguments_of("Mbpp/252", [["no number"]])
    with pytest.raises(InputError, match="Mbpp/722"):
        arguments_of("Mbpp/722", [[[1], 2]])


def test_an_empty_object_means_no_further_inputs() -> None:
    files = mbpp_plus(row("f", plus_input={})).files
    assert len(parse_cases(files["hidden/cases.jsonl"], name="cases")) == 1


def accepts(entry_point: str, **fields: Any) -> Any:
    suite = load(mbpp_plus(row(entry_point, **fields)).files).suites[0]
    assert suite.options["checker"] == "predicate"
    names: dict[str, Any] = {}
    exec(suite.files["hidden/accepts.py"], names)
    return names["accepts"]


@pytest.mark.parametrize("entry_point", ["similar_elements", "larg_nnum", "Diff"])
def test_order_and_number_do_not_matter_where_the_authors_compare_sets(entry_point: str) -> None:
    check = accepts(entry_point)
    assert check([], (4, 5), [5, 4, 4])
    assert not check([], (4, 5), (4,))
    assert not check([], (4, 5), None)
    assert not check([], (4, 5), [[4], [5]])


def test_zero_and_everything_are_accepted_where_the_authors_accept_them() -> None:
    assert accepts("are_equivalent")([36, 57], False, True)
    assert accepts("sum_div")([8], 7, 0)
    assert accepts("sum_div")([8], 7, 7)
    assert not accepts("sum_div")([8], 7, 8)


def test_a_pyramids_height_may_be_read_in_two_ways() -> None:
    check = accepts("surface_Area", atol=0)
    assert check([3, 4], 33, 33)  # as the slant height: 9 + 2 * 3 * 4
    assert check([3, 4], 33, 35)  # as the height over the base: 9 + 2 * 3 * sqrt(1.5² + 4²)
    for wrong in (34, None, "33", [33]):
        assert not check([3, 4], 33, wrong)


def test_digits_may_be_compared_after_padding() -> None:
    check = accepts("digit_distance_nums")
    assert check([123, 1], 1, 1)
    assert check([123, 1], 9, 5)  # |1-0| + |2-0| + |3-1|
    assert not check([123, 1], 9, 6)
    assert not check([-12, 1], 9, 6)


@pytest.mark.parametrize(
    ("returned", "passes"),
    [
        ("re.search('ab', text)", True),
        ("bool(re.search('ab', text))", True),
        ("'Found a match!' if 'ab' in text else None", True),
        ("True", False),
        ("None", False),
        ("re.search('a', text)", False),
    ],
)
def test_a_match_is_as_good_as_a_yes(tmp_path: Path, returned: str, passes: bool) -> None:
    made = row(
        "text_match_three",
        base_input=[["ab"], ["a"], ["b'\"\\"]],
        canonical_solution="\nimport re\ndef text_match_three(text):\n    return re.search('ab', text)\n",
    )
    [suite] = load(mbpp_plus(made).files).suites
    assert suite.kind == "pytest"
    (tmp_path / "solution.py").write_text(f"import re\ndef text_match_three(text):\n    return {returned}\n")
    (tmp_path / "test_hidden.py").write_text(suite.files["hidden/test_hidden.py"])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_hidden.py"]
    assert (subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0) is passes


def test_answers_of_a_gigabyte_are_not_asked_for() -> None:
    asked = [[["a", "b"], 3], [[], 0], [[], 5], [["a", "b", "c", "d", "e"], 77], [["a"], 77]]
    files = mbpp_plus(row("combinations_colors", base_input=asked)).files
    cases = parse_cases(files["hidden/cases.jsonl"], name="cases")
    assert [list(case.args) for case in cases] == [asked[0], asked[1], asked[2], asked[4]]
