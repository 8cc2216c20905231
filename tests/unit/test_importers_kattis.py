"""Kattis problem packages: refusals by file and key, notes, and the scores of cases."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from graders.tasks.package import load
from rubrics.input_error import InputError
from service.importers.kattis.package import read_problem
from service.importers.package_text import ImportedTask

MADE = {
    "problem.yaml": "name: Made\n",
    "problem_statement/problem.tex": "Say 1.",
    "data/sample/0.in": "0",
    "data/sample/0.ans": "0",
    "data/secret/1.in": "1",
    "data/secret/1.ans": "1",
    "submissions/accepted/a.py": "print(input())",
}
MODERN = {"problem.yaml": "name: Made\nproblem_format_version: 2023-07\n"}
VALIDATOR = {"output_validators/v.py": "import sys\nsys.exit(42)\n"}
CUSTOM = {"problem.yaml": "validation: custom\n", **VALIDATOR}
SCORING = {"problem.yaml": "type: scoring\nproblem_format_version: 2023-07\n"}
LEGACY_SCORING = {"problem.yaml": "type: scoring\n"}


def made(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in (MADE | files).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def read(folder: Path, files: Mapping[str, str]) -> ImportedTask:
    """It loads as well."""
    task = read_problem(made(folder, files))
    load(task.files)
    return task


def cases(task: ImportedTask) -> dict[str, dict[str, object]]:
    rows = map(json.loads, task.files["hidden/cases.jsonl"].splitlines())
    return {row["id"]: row for row in rows}


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "a key": ({"problem.yaml": "colour: red\n"}, "problem.yaml: colour: expected one of the keys "),
    "a key twice": ({"problem.yaml": "name: Made\nlimits: {time_limit: 1}\nlimits: {time_limit: 20}\n"}, "problem.yaml: expected YAML (the key 'limits' is there twice)"),
    "a key twice, further inside": ({"problem.yaml": "limits: {time_limit: 1, memory: 64, time_limit: 20}\n"}, "the key 'time_limit' is there twice"),
    "a version": ({"problem.yaml": "problem_format_version: 2031-01\n"}, "problem.yaml: problem_format_version: expected one of legacy,"),
    "a type": ({"problem.yaml": "type: [pass-fail, submit-answer]\n"}, "problem.yaml: type: expected some of pass-fail, scoring, interactive, multi-pass, not 'submit-answer'"),
    "a kind of validation": ({"problem.yaml": "validation: custom twice\n"}, "problem.yaml: validation: expected some of"),
    "two kinds of validation": ({"problem.yaml": "validation: default custom\n"}, "problem.yaml: validation: expected default, or custom"),
    "no validator": ({"problem.yaml": "validation: custom\n"}, "output_validators: expected a validator"),
    "no interactor": ({"problem.yaml": "type: interactive\nproblem_format_version: 2025-09\n"}, "problem.yaml: type: expected a custom validator beside interactive"),
    "passes without a validator": ({"problem.yaml": "type: multi-pass\n"}, "problem.yaml: type: expected a custom validator beside multi-pass"),
    "passes of one run": ({**CUSTOM, "problem.yaml": "validation: custom\nlimits: {validation_passes: 2}\n"}, "validation_passes: expected none"),
    "too many passes": ({**CUSTOM, "problem.yaml": "validation: custom multi-pass\nlimits: {validation_passes: 1000}\n"}, "validation_passes: expected 2 to 100, not 1000"),
    "a limit": ({"problem.yaml": "limits: {threads: 2}\n"}, "problem.yaml: limits: threads: expected one of the keys"),
    "a limit that is none": ({"problem.yaml": "limits: {output: -1}\n"}, "problem.yaml: limits: expected numbers greater than 0, not -1 for output"),
    "the fewer points the better": ({"problem.yaml": "type: scoring\ngrading: {objective: min}\n"}, "grading: objective: expected max"),
    "points by a validator": ({**VALIDATOR, "problem.yaml": "type: scoring\nvalidation: custom score\n"}, "problem.yaml: validation: expected no `score`"),
    "points by a newer validator": ({**SCORING, "output_validator/v.py": "open('score.txt')"}, "expected no score.txt"),
    "a constant": ({"problem.yaml": "constants: {n: [1]}\n"}, "problem.yaml: constants: n: expected a number or a text"),
    "a file": ({"notes.doc": ""}, "notes.doc: expected only what the format has"),
    "graders": ({"graders/g.py": ""}, "graders: expected none: programs that decide"),
    "a static validator": ({"static_validator/v.py": ""}, "static_validator: expected none"),
    "files for submissions": ({"include/python3/lib.py": ""}, "python3: expected none: no files are added"),
    "files for all submissions": ({"include/default/lib.py": ""}, "default: expected none: no files are added"),
    "data of a kind": ({"data/hidden/1.in": ""}, "hidden: expected nothing but the folders sample, secret"),
    "a file of a case": ({"data/secret/1.args": "x"}, "1.args: expected test data, a file or folder that ends in one of .in"),
    "a file of no case": ({"data/secret/2.hint": "x"}, "2.hint: expected 2.in beside it"),
    "an example among secrets": ({"data/secret/1.interaction": "x"}, "1.interaction: expected test data"),
    "a key of a case": ({"data/secret/1.yaml": "time: 3"}, "1.yaml: time: expected one of the keys"),
    "arguments that are numbers": ({"data/secret/1.yaml": "args: [1]"}, "1.yaml: args: expected a text, or a list of texts"),
    "a flag of a case": ({**MODERN, "data/secret/1.yaml": "output_validator_args: [loose]"}, "output validator arguments of secret/1: expected one of case_sensitive"),
    "a tolerance that is none": ({"problem.yaml": "validator_flags: float_tolerance nan\n"}, "validator_flags: expected a number after float_tolerance, not 'nan'"),
    "a key of a group": ({"data/secret/testdata.yaml": "colour: red"}, "testdata.yaml: colour: expected one of the keys"),
    "two files of a group": ({"data/secret/testdata.yaml": "", "data/secret/test_group.yaml": ""}, "secret: expected one of testdata.yaml and test_group.yaml"),
    "a grader of a group": ({"data/secret/testdata.yaml": "grading: custom"}, "testdata.yaml: grading: expected default"),
    "a static case": ({"data/secret/test_group.yaml": "static_validation: true"}, "static_validation: expected false"),
    "on_reject": ({"data/testdata.yaml": "on_reject: laugh"}, "testdata.yaml: on_reject: expected break or continue"),
    "a flag of a grader": ({"data/testdata.yaml": "grader_flags: median"}, "testdata.yaml: grader_flags: expected some of"),
    "any one will do": ({"data/secret/testdata.yaml": "grader_flags: accept_if_any_accepted"}, "testdata.yaml: grader_flags: expected none of always_accept"),
    "the best of several": ({**LEGACY_SCORING, "data/testdata.yaml": "grader_flags: max always_accept"}, "grader_flags: expected sum, avg or min"),
    "points for failing": ({**LEGACY_SCORING, "data/testdata.yaml": "reject_score: 1"}, "reject_score: expected 0"),
    "points without end": ({**SCORING, "data/secret/test_group.yaml": "scoring: {score: unbounded}"}, "scoring: score: expected a number"),
    "parts of others": ({**SCORING, "data/secret/test_group.yaml": "scoring: {require_pass: sample}"}, "scoring: require_pass: expected no group"),
    "a way to score": ({**SCORING, "data/secret/test_group.yaml": "scoring: {aggregation: max}"}, "scoring: aggregation: expected pass-fail, sum or min"),
    "a key of scores": ({**SCORING, "data/secret/test_group.yaml": "scoring: {bonus: 1}"}, "scoring: bonus: expected one of the keys"),
    "two validators": ({**CUSTOM, "output_validators/w.py": ""}, "output_validators: expected one validator"),
    "two places": ({**CUSTOM, "output_validator/w.py": ""}, "output_validator: expected one of"),
    "a build script": ({"problem.yaml": "validation: custom\n", "output_validators/v/v.py": "", "output_validators/v/build": ""}, "output_validators: expected one validator"),
    "an old validator": ({"problem.yaml": "validation: custom\n", "output_validators/v.py": "print 1"}, "v.py: expected a program in Python 3"),
    "a validator with a case": ({"problem.yaml": "validation: custom\n", "output_validators/v/v.py": "", "output_validators/v/a.in": ""}, "a.in: expected a file of the validator that does not end in"),
    "a file among submissions": ({"submissions/a.py": ""}, "a.py: expected a folder of submissions"),
    "a key of submissions": ({"submissions/submissions.yaml": "accepted: {colour: red}"}, "submissions.yaml: accepted: colour: expected one of the keys"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_known_stops_the_import_and_is_named(name: str, tmp_path: Path) -> None:
    files, message = REFUSED[name]
    with pytest.raises(InputError) as caught:
        read(tmp_path / "made", files)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "where",
    ["data/secret/1.ans", "submissions/accepted/b.py", "data/secret/2", "statement", "problem.yaml", ".timelimit"],
)
def test_a_link_leads_nowhere_but_into_the_package(where: str, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "1.in").write_text("secret of this machine")
    folder = made(tmp_path / "made", {})
    (folder / where).unlink(missing_ok=True)
    outside = tmp_path / "outside"
    (folder / where).symlink_to(outside / "1.in" if where == ".timelimit" else outside)
    with pytest.raises(InputError, match="a link to something in the package"):
        read_problem(folder)


def test_a_link_to_another_file_of_the_package_is_that_file(tmp_path: Path) -> None:
    folder = made(tmp_path / "made", {})
    (folder / "data/secret/2.in").symlink_to("../sample/0.in")
    (folder / "data/secret/2.ans").symlink_to(folder / "data/sample/0.ans")
    (folder / "submissions/accepted/again.py").symlink_to("a.py")
    task = read(folder, {})
    assert cases(task)["2"]["input"] == "0"
    assert task.files["submissions/accepted/again.py"] == "print(input())"


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    folder = made(tmp_path / "made", {})
    (folder / "data/secret/again").symlink_to(folder / "data/secret")
    with pytest.raises(InputError, match="folders of at most 20 levels"):
        read_problem(folder)


NOTED: dict[str, tuple[dict[str, str], list[str]]] = {
    "nothing": ({}, []),
    "an unused validator": ({"problem.yaml": "validation: default\n", "output_validators/v.cpp": ""}, ["the output validator is not used: problem.yaml does not say `validation: custom`"]),
    "other languages": (
        {"submissions/accepted/a.cpp": "", "submissions/wrong_answer/b.cpp": "", "submissions/accepted/C/C.java": "", "submissions/accepted/o.py": "#!/usr/bin/python2\nprint(1)", "submissions/accepted/p.py2": ""},
        ["2 of submissions/ left out: not in Python 3 (.cpp)", "1 of submissions/ left out: not in Python 3 (.java)", "1 of submissions/ left out: not in Python 3 (.py2)", "1 of submissions/ left out: not in Python 3 (Python 2, or no Python at all)"],
    ),
    "other folders": ({"submissions/mixed/a.py": "print(1)"}, ["1 of submissions/ left out: mixed/ states no outcome that is known here"]),
    "what may pass": ({"submissions/wrong_answer/a.py": "print(1)", "submissions/submissions.yaml": "wrong_answer/{a,b}.py: {required: [AC, WA]}"}, ["1 of submissions/ left out: submissions.yaml permits them to pass and to fail"]),
    "attachments": ({"attachments/tool.py": ""}, ["attachments/ is not part of the prompt"]),
    "limits": ({"problem.yaml": "limits: {memory: 4096, validation_time: 90}\n"}, ["limits.memory is 4096 MiB; a submission gets 1024", "limits.validation_time is 90 s; a validator gets 60"]),
    "arguments of a sample": ({"data/sample/0.yaml": "args: [x]"}, ["what is shown of sample 0 is its input and answer, without arguments and files"]),
    "samples without points": (SCORING, ["1 of 2 cases give no points and are left out"]),
}  # fmt: skip


@pytest.mark.parametrize("name", NOTED)
def test_what_is_left_out_is_told(name: str, tmp_path: Path) -> None:
    files, notes = NOTED[name]
    assert list(read(tmp_path / "made", files).notes) == notes


KNOWN: dict[str, dict[str, str]] = {
    "all of problem.yaml": {"problem.yaml": "name: {en: A, sv: B}\nuuid: x\nversion: '1'\ncredits: A\nsource: B\nlicense: cc0\nrights_owner: C\nembargo_until: 2030-01-01\nkeywords: [a]\nlanguages: all\nallow_file_writing: true\nproblem_format_version: 2025-09\nlimits: {time_multipliers: {ac_to_time_limit: 2, time_limit_to_tle: 1.5}, time_resolution: 0.5, compilation_time: 9, compilation_memory: 9, validation_memory: 9, validation_output: 9}"},
    "all of the older one": {"problem.yaml": "name: A\nauthor: A\nsource: B\nsource_url: C\nlicense: unknown\nkeywords: a b\ntype: pass-fail\nvalidation: default\ngrading: {show_test_data_groups: true}\nlimits: {time_multiplier: 3, time_safety_margin: 2}"},
    "other files": {"README.md": "", "LICENSE": "", "input_validators/v.ctd": "", "generators/g.py": "", "solution/solution.en.md": "", "include/cpp/a.h": "", "data/invalid_input/1.in": "", "data/README": "", ".gitignore": "", "data/secret/.1.in.swp": ""},
    "notes on cases": {"data/secret/1.hint": "", "data/secret/1.desc": "", "data/secret/1.png": "", "data/sample/0.out": "0", "data/sample/0.in.download": "0", "data/sample/tool.py.download": ""},
    "groups": {"data/testdata.yaml": "on_reject: continue\ngrading: default\ngrader_flags: first_error\nrange: 0 1\ninput_validator_flags: a b\noutput_validator_flags: {name: v, flags: case_sensitive}"},
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_all_of_the_format_that_changes_no_verdict_is_taken(name: str, tmp_path: Path) -> None:
    assert read(tmp_path / "made", KNOWN[name]).notes == ()


def test_samples_are_cases_and_their_names_mean_no_group(tmp_path: Path) -> None:
    files = {"data/secret/0/2.in": "2", "data/secret/0/2.ans": "2", "data/sample/0.ans": "0"}
    rows = cases(read(tmp_path / "made", files))
    assert {id: row.get("group") for id, row in rows.items()} == {"sample:0": None, "0/2": "0", "1": None}
    [suite] = load(read_problem(tmp_path / "made").files).suites
    assert suite.options["groups"] == {"0": 1}


def test_test_data_is_kept_byte_for_byte(tmp_path: Path) -> None:
    folder = made(tmp_path / "made", {})
    (folder / "data/secret/1.in").write_bytes(b"1\r\n\xe2\x80\xa8 2\r3")
    assert cases(read_problem(folder))["1"]["input"] == "1\r\n\u2028 2\r3"


def test_the_reference_is_python_3_and_the_model_where_there_is_one(tmp_path: Path) -> None:
    files = {"submissions/accepted/0.py": "print raw_input()", "submissions/accepted/z.py": "print(1)"}
    assert 'reference = "submissions/accepted/a.py"' in read(tmp_path / "one", files).files["task.toml"]
    files["submissions/submissions.yaml"] = "accepted/z*: {model_solution: true}\naccepted: {authors: me}\n"
    assert 'reference = "submissions/accepted/z.py"' in read(tmp_path / "two", files).files["task.toml"]


def test_programs_of_another_suffix_are_programs(tmp_path: Path) -> None:
    files = {"submissions/accepted/0.py3": "print(0)", "submissions/wrong_answer/0.py3": "print(9)"}
    task = read(tmp_path / "made", files)
    assert task.files["submissions/accepted/0.py3.py"] == "print(0)"
    assert task.files["submissions/wrong/0.py3.py"] == "print(9)"


def test_conversations_are_shown_and_what_the_interactor_reads_is_not(tmp_path: Path) -> None:
    files = {**VALIDATOR, "problem.yaml": "validation: custom interactive\n", "data/sample/0.interaction": "<1\n>2\n"}
    task = read(tmp_path / "made", {**files, "data/sample/more.interaction": "<3\n"})
    assert task.files["prompt.md"].endswith("    <1\n    >2\n\n\nAn example of a conversation:\n\n    <3\n")
    assert not [path for path in task.files if path.startswith("visible/")]


def test_constants_are_put_where_they_stand(tmp_path: Path) -> None:
    files = {
        "problem.yaml": "constants: {most: 9}\nname: A\n",
        "problem_statement/problem.tex": "At most \\constant{most}, {{least}}.",
        "submissions/accepted/a.py": "print({{most}})",
        "data/secret/1.in": "{{most}}",
    }
    task = read(tmp_path / "made", files)
    assert task.files["prompt.md"] == "At most 9, {{least}}."
    assert task.files["submissions/accepted/a.py"] == "print(9)"
    assert cases(task)["1"]["input"] == "{{most}}"


TWO = {
    "data/secret/a/2.in": "", "data/secret/a/2.ans": "", "data/secret/a/3.in": "", "data/secret/a/3.ans": "",
    "data/secret/b/4.in": "", "data/secret/b/4.ans": "", "data/secret/b/c/5.in": "", "data/secret/b/c/5.ans": "",
}  # fmt: skip
COUNT: dict[str, tuple[dict[str, str], dict[str, float], dict[str, float]]] = {
    # files -> what the groups weigh, and the cases that count by themselves
    "pass-fail": ({}, {"a": 2, "b": 1, "b-c": 1}, {"1": 1, "sample:0": 1}),
    "newer": ({**SCORING, "data/secret/a/test_group.yaml": "scoring: {score: 40}"}, {"a": 40, "b": 30}, {"1": 30}),
    "newer, of few points": ({**SCORING, "data/secret/test_group.yaml": "scoring: {score: 9}", "data/secret/b/test_group.yaml": "scoring: {aggregation: sum}"}, {"a": 3, "b-c": 1.5}, {"1": 3, "b/4": 1.5}),
    "newer, all or nothing": ({**SCORING, "data/secret/test_group.yaml": "scoring: {aggregation: pass-fail}"}, {"secret": 100}, {}),
    "newer, the least": ({**SCORING, "data/secret/test_group.yaml": "scoring: {aggregation: min}"}, {"secret": 100}, {}),
    "older, all or nothing": (LEGACY_SCORING, {"data": 6}, {}),
    "older": (
        {**LEGACY_SCORING, "data/testdata.yaml": "grader_flags: ignore_sample\naccept_score: 2", "data/secret/testdata.yaml": "grader_flags: always_accept", "data/secret/a/testdata.yaml": "grader_flags: min\naccept_score: 20", "data/secret/b/testdata.yaml": "grader_flags: avg"},
        {"a": 20, "b": 2}, {"1": 2},
    ),
    "older, with samples": (
        {**LEGACY_SCORING, "data/testdata.yaml": "grader_flags: accept_if_any_accepted", "data/sample/testdata.yaml": "grader_flags: sum\naccept_score: 5", "data/secret/a/testdata.yaml": "grader_flags: first_error"},
        {"sample": 5, "a": 2}, {"1": 1, "b/4": 1, "b/c/5": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNT)
def test_what_groups_and_cases_count(name: str, tmp_path: Path) -> None:
    files, groups, alone = COUNT[name]
    task = read(tmp_path / "made", {**TWO, **files})
    [suite] = load(task.files).suites
    assert suite.options["groups"] == groups
    assert {id: row.get("weight", 1) for id, row in cases(task).items() if "group" not in row} == alone


LIMITS: dict[str, tuple[dict[str, str], dict[str, object]]] = {
    "none": ({}, {"cpu_seconds": 60.0, "memory_mib": 1024, "output_kib": 8192, "times": 5.0}),
    "stated": ({"problem.yaml": "limits: {time_limit: 1.5, memory: 64, output: 1}\n"}, {"cpu_seconds": 1.5, "memory_mib": 64, "output_kib": 1024, "times": None}),
    "a file": ({".timelimit": "3\n"}, {"cpu_seconds": 3.0, "times": None}),
    "generous": ({"problem.yaml": "limits: {time_multiplier: 9}\n"}, {"times": 9.0}),
    "mean": ({"problem.yaml": "limits: {time_multipliers: {ac_to_time_limit: 2}}\n"}, {"times": 5.0}),
}  # fmt: skip


@pytest.mark.parametrize("name", LIMITS)
def test_limits(name: str, tmp_path: Path) -> None:
    files, wanted = LIMITS[name]
    task = load(read(tmp_path / "made", files).files)
    found: dict[str, object] = {key: getattr(task.limits, key) for key in wanted if key != "times"}
    assert found | {"times": task.relative.get("cpu_seconds")} == {"times": None} | wanted


def test_what_a_limit_of_the_format_does_not_do_here_is_told(tmp_path: Path) -> None:
    task = read(tmp_path, {"problem.yaml": "limits: {code: 1}\n"})
    assert "limits.code is 1 KiB; how long a submission is decides nothing" in task.notes
