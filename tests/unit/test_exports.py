"""Exports on a real SQLite storage: only what humans decided, and in the shape that trainers read."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from datasets import Dataset, List, Value

from graders.interface import Submission, SubmissionId, TaskId
from rubrics.model import Decision
from rubrics.prefill import prefill
from rubrics.review import decide
from rubrics.signals import CaseOutcome, Outcome, UntrustedText
from service import exports
from service.exports import UnknownFormatError, export, response_text
from service.jobs.table import TableJobs
from service.rubric_files import builtin_rubrics
from service.storage.database import Database
from service.storage.interface import (
    ReviewerId,
    ReviewRecord,
    RunId,
    RunOutcome,
    RunRecord,
    RunResult,
    SubmissionRecord,
    TaskRecord,
)
from service.storage.runs import SqlRuns
from tests.databases import storage_in

NOW = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
RUBRIC = builtin_rubrics()["default"]
TASK = TaskRecord(
    id=TaskId("median"), version="v1", title="Median", files={"prompt.md": "Write median(xs).\n"}, created_at=NOW
)


class Desk:
    """A storage, and the steps that bring a response to its review."""

    def __init__(self, path: Path) -> None:
        self.storage = storage_in(path)
        self.storage.tasks.add(TASK)
        self._jobs = TableJobs(self.storage.database)

    def run(
        self,
        name: str,
        *,
        files: dict[str, str] | None = None,
        group: str = "g",
        outcome: RunOutcome = RunOutcome.PASSED,
    ) -> RunId:
        submission = Submission(
            id=SubmissionId(name), task_id=TASK.id, files=files or {"solution.py": f"{name} = 1\n"}, group_id=group,
            model="some-model",
        )  # fmt: skip
        record = SubmissionRecord(
            submission=submission, task_version=TASK.version, client_id=f"client-{name}", tag="", created_at=NOW
        )
        (run_id,) = self.storage.runs.accept([record], [""], [name])
        lease = self._jobs.lease("worker", NOW)
        assert lease is not None
        assert lease.run_id == run_id
        self.storage.runs.start(run_id, lease.attempt)
        signals = () if outcome is RunOutcome.UNGRADABLE else (case(Outcome.PASSED), case(Outcome.FAILED))
        findings = RunResult(
            outcome=outcome, signals=signals, prefills=prefill(RUBRIC, signals), rubric_id=RUBRIC.id,
            rubric_version=RUBRIC.version, grader_versions={"assay/hidden-tests": "1"}, sandbox="fake", ends={},
            diagnostics={},
        )  # fmt: skip
        assert self.storage.runs.finish(run_id, lease.attempt, findings, NOW)
        return run_id

    def review(self, run_id: RunId, *levels: int, reviewer: str = "ann", harm: bool = False) -> ReviewRecord:
        ids = [criterion.id for criterion in RUBRIC.criteria]
        decisions = [Decision(criterion=id, level=level) for id, level in zip(ids, levels, strict=True)]
        findings = self.storage.runs.get(run_id).findings
        assert findings is not None
        review = decide(RUBRIC, findings.prefills, decisions, harm=harm)
        with self.storage.reviews.work_on(run_id, ReviewerId(reviewer), NOW) as work:
            return work.complete(review)

    def withdraw(self, run_id: RunId, reviewer: str = "ann") -> None:
        with self.storage.reviews.work_on(run_id, ReviewerId(reviewer), NOW) as work:
            work.withdraw()

    def rows(self, format: str) -> list[dict[str, object]]:
        return list(export(self.storage, format))


def case(outcome: Outcome) -> CaseOutcome:
    return CaseOutcome(
        grader="assay/hidden-tests", criterion="correctness", suite="hidden", case=outcome, outcome=outcome,
        given=UntrustedText("median([41])"), wanted=UntrustedText("the-hidden-answer"),
    )  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.storage.close()


def test_a_preference_row(desk: Desk) -> None:
    good, bad = desk.run("good"), desk.run("bad")
    rejected, chosen = desk.review(bad, 1, 1, 1, 1, reviewer="bob"), desk.review(good, 4, 4, 4, 4)
    (row,) = desk.rows("preference")
    provenance = row.pop("provenance")
    assert row == {
        "prompt": [{"role": "user", "content": "Write median(xs).\n"}],
        "chosen": [{"role": "assistant", "content": "```python\ngood = 1\n```"}],
        "rejected": [{"role": "assistant", "content": "```python\nbad = 1\n```"}],
        "margin": 0.75,
    }
    assert isinstance(provenance, dict)
    assert len(provenance.pop("export_id")) == 16
    assert provenance == {
        "task_id": "median", "task_version": "v1", "group_id": "g",
        "rubric_id": "default", "rubric_version": RUBRIC.version,
        "chosen": {
            "run_id": good, "submission_id": "good", "client_id": "client-good",
            "review_ids": [chosen.id], "reviewers": ["ann"], "total": 1.0,
        },
        "rejected": {
            "run_id": bad, "submission_id": "bad", "client_id": "client-bad",
            "review_ids": [rejected.id], "reviewers": ["bob"], "total": 0.25,
        },
    }  # fmt: skip


@pytest.mark.parametrize("format", ["preference", "kto", "jsonl"])
def test_a_suggestion_alone_is_never_exported(desk: Desk, format: str) -> None:
    desk.run("good")
    desk.run("bad", outcome=RunOutcome.FAILED)
    assert desk.rows(format) == []


@pytest.mark.parametrize("format", ["preference", "kto", "jsonl"])
def test_an_ungradable_run_is_never_exported_even_when_somebody_reviewed_it(desk: Desk, format: str) -> None:
    desk.review(desk.run("ours", outcome=RunOutcome.UNGRADABLE), 4, 4, 4, 4)
    assert desk.rows(format) == []
    desk.review(desk.run("bad"), 1, 1, 1, 1)
    assert all("ours" not in json.dumps(row) for row in desk.rows(format))


@pytest.mark.parametrize("format", ["preference", "kto", "jsonl"])
def test_a_withdrawn_review_is_not_exported(desk: Desk, format: str) -> None:
    good, bad = desk.run("good"), desk.run("bad")
    desk.review(good, 4, 4, 4, 4)
    desk.review(bad, 1, 1, 1, 1)
    before = desk.rows(format)
    desk.withdraw(good)
    assert len(desk.rows(format)) == len(before) - 1


def test_only_responses_of_one_group_are_paired(desk: Desk) -> None:
    desk.review(desk.run("a", group="g"), 4, 4, 4, 4)
    desk.review(desk.run("b", group="h"), 1, 1, 1, 1)
    desk.review(desk.run("c", group=""), 1, 1, 1, 1)
    desk.review(desk.run("d", group=""), 3, 3, 3, 3)
    assert desk.rows("preference") == []


def test_several_reviewers_count_by_their_mean_until_they_disagree(desk: Desk) -> None:
    good, bad = desk.run("good"), desk.run("bad")
    first = desk.review(good, 4, 4, 4, 4, reviewer="ann")
    second = desk.review(good, 3, 3, 3, 3, reviewer="bob")
    desk.review(bad, 1, 1, 1, 1)
    (row,) = desk.rows("preference")
    assert row["margin"] == 0.875 - 0.25
    assert row["provenance"]["chosen"]["review_ids"] == [first.id, second.id]  # type: ignore[index]

    desk.review(good, 4, 2, 4, 4, reviewer="eve")
    assert desk.rows("preference") == []
    assert [row["label"] for row in desk.rows("kto")] == [False]
    held_back = {(row["provenance"]["run_id"], row["held_back"]) for row in desk.rows("jsonl")}  # type: ignore[index]
    assert held_back == {(good, True), (bad, False)}


def test_kto_labels_the_good_and_the_bad_and_leaves_the_middle_out(desk: Desk) -> None:
    for name, levels in {"good": (4, 3, 3, 3), "middle": (4, 2, 2, 2), "bad": (1, 2, 2, 2)}.items():
        desk.review(desk.run(name, group=""), *levels)
    assert [(row["completion"][0]["content"], row["label"]) for row in desk.rows("kto")] == [  # type: ignore[index]
        ("```python\ngood = 1\n```", True),
        ("```python\nbad = 1\n```", False),
    ]


def test_harm_is_undesirable_and_never_chosen(desk: Desk) -> None:
    desk.review(desk.run("harmful"), 4, 4, 4, 4, harm=True)
    desk.review(desk.run("bad"), 1, 1, 1, 1)
    assert desk.rows("preference") == []
    assert [row["label"] for row in desk.rows("kto")] == [False, False]


def test_jsonl_keeps_suggestion_and_decision_apart(desk: Desk) -> None:
    record = desk.review(desk.run("good", files={"b.py": "b\n", "a.txt": "a"}), 2, 4, 4, 4)
    (row,) = desk.rows("jsonl")
    decisions, suggestions = row["decisions"], row["suggestions"]
    assert isinstance(decisions, list)
    assert isinstance(suggestions, list)
    assert [(entry["criterion"], entry["level"], entry["verdict"]) for entry in decisions] == [
        ("correctness", 2, "confirmed"), ("efficiency", 4, "unaided"), ("security", 4, "unaided"),
        ("best_practices", 4, "unaided"),
    ]  # fmt: skip
    assert not any("suggested" in entry for entry in decisions)
    assert [(entry["criterion"], entry["level"]) for entry in suggestions] == [
        ("correctness", 2), ("efficiency", None), ("security", None), ("best_practices", None),
    ]  # fmt: skip
    assert row["files"] == [{"path": "a.txt", "text": "a"}, {"path": "b.py", "text": "b\n"}]
    assert row["total"] == 0.8
    provenance = row["provenance"]
    assert isinstance(provenance, dict)
    assert (provenance["review_id"], provenance["reviewer"]) == (record.id, "ann")
    assert provenance["graders"] == [{"id": "assay/hidden-tests", "version": "1"}]
    assert provenance["reviewed_at"] == "2025-01-02T03:04:05+00:00"


@pytest.mark.parametrize("format", ["preference", "kto", "jsonl"])
def test_hidden_cases_never_get_into_training_data(desk: Desk, format: str) -> None:
    desk.review(desk.run("good"), 4, 4, 4, 4)
    desk.review(desk.run("bad"), 1, 1, 1, 1)
    text = json.dumps(desk.rows(format))
    assert "good = 1" in text
    assert "the-hidden-answer" not in text
    assert "median([41])" not in text


class CountedRuns(SqlRuns):
    """The real runs, which note how many were read at once."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.batches: list[int] = []

    def without_cases(self, ids: Collection[RunId]) -> Mapping[RunId, RunRecord]:
        self.batches.append(len(ids))
        return super().without_cases(ids)


@pytest.mark.parametrize("format", ["preference", "kto", "jsonl"])
def test_an_export_reads_as_much_as_its_reader_has_taken(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    monkeypatch.setattr(exports, "RUNS_AT_ONCE", 2)
    for number in range(3):
        for level in (4, 1):
            desk.review(desk.run(f"run-{number}-{level}", group=f"g{number}"), level, level, level, level)
    whole = desk.rows(format)
    runs = CountedRuns(desk.storage.database)
    rows = export(replace(desk.storage, runs=runs), format)
    assert next(rows) == whole[0]
    assert runs.batches == [2]
    desk.withdraw(desk.storage.reviews.keys()[-1].run_id)
    assert list(rows) == whole[1:], "the reviews that stood at the first row"
    assert runs.batches == [2, 2, 2]


def test_a_group_is_compared_whole_whatever_a_batch_holds(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for level in (4, 3, 2, 1, 0):
        desk.review(desk.run(f"run-{level}"), level, level, level, level)
    whole = desk.rows("preference")
    monkeypatch.setattr(exports, "RUNS_AT_ONCE", 2)
    assert desk.rows("preference") == whole
    assert len(whole) > 5


def test_the_export_id_names_the_reviews_it_was_made_of(desk: Desk) -> None:
    def export_id() -> str:
        provenance = desk.rows("jsonl")[0]["provenance"]
        assert isinstance(provenance, dict)
        return str(provenance["export_id"])

    good, bad = desk.run("good"), desk.run("bad")
    desk.review(good, 4, 4, 4, 4)
    first = export_id()
    assert export_id() == first
    desk.review(bad, 1, 1, 1, 1)
    assert export_id() != first
    desk.withdraw(bad)
    assert export_id() == first


def test_an_unknown_format_is_refused_before_the_first_row(desk: Desk) -> None:
    with pytest.raises(UnknownFormatError, match="one of preference, kto, jsonl, not 'csv'"):
        export(desk.storage, "csv")


def test_the_text_of_one_file_is_a_fenced_block() -> None:
    assert response_text({"solution.py": "x = 1"}) == "```python\nx = 1\n```"


def test_the_text_of_several_files_is_a_block_for_each_by_path() -> None:
    text = response_text({"pkg/b.py": "b\n", "a.md": "a\n"})
    assert text == "File: a.md\n```\na\n```\n\nFile: pkg/b.py\n```python\nb\n```"


def test_a_fence_is_longer_than_any_run_of_backticks_in_the_text() -> None:
    code = 'doc = """\n````\nnot the end\n````\n"""\n'
    assert response_text({"a.py": code}) == f"`````python\n{code}`````"


def write(rows: list[dict[str, object]], path: Path) -> Dataset:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return Dataset.from_json(str(path), cache_dir=str(path.parent / "cache"))


MESSAGES = List({"role": Value("string"), "content": Value("string")})
"""What TRL's `is_conversational` takes for a conversation: a list of messages with role and content."""


def test_preference_rows_load_with_datasets_as_trl_reads_them(desk: Desk, tmp_path: Path) -> None:
    desk.review(desk.run("good"), 4, 4, 4, 4)
    desk.review(desk.run("fair"), 3, 3, 3, 3)
    desk.review(desk.run("bad"), 1, 1, 1, 1)
    rows = desk.rows("preference")
    loaded = write(rows, tmp_path / "preference.jsonl")
    features = {name: loaded.features[name] for name in ("prompt", "chosen", "rejected", "margin")}
    assert features == {"prompt": MESSAGES, "chosen": MESSAGES, "rejected": MESSAGES, "margin": Value("float64")}
    assert loaded.to_list() == rows


def test_kto_rows_load_with_datasets_as_trl_reads_them(desk: Desk, tmp_path: Path) -> None:
    desk.review(desk.run("good"), 4, 4, 4, 4)
    desk.review(desk.run("bad"), 1, 1, 1, 1)
    rows = desk.rows("kto")
    loaded = write(rows, tmp_path / "kto.jsonl")
    features = {name: loaded.features[name] for name in ("prompt", "completion", "label")}
    assert features == {"prompt": MESSAGES, "completion": MESSAGES, "label": Value("bool")}
    assert loaded.to_list() == rows


def test_jsonl_rows_load_with_datasets_too(desk: Desk, tmp_path: Path) -> None:
    desk.review(desk.run("good"), 4, 4, 4, 4)
    desk.review(desk.run("other", files={"x.py": "x", "y.py": "y"}), 1, 1, 1, 1, harm=True)
    loaded = write(desk.rows("jsonl"), tmp_path / "all.jsonl")
    assert loaded["harm"][:] == [False, True]
