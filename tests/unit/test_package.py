"""Task packages: what loads, and the field that each error names."""

from pathlib import Path

import pytest

from graders.interface import Tier
from graders.tasks.package import MAX_BYTES, MAX_FILES, PackageError, load, parse, version
from service.packages import read_folder

MANIFEST = """
id = "double"
title = "Twice a number"
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
    "submissions/wrong/same.py": "def double(x):\n    return x\n",
}
PYTEST_SUITE = '[[suite]]\nid = "unit"\nkind = "pytest"\nfiles = ["unit/*"]\n'


def changed(changes: dict[str, str | None]) -> dict[str, str]:
    files = {**FILES, **changes}
    return {path: text for path, text in files.items() if text is not None}


def manifest(old: str, new: str) -> dict[str, str | None]:
    assert old in MANIFEST
    return {"task.toml": MANIFEST.replace(old, new)}


def added(text: str) -> dict[str, str | None]:
    return {"task.toml": MANIFEST + text}


def test_loads_what_the_files_say() -> None:
    task = load(FILES)
    assert (task.id, task.title, task.language) == ("double", "Twice a number", "python")
    assert (task.entry_file, task.rubric_id, task.prompt) == ("solution.py", "default", "Write `double(x)`.")
    assert task.reference == {"solution.py": FILES["submissions/accepted/reference.py"]}
    assert task.version == version(FILES)
    [suite] = task.suites
    assert (suite.id, suite.kind, suite.weight, suite.options) == ("hidden", "call", 1.0, {"entry_point": "double"})
    assert suite.files == {"hidden/cases.jsonl": FILES["hidden/cases.jsonl"]}


def test_limits_and_graders_are_taken_over() -> None:
    task = load(changed(added('[limits]\nwall_seconds = 2.5\nprocesses = 3\n[graders."acme/no-print"]\nallowed = 2\n')))
    assert (task.limits.wall_seconds, task.limits.processes, task.limits.memory_mib) == (2.5, 3, 512)
    assert task.graders == {"acme/no-print": {"allowed": 2}}


def test_limits_may_be_relative_to_the_reference() -> None:
    task = load(changed(added('[limits]\ncpu_seconds = "10x"\nwall_seconds = "12.5x"\nprocesses = 3\n')))
    assert task.relative == {"cpu_seconds": 10.0, "wall_seconds": 12.5}
    # what the reference itself gets, when it is measured
    assert (task.limits.cpu_seconds, task.limits.wall_seconds, task.limits.processes) == (60, 60, 3)
    assert load(FILES).relative == {}


def test_the_least_tier_is_taken_over() -> None:
    assert load(FILES).minimum_tier is Tier.JAIL
    assert load({**FILES, "task.toml": 'minimum_tier = "gvisor"\n' + MANIFEST}).minimum_tier is Tier.GVISOR


def test_reference_may_be_a_folder() -> None:
    files = changed(manifest("accepted/reference.py", "accepted/parts")) | {
        "submissions/accepted/parts/solution.py": "import lib",
        "submissions/accepted/parts/deep/lib.py": "x = 1",
    }
    assert load(files).reference == {"solution.py": "import lib", "deep/lib.py": "x = 1"}


def test_entry_file_names_single_file_submissions() -> None:
    files = changed({"task.toml": 'entry_file = "answer.py"\n' + MANIFEST})
    assert list(load(files).reference) == ["answer.py"]
    assert {tuple(submission.files) for submission in parse(files).submissions} == {("answer.py",)}


def test_pytest_suites_load() -> None:
    files = changed(added(PYTEST_SUITE)) | {"unit/test_double.py": "def test(): pass", "unit/data.txt": "1"}
    assert [(suite.id, sorted(suite.files)) for suite in load(files).suites][1] == (
        "unit",
        ["unit/data.txt", "unit/test_double.py"],
    )


def test_predicate_suites_load() -> None:
    accepts = "def accepts(args, expected, got):\n    return True\n"
    files = changed(added('checker = "predicate"\n')) | {"hidden/accepts.py": accepts}
    assert load(files).suites[0].files["hidden/accepts.py"] == accepts


def test_expected_outcome_comes_from_the_folder() -> None:
    texts = {f"submissions/{kind}/x.py": "pass" for kind in ("accepted", "insecure", "wrong", "slow", "hostile")}
    found = {submission.name: submission.outcome for submission in parse({**FILES, **texts}).submissions}
    assert found == {
        "accepted/reference.py": "passed",
        "accepted/x.py": "passed",
        "hostile/x.py": "failed",
        "insecure/x.py": "passed",
        "slow/x.py": "failed",
        "wrong/same.py": "failed",
        "wrong/x.py": "failed",
    }


def test_expectation_can_be_stated() -> None:
    text = '[[submission]]\npath = "submissions/wrong/same.py"\noutcome = "passed"\nfindings = ["B602"]\n'
    stated = {submission.name: submission for submission in parse(changed(added(text))).submissions}["wrong/same.py"]
    assert (stated.kind, stated.outcome, stated.findings) == ("wrong", "passed", ("B602",))


def test_submission_may_be_a_folder() -> None:
    files = {**FILES, "submissions/wrong/two/solution.py": "import b", "submissions/wrong/two/b.py": ""}
    found = {submission.name: submission.files for submission in parse(files).submissions}
    assert found["wrong/two"] == {"solution.py": "import b", "b.py": ""}


BROKEN: dict[str, tuple[dict[str, str | None], str, str]] = {
    # name: (what is changed, field, part of what was expected)
    "no task.toml": ({"task.toml": None}, "task.toml", "a file"),
    "broken TOML": ({"task.toml": 'id = "x"\nid =\n'}, "task.toml", "line 2"),
    "deep TOML": ({"task.toml": "id = " + "[" * 100_000}, "task.toml", "valid TOML"),
    "no id": (manifest('id = "double"', ""), "id", "a text"),
    "id is a number": (manifest('id = "double"', "id = 7"), "id", "not 7"),
    "id leads out": (manifest('id = "double"', 'id = "../double"'), "id", "letters"),
    "id with an empty part": (manifest('id = "double"', 'id = "a//b"'), "id", "letters"),
    "id ends in a line end": (manifest('id = "double"', 'id = "double\\n"'), "id", "letters"),
    "unknown key": ({"task.toml": "titel = 1\n" + MANIFEST}, "titel", "one of the keys"),
    "title is no text": (manifest('"Twice a number"', "[1]"), "title", "a text"),
    "unknown language": ({"task.toml": 'language = "cobol"\n' + MANIFEST}, "language", "python"),
    "entry file in a folder": ({"task.toml": 'entry_file = "a/b.py"\n' + MANIFEST}, "entry_file", "module"),
    "entry file is no module": ({"task.toml": 'entry_file = "my-file.py"\n' + MANIFEST}, "entry_file", "module"),
    "entry file is a keyword": ({"task.toml": 'entry_file = "class.py"\n' + MANIFEST}, "entry_file", "module"),
    "no prompt": ({"prompt.md": None}, "prompt.md", "what the model was asked"),
    "blank prompt": ({"prompt.md": " \n"}, "prompt.md", "what the model was asked"),
    "no reference key": (manifest('reference = "submissions/accepted/reference.py"', ""), "reference", "a text"),
    "missing reference": ({"submissions/accepted/reference.py": None}, "reference", "of this package"),
    "reference without entry file": (
        {"task.toml": MANIFEST.replace("submissions/accepted/reference.py", "parts"), "parts/x.py": ""},
        "reference",
        "solution.py",
    ),
    "no suite": ({"task.toml": MANIFEST[: MANIFEST.index("[[")]}, "suite", "tables [[suite]]"),
    "suite is a table": (manifest("[[suite]]", "[suite]"), "suite", "tables"),
    "suite without id": (manifest('id = "hidden"', ""), "suite.0.id", "a text"),
    "suite id twice": ({"task.toml": MANIFEST + MANIFEST[MANIFEST.index("[[") :]}, "suite.hidden", "no other suite"),
    "unknown kind": (
        manifest('kind = "call"', 'kind = "quiz"'),
        "suite.hidden.kind",
        "call, stdio, pytest, property, program",
    ),
    "no kind": (manifest('kind = "call"', ""), "suite.hidden.kind", "not None"),
    "unknown suite key": (added("timeout = 3\n"), "suite.hidden.timeout", "one of the keys"),
    "files is a text": (manifest('["hidden/*"]', '"hidden/*"'), "suite.hidden.files", "a list"),
    "pattern without a match": (manifest('["hidden/*"]', '["hiden/*"]'), "suite.hidden.files", "matches none"),
    "pattern takes the solutions": (manifest('["hidden/*"]', '["*.jsonl", "*.py"]'), "suite.hidden.files", "is none"),
    "pattern takes the manifest": (manifest('["hidden/*"]', '["hidden/*", "task*"]'), "suite.hidden.files", "is none"),
    "hidden file in no suite": ({"hidden/more.json": "{}"}, "suite.hidden.files", "exactly one .jsonl file"),
    "hidden file that no pattern matches": (
        {"task.toml": MANIFEST.replace("hidden/*", "hidden/*.jsonl"), "hidden/more.json": "{}"},
        "hidden/more.json",
        "some suite",
    ),
    "weight 0": (added("weight = 0\n"), "suite.hidden.weight", "greater than 0"),
    "weight true": (added("weight = true\n"), "suite.hidden.weight", "greater than 0"),
    "weight nan": (added("weight = nan\n"), "suite.hidden.weight", "greater than 0"),
    "no entry point": (manifest('entry_point = "double"', ""), "suite.hidden.entry_point", "a text"),
    "entry point is no name": (
        manifest('entry_point = "double"', 'entry_point = "a.b"'),
        "suite.hidden.entry_point",
        "function",
    ),
    "entry point is a keyword": (
        manifest('entry_point = "double"', 'entry_point = "lambda"'),
        "suite.hidden.entry_point",
        "function",
    ),
    "unknown checker": (
        added('checker = "roughly"\n'),
        "suite.hidden.checker",
        "exact, float, unordered, any-of, predicate",
    ),
    "tolerance without float": (added("absolute = 0.1\n"), "suite.hidden.absolute", "float"),
    "negative tolerance": (added('checker = "float"\nrelative = -1\n'), "suite.hidden.relative", "at least 0"),
    "infinite tolerance": (added('checker = "float"\nrelative = inf\n'), "suite.hidden.relative", "at least 0"),
    "predicate without a file": (added('checker = "predicate"\n'), "suite.hidden.files", "one .py file"),
    "predicate without the function": (
        {**added('checker = "predicate"\n'), "hidden/p.py": "def accept(): pass"},
        "hidden/p.py",
        "accepts(",
    ),
    "predicate that does not parse": (
        {**added('checker = "predicate"\n'), "hidden/p.py": "x = 1\ndef accepts(:"},
        "hidden/p.py:2",
        "parsed",
    ),
    "predicate nested too deeply": (
        {**added('checker = "predicate"\n'), "hidden/p.py": "x = " + "-" * 30_000 + "1"},
        "hidden/p.py",
        "parsed",
    ),
    "pytest suite without tests": (
        {**added(PYTEST_SUITE), "unit/double.py": ""},
        "suite.unit.files",
        "test_*.py",
    ),
    "pytest suite with a checker": (
        {**added(PYTEST_SUITE + 'checker = "float"\n'), "unit/test_a.py": ""},
        "suite.unit.checker",
        "one of the keys",
    ),
    "test file that does not parse": (
        {**added(PYTEST_SUITE), "unit/test_a.py": "\n\ndef"},
        "unit/test_a.py:3",
        "parsed",
    ),
    "case of another function": (
        {"hidden/cases.jsonl": '{"call": "double(1)", "returns": "2"}\n{"call": "twice(1)"}'},
        "hidden/cases.jsonl:2",
        "double",
    ),
    "no cases": ({"hidden/cases.jsonl": "\n"}, "hidden/cases.jsonl:1", "at least one case"),
    "unknown limit": (added("[limits]\nseconds = 2\n"), "limits.seconds", "wall_seconds"),
    "limit of 0": (added("[limits]\nwall_seconds = 0\n"), "limits.wall_seconds", "greater than 0"),
    "limit is a text": (
        added('[limits]\nwall_seconds = "2"\n'),
        "limits.wall_seconds",
        'a number of seconds, or "10x"',
    ),
    "relative by words": (added('[limits]\ncpu_seconds = "ten x"\n'), "limits.cpu_seconds", '"10x"'),
    "relative and negative": (added('[limits]\ncpu_seconds = "-5x"\n'), "limits.cpu_seconds", '"10x"'),
    "relative within the noise": (added('[limits]\ncpu_seconds = "1.5x"\n'), "limits.cpu_seconds", 'from "3x"'),
    "relative without end": (added('[limits]\ncpu_seconds = "9999x"\n'), "limits.cpu_seconds", 'to "1000x"'),
    "relative memory": (added('[limits]\nmemory_mib = "10x"\n'), "limits.memory_mib", "a whole number"),
    "tier that does not exist": (
        manifest('id = "double"', 'id = "double"\nminimum_tier = "castle"'),
        "minimum_tier",
        "jail, container, gvisor",
    ),
    "tier that is no text": (
        manifest('id = "double"', 'id = "double"\nminimum_tier = 2'),
        "minimum_tier",
        "one of jail",
    ),
    "limit is true": (added("[limits]\nprocesses = true\n"), "limits.processes", "a whole number"),
    "limit is half a process": (added("[limits]\nprocesses = 1.5\n"), "limits.processes", "a whole number"),
    "endless limit": (added("[limits]\nwall_seconds = inf\n"), "limits.wall_seconds", "finite"),
    "limit is nan": (added("[limits]\nwall_seconds = nan\n"), "limits.wall_seconds", "finite"),
    "little memory": (added("[limits]\nmemory_mib = 16\ndisk_mib = 4\n"), "limits.memory_mib", "at least 32"),
    "more disk than memory": (added("[limits]\ndisk_mib = 400\n"), "limits.disk_mib", "half of memory_mib"),
    "grader without a namespace": (added('[graders."no-print"]\nx = 1\n'), "graders.no-print", "acme/no-print"),
    "grader is no table": (added('[graders]\n"acme/x" = 1\n'), "graders.acme/x", "a table"),
    "submission of unknown kind": (
        {"submissions/rigth/x.py": ""},
        "submissions/rigth/x.py",
        "accepted, insecure, wrong",
    ),
    "submission without a kind": ({"submissions/x.py": ""}, "submissions/x.py", "accepted, insecure, wrong"),
    "submission is no program": ({"submissions/wrong/x.txt": ""}, "submissions/wrong/x.txt", ".py"),
    "submission without the entry file": ({"submissions/wrong/x/main.py": "1"}, "submissions/wrong/x", "solution.py"),
    "submission is empty": ({"submissions/wrong/x.py": " \n"}, "submissions/wrong/x.py", "a program"),
    "expectation of nobody": (added('[[submission]]\npath = "submissions/wrong/no.py"\n'), "submission.path", "no.py"),
    "expectation twice": (
        added('[[submission]]\npath = "submissions/wrong/same.py"\n' * 2),
        "submission.submissions/wrong/same.py",
        "not two",
    ),
    "expectation with an unknown key": (
        added('[[submission]]\npath = "submissions/wrong/same.py"\nresult = 1\n'),
        "submission.submissions/wrong/same.py.result",
        "outcome",
    ),
    "unknown outcome": (
        added('[[submission]]\npath = "submissions/wrong/same.py"\noutcome = "fails"\n'),
        "submission.submissions/wrong/same.py.outcome",
        "passed, failed",
    ),
    "findings are no list": (
        added('[[submission]]\npath = "submissions/wrong/same.py"\nfindings = "B602"\n'),
        "submission.submissions/wrong/same.py.findings",
        "a list",
    ),
    "path leads out": ({"../x": ""}, "../x", "inside the package"),
    "path leads out later": ({"a/../../x": ""}, "a/../../x", "inside the package"),
    "absolute path": ({"/etc/x": ""}, "/etc/x", "inside the package"),
    "path of another system": ({"a\\b": ""}, "a\\\\b", "inside the package"),
    "path with a control character": ({"a\nb": ""}, "a\\nb", "inside the package"),
    "path with a NUL": ({"a\0b": ""}, "a\\x00b", "inside the package"),
    "long path": ({"a" * 201: ""}, "a" * 201, "inside the package"),
    "empty path": ({"": ""}, "", "inside the package"),
    "path through a file": ({"prompt.md/x": ""}, "prompt.md/x", "not also a file"),
    "NUL in a text": ({"notes.md": "a\0b"}, "notes.md", "NUL"),
    "text that is no UTF-8": ({"notes.md": "a\ud800b"}, "notes.md", "UTF-8"),
    "too many files": ({f"notes/{number}": "" for number in range(MAX_FILES)}, "files", f"at most {MAX_FILES}"),
    "too large": ({"notes.md": "é" * (MAX_BYTES // 2)}, "files", "MiB"),
}


@pytest.mark.parametrize(("changes", "field", "expected"), BROKEN.values(), ids=BROKEN)
def test_error_names_the_field_and_what_was_expected(changes: dict[str, str | None], field: str, expected: str) -> None:
    with pytest.raises(PackageError) as caught:
        load(changed(changes))
    assert caught.value.field == field
    assert expected in caught.value.expected
    assert str(caught.value) == f"{field}: expected {caught.value.expected}"


def test_folder_is_read_as_it_would_go_over_http(tmp_path: Path) -> None:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(text.encode())
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("left out")
    (tmp_path / "hidden" / ".cases.swp").write_bytes(b"\xff")
    (tmp_path / "hidden" / "__pycache__").mkdir()
    (tmp_path / "hidden" / "__pycache__" / "x.pyc").write_bytes(b"\xff")
    assert read_folder(tmp_path) == FILES


def test_line_ends_are_kept(tmp_path: Path) -> None:
    (tmp_path / "prompt.md").write_bytes(b"one\r\ntwo\r")
    assert read_folder(tmp_path) == {"prompt.md": "one\r\ntwo\r"}


def test_link_to_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not yours")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "prompt.md").symlink_to(tmp_path / "secret")
    with pytest.raises(PackageError, match=r"prompt\.md: expected a regular file"):
        read_folder(tmp_path / "package")


def test_link_to_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "cases.jsonl").write_text("not yours")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "hidden").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PackageError, match="hidden: expected a regular file"):
        read_folder(tmp_path / "package")


def test_file_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "prompt.md").write_bytes(b"caf\xe9 ")
    with pytest.raises(PackageError, match=r"prompt\.md: expected UTF-8 text \(byte 3 is 0xe9\)"):
        read_folder(tmp_path)


def test_large_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.bin").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(PackageError, match=r"huge\.bin: expected at most 16 MiB"):
        read_folder(tmp_path)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="no-such: expected the folder of a task package"):
        read_folder(tmp_path / "no-such")
