"""Whatever a package holds, it loads or says what is wrong; what a case says is what was written."""

import json
import math
import string
from collections.abc import Mapping

from hypothesis import example, given
from hypothesis import strategies as st

from graders.boxed.shared.encoding import to_json
from graders.suites.call.cases import NO_ANSWER, parse_cases
from graders.suites.case_rows import CaseError
from graders.tasks.package import PackageError, load, parse, version

MANIFEST = """
id = "double"
reference = "submissions/accepted/reference.py"
[[suite]]
id = "hidden"
kind = "call"
files = ["hidden/*"]
entry_point = "double"
"""
FILES = {
    "task.toml": MANIFEST,
    "prompt.md": "Write `double(x)`.",
    "hidden/cases.jsonl": '{"call": "double(2)", "returns": "4"}\n',
    "submissions/accepted/reference.py": "def double(x):\n    return 2 * x\n",
}
KEYS = [
    *("id", "title", "language", "entry_file", "reference", "rubric", "limits", "graders", "suite", "submission"),
    *("kind", "files", "weight", "entry_point", "checker", "absolute", "relative"),
    *("path", "outcome", "findings", "wall_seconds", "memory_mib", "processes"),
]
texts = st.text(max_size=40)
packages = st.dictionaries(texts, texts, max_size=6)
floats = st.floats(allow_nan=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | floats | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
        | st.sets(st.integers(), min_size=1, max_size=1)
    ),
    max_leaves=12,
)
names = st.text(string.ascii_lowercase, min_size=1, max_size=8).map(lambda text: f"p_{text}")
toml_values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(string.printable, max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return repr(value) if isinstance(value, float) else json.dumps(value)


@given(packages)
def test_version_does_not_depend_on_the_order_of_files(files: dict[str, str]) -> None:
    try:
        first = version(files)
    except UnicodeEncodeError:
        return
    assert first == version(dict(reversed(files.items())))
    assert len(first) == 12
    assert set(first) <= set("0123456789abcdef")


@given(packages, packages)
@example({"a": "bc"}, {"ab": "c"})
@example({"a": "", "b": ""}, {"a": "b"})
@example({"a": "1:b"}, {"a": "1", "b": ""})
def test_version_tells_packages_apart(one: dict[str, str], other: dict[str, str]) -> None:
    try:
        versions = version(one), version(other)
    except UnicodeEncodeError:
        return
    assert (one == other) == (versions[0] == versions[1])


@given(packages)
def test_any_files_load_or_are_explained(files: dict[str, str]) -> None:
    check_loads_or_explains({**FILES, **files})
    check_loads_or_explains(files)


@given(st.sampled_from(sorted(FILES)), st.text())
def test_any_text_loads_or_is_explained(path: str, text: str) -> None:
    check_loads_or_explains({**FILES, path: text})


@given(
    st.sampled_from(["", "[limits]\n", "[[suite]]\n", "[[submission]]\n", "[graders]\n"]),
    st.sampled_from(KEYS),
    toml_values,
)
def test_any_value_of_a_key_loads_or_is_explained(table: str, key: str, value: object) -> None:
    line = f"{key} = {toml(value)}\n"
    kept = [old for old in MANIFEST.splitlines() if table or not old.startswith(f"{key} =")]
    manifest = "\n".join(kept) + f"\n{table}{line}" if table else line + "\n".join(kept)
    check_loads_or_explains({**FILES, "task.toml": manifest})


def check_loads_or_explains(files: Mapping[str, str]) -> None:
    try:
        task = load(files)
    except PackageError as error:
        assert error.expected
        return
    assert task.entry_file in task.reference
    assert task.suites
    assert all(suite.files for suite in task.suites)
    assert not any(path.startswith("submissions/") for suite in task.suites for path in suite.files)
    assert {submission.outcome for submission in parse(files).submissions} <= {"passed", "failed"}


@given(st.lists(values, max_size=3), st.dictionaries(names, values, max_size=3), values)
def test_literals_come_back(args: list[object], kwargs: dict[str, object], answer: object) -> None:
    call = ", ".join([repr(value) for value in args] + [f"{name}={value!r}" for name, value in kwargs.items()])
    line = json.dumps({"call": f"f({call})", "returns": repr(answer)})
    [case] = parse_cases(line, name="c", entry_point="f")
    assert (case.args, case.kwargs, case.expected) == (tuple(args), kwargs, answer)
    assert repr(case.expected) == repr(answer)


@given(st.lists(values, max_size=3), st.dictionaries(names, values, max_size=3), values)
def test_encoded_values_come_back(args: list[object], kwargs: dict[str, object], answer: object) -> None:
    row = {
        "args": [to_json(value) for value in args],
        "kwargs": {name: to_json(value) for name, value in kwargs.items()},
        "expected": to_json(answer),
    }
    [case] = parse_cases(json.dumps(row), name="c")
    assert (case.args, case.kwargs, case.expected) == (tuple(args), kwargs, answer)
    assert repr(case.expected) == repr(answer)


@given(
    st.text() | st.dictionaries(st.sampled_from(["call", "returns", "args", "id", "raises"]), st.text()).map(json.dumps)
)
@example('{"call": "f(' + "9" * 5000 + ')"}')
def test_any_line_is_a_case_or_is_explained(text: str) -> None:
    try:
        cases = parse_cases(text, name="c")
    except CaseError as error:
        assert error.where.startswith("c:")
        return
    assert len({case.id for case in cases}) == len(cases) > 0
    assert all(0 < case.weight < math.inf for case in cases)
    assert all(case.raises is None or case.expected is NO_ANSWER for case in cases)
