"""`assay verify` against an in-memory server: it reports every difference, and nothing else."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from graders.suites.verdicts import NO_VERDICT
from graders.tasks.package import PackagedSubmission, PackageError, load
from service.authoring.verify import REFERENCE_RUNS, as_data, as_text, surprises, verify
from service.schemas import CaseOut, Cases, RunOut, SubmissionIn, TaskOut

RIGHT = "def double(x):\n    return 2 * x\n"
FILES = {
    "task.toml": (
        'id = "double"\nreference = "submissions/accepted/reference.py"\n'
        '[[suite]]\nid = "hidden"\nkind = "call"\nfiles = ["hidden/*"]\nentry_point = "double"\n'
    ),
    "prompt.md": "Write `double(x)`.",
    "hidden/cases.jsonl": '{"call": "double(2)", "returns": "4"}\n',
    "submissions/accepted/reference.py": RIGHT,
    "submissions/wrong/same.py": "def double(x):\n    return x\n",
}
SECURITY = {"kind": "finding", "rule": "B602", "criterion": "security"}


def run_out(id: str, outcome: str, **more: Any) -> RunOut:
    fixed = {"run_id": f"run-{id}", "id": id, "task_id": "double", "task_version": "1", "submission_id": f"s-{id}"}
    times = {"tag": "", "state": "done", "attempt": 1, "created_at": datetime(2024, 1, 1, tzinfo=UTC)}
    return RunOut.model_validate({**fixed, **times, "outcome": outcome, **more})


def case_out(case: str, **more: str) -> CaseOut:
    texts = {"given": "double(2)", "wanted": "4", "got": "2\n\x1b[2Jtwo", "note": "", **more}
    fixed = {
        "suite": "hidden",
        "outcome": "failed",
        "weight": 1.0,
        "credit": None,
        "group": "",
        "end": "",
        "seconds": 0.1,
    }
    return CaseOut.model_validate({**fixed, **texts, "case": case, "integrity": "full"})


class FakeEvaluator:
    """A server that lets exactly those programs pass whose text is in `right`; finished in reverse order."""

    def __init__(self, right: Iterable[str] = (RIGHT,), failing_ids: Iterable[str] = ()) -> None:
        self.right = set(right)
        self.failing_ids = set(failing_ids)
        self.requests: list[SubmissionIn] = []
        self.asked: list[str] = []
        """Runs whose cases were asked for."""

    def put_task(self, files: Mapping[str, str]) -> TaskOut:
        task = load(files)
        return TaskOut(
            task_id=task.id, version=task.version, title=task.title, prompt=task.prompt, language=task.language,
            entry_file=task.entry_file, minimum_tier=task.minimum_tier, suites=[], created=True,
        )  # fmt: skip

    def run_many(self, submissions: Iterable[SubmissionIn], *, tag: str) -> Iterator[RunOut]:
        self.requests = list(submissions)
        for request in reversed(self.requests):
            assert request.files is not None
            assert request.tag == tag
            passed = request.files["solution.py"] in self.right and request.id not in self.failing_ids
            cases = Cases(passed=int(passed), failed=int(not passed), total=1)
            yield run_out(request.id, "passed" if passed else "failed", cases=cases)

    def cases(self, run_id: str) -> Iterator[CaseOut]:
        self.asked.append(run_id)
        for number in range(30):
            yield case_out(f"line-{number + 1}")


class FakeProgress:
    def __init__(self) -> None:
        self.steps: list[object] = []

    def start(self, what: str, *, total: int, done: int) -> None:
        self.steps.append((what, total, done))

    def advance(self) -> None:
        self.steps.append("step")


def packaged(kind: str, outcome: str, *findings: str) -> PackagedSubmission:
    return PackagedSubmission(
        name=f"{kind}/x.py", kind=kind, files={"solution.py": ""}, outcome=outcome, findings=findings
    )


def test_package_that_does_what_it_says() -> None:
    server, progress = FakeEvaluator(), FakeProgress()
    report = verify(FILES, server, progress)
    assert report.as_stated
    assert [(row.name, row.expected, row.run.outcome) for row in report.rows] == [
        ("accepted/reference.py", "passed", "passed"),
        ("wrong/same.py", "failed", "failed"),
        ("reference, 1 of 3", "passed", "passed"),
        ("reference, 2 of 3", "passed", "passed"),
        ("reference, 3 of 3", "passed", "passed"),
    ]
    assert progress.steps == [("double", 5, 0), *["step"] * 5]


def test_all_run_against_the_version_that_was_stored() -> None:
    server = FakeEvaluator()
    report = verify(FILES, server, FakeProgress())
    assert {(request.task_id, request.task_version) for request in server.requests} == {("double", report.version)}
    keys = {request.idempotency_key for request in server.requests}
    assert len(keys) == len(server.requests)


def test_verifying_again_runs_everything_again() -> None:
    server = FakeEvaluator()
    verify(FILES, server, FakeProgress())
    before = {request.idempotency_key for request in server.requests}
    verify(FILES, server, FakeProgress())
    assert before.isdisjoint(request.idempotency_key for request in server.requests)


def test_wrong_submission_that_passes_is_said() -> None:
    server = FakeEvaluator(right=[RIGHT, FILES["submissions/wrong/same.py"]])
    report = verify(FILES, server, FakeProgress())
    assert not report.as_stated
    assert {row.name: row.surprises for row in report.rows if row.surprises} == {
        "wrong/same.py": ("expected failed, got passed (1 of 1 cases passed)",)
    }
    text = as_text([report])
    assert "  DIFFERS wrong/same.py" in text
    assert "expected failed, got passed" in text
    assert text.endswith("5 runs, 1 not as stated")
    assert as_data([report])["as_stated"] is False


def test_reference_that_fails_once_in_three_is_said() -> None:
    report = verify(FILES, FakeEvaluator(failing_ids=["reference, 2 of 3"]), FakeProgress())
    assert [row.name for row in report.rows if row.surprises] == ["reference, 2 of 3"]


def test_the_cases_that_failed_are_shown_to_their_author() -> None:
    server = FakeEvaluator(failing_ids=["accepted/reference.py", "reference, 2 of 3"])
    report = verify(FILES, server, FakeProgress())
    assert server.asked == ["run-accepted/reference.py", "run-reference, 2 of 3"], "the others end as stated"
    lines = as_text([report]).split("\n")
    first = lines.index("          case line-1 of suite hidden: failed")
    assert lines[first + 1 : first + 6] == [
        "            input: double(2)",
        "            wanted: 4",
        "            got:",
        "              2",
        "              ⟨ESC⟩[2Jtwo",
    ]
    assert "          as accepted/reference.py: case line-1 of suite hidden: failed" in lines
    assert len([line for line in lines if line.startswith("          case ")]) == 3, "and says that there are more"
    [task] = as_data([report])["tasks"]
    [shown, *_] = task["submissions"]
    assert len(shown["failing_cases"]) == 20
    assert shown["failing_cases"][0]["got"] == "2\n\x1b[2Jtwo"
    assert task["submissions"][1]["failing_cases"] == []


def test_what_the_author_is_to_mend_is_said_though_all_is_as_stated() -> None:
    class Broken(FakeEvaluator):
        def run_many(self, submissions: Iterable[SubmissionIn], *, tag: str) -> Iterator[RunOut]:
            finding = {
                "kind": "finding",
                "rule": "assay/task-checker",
                "criterion": "correctness",
                "message": "mend it",
            }
            for run in super().run_many(submissions, tag=tag):
                yield run.model_copy(update={"findings": [finding]}) if run.outcome == "failed" else run

        def cases(self, run_id: str) -> Iterator[CaseOut]:
            yield case_out("rejected", note="2 is not 4")
            yield case_out("broken", note=f"{NO_VERDICT}: the checker raised ValueError")

    report = verify(FILES, Broken(), FakeProgress())
    assert report.as_stated
    text = as_text([report])
    assert "  ok      wrong/same.py" in text
    assert "          task: mend it\n          case broken of suite hidden: failed\n" in text
    assert "case rejected" not in text
    [task] = as_data([report])["tasks"]
    assert [row["to_mend"] for row in task["submissions"][:2]] == [[], ["mend it"]]


def test_an_ungradable_run_says_its_whole_reason() -> None:
    reason = "suite hidden, case 2: the reference hangs " + "and hangs " * 500 + "to the end"

    class Hanging(FakeEvaluator):
        def run_many(self, submissions: Iterable[SubmissionIn], *, tag: str) -> Iterator[RunOut]:
            for run in super().run_many(submissions, tag=tag):
                yield run_out(run.id, "ungradable", diagnostics={"kind": "task", "message": reason})

    report = verify(FILES, Hanging(), FakeProgress())
    assert not report.reference_passed
    assert as_text([report]).count(reason) == 2, "once with `passed` expected, once with `failed`"


SHARED = 'it passes as plain pytest and fails apart: take isolation = "shared"'


class Disputing(FakeEvaluator):
    """Those that pass elsewhere, or those that fail, are disputed on three tests of two suites."""

    def __init__(self, disputed: str) -> None:
        super().__init__()
        self.disputed = disputed

    def run_many(self, submissions: Iterable[SubmissionIn], *, tag: str) -> Iterator[RunOut]:
        for run in super().run_many(submissions, tag=tag):
            cases = Cases(passed=1, failed=0, disputed=3, total=4)
            yield run_out(run.id, "disputed", cases=cases) if run.outcome == self.disputed else run

    def cases(self, run_id: str) -> Iterator[CaseOut]:
        for suite, case in (("unit", "test_a"), ("unit", "test_b"), ("more", "test_c")):
            found = case_out(case, note=SHARED)
            yield found.model_copy(update={"suite": suite, "outcome": "disputed"})


def test_an_accepted_program_that_is_disputed_is_not_as_stated_and_says_which_option_to_take() -> None:
    report = verify(FILES, Disputing("passed"), FakeProgress())
    assert not report.as_stated and not report.reference_passed
    [row] = [row for row in report.rows if row.name == "accepted/reference.py"]
    assert row.surprises == ("expected passed, got disputed (3 of 4 cases disputed)",)
    assert row.disputed == (
        f"suite unit: test_a and 1 more are disputed: {SHARED}",
        f"suite more: test_c is disputed: {SHARED}",
    )
    text = as_text([report])
    assert "  DIFFERS accepted/reference.py  disputed" in text
    assert f"          disputed: suite unit: test_a and 1 more are disputed: {SHARED}\n" in text
    assert "          case test_a of suite unit: disputed\n" in text
    assert text.endswith("5 runs, 4 not as stated")


def test_a_wrong_program_that_is_disputed_is_a_warning() -> None:
    report = verify(FILES, Disputing("failed"), FakeProgress())
    assert report.as_stated
    text = as_text([report])
    assert "  warning wrong/same.py" in text
    assert "          warning: disputed, not failed: a reviewer has to decide it\n" in text
    assert f"          disputed: suite more: test_c is disputed: {SHARED}\n" in text
    assert text.endswith("5 runs, all as stated, 1 disputed and not failed")
    [task] = as_data([report])["tasks"]
    wrong = task["submissions"][1]
    assert (wrong["outcome"], wrong["surprises"], len(wrong["warnings"]), len(wrong["disputed"])) == (
        "disputed", [], 1, 2,
    )  # fmt: skip
    assert [row["warnings"] for row in task["submissions"]].count([]) == 4


def test_the_first_sentence_of_a_task_that_is_unusable_is_never_cut_off() -> None:
    first = 'suite unit: take isolation = "shared", because ' + "the reference fails apart and passes together " * 200
    reason = first + "\n" + "a line of its output\n" * 500

    class Unusable(FakeEvaluator):
        def run_many(self, submissions: Iterable[SubmissionIn], *, tag: str) -> Iterator[RunOut]:
            for run in super().run_many(submissions, tag=tag):
                yield run_out(run.id, "ungradable", diagnostics={"kind": "task", "message": reason})

    report = verify(FILES, Unusable(), FakeProgress())
    lines = as_text([report]).split("\n")
    assert f"          expected passed, got ungradable ({first}".rstrip() in lines
    assert all(first in row["surprises"][0] for row in as_data([report])["tasks"][0]["submissions"])


def test_reference_outside_the_submissions_is_run() -> None:
    files = {**FILES, "solution/reference.py": RIGHT}
    files["task.toml"] = files["task.toml"].replace("submissions/accepted", "solution")
    del files["submissions/accepted/reference.py"]
    names = [row.name for row in verify(files, FakeEvaluator(), FakeProgress()).rows]
    assert len([name for name in names if name.startswith("reference")]) == REFERENCE_RUNS


def test_table_of_a_package_as_stated() -> None:
    text = as_text([verify(FILES, FakeEvaluator(), FakeProgress())])
    assert "DIFFERS" not in text
    assert "  ok      accepted/reference.py  passed      1/1" in text.splitlines()
    assert text.endswith("5 runs, all as stated")


def test_package_that_does_not_load_is_not_sent() -> None:
    server = FakeEvaluator()
    with pytest.raises(PackageError):
        verify({"task.toml": "id = 1"}, server, FakeProgress())
    assert server.requests == []


def test_ungradable_is_neither_passed_nor_failed() -> None:
    run = run_out("x", "ungradable", diagnostics={"message": "the reference fails \x1b[31mcase 3"})
    for outcome in ("passed", "failed"):
        [surprise] = surprises(packaged("wrong", outcome), run)
        assert surprise.startswith(f"expected {outcome}, got ungradable (the reference fails ")
        assert "\x1b" not in surprise


def test_missing_finding_is_said_with_those_that_came() -> None:
    run = run_out("x", "passed", findings=[SECURITY, {**SECURITY, "rule": "B301"}])
    assert surprises(packaged("insecure", "passed", "B602"), run) == ()
    assert surprises(packaged("insecure", "passed", "B999"), run) == ("expected the finding B999, got B301, B602",)


@pytest.mark.parametrize(
    "findings",
    [
        [],
        [{**SECURITY, "criterion": "best_practices"}],
        [{"kind": "measurement", "name": "lines", "criterion": "security", "value": 3.0}],
    ],
    ids=["nothing", "of another criterion", "a measurement"],
)
def test_insecure_submission_needs_a_security_finding(findings: list[dict[str, Any]]) -> None:
    run = run_out("x", "passed", findings=findings)
    assert surprises(packaged("insecure", "passed"), run) == ("expected a security finding, got none",)
    assert surprises(packaged("accepted", "passed"), run) == ()


def test_relative_limits_are_shown_with_what_they_came_to() -> None:
    class Measuring(FakeEvaluator):
        def run_many(self, submissions: Iterable[SubmissionIn], *, tag: str) -> Iterator[RunOut]:
            note = "suite hidden: 10 times the reference's 0.300 s, and at least 2 s"
            limit = {"kind": "measurement", "name": "cpu-limit", "value": 3.0, "unit": "s", "note": note}
            for run in super().run_many(submissions, tag=tag):
                yield run.model_copy(
                    update={"findings": [limit, {"kind": "measurement", "name": "wall-limit", "value": 1}]}
                )

    files = {**FILES, "task.toml": FILES["task.toml"] + '[limits]\ncpu_seconds = "10x"\nwall_seconds = 9\n'}
    report = verify(files, Measuring(), FakeProgress())
    resolved = "cpu-limit 3 s: suite hidden: 10 times the reference's 0.300 s, and at least 2 s"
    assert report.resolved == (resolved,)
    text = as_text([report])
    assert "  limits: wall_seconds 9, cpu_seconds 10x, memory_mib 512" in text
    assert f"  {resolved}\n" in text
    [task] = as_data([report])["tasks"]
    assert (task["limits"]["cpu_seconds"], task["limits"]["wall_seconds"]) == ("10x", 9)
    assert task["resolved_limits"] == [resolved]
