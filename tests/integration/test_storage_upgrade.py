"""A database of an older version, with runs in it, is brought to the newest schema: nothing is lost, and lists are quick."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

import service.storage
from rubrics import signals
from rubrics.prefill import share_passed
from rubrics.records import prefill_to_json
from rubrics.signals import Abstention, CaseOutcome, Finding, Measurement, Outcome, Severity, UntrustedText
from service.jobs.table import TableJobs
from service.storage.database import Database
from service.storage.interface import RunId, RunOutcome, RunResult
from service.storage.storage import Storage
from service.storage.tables import pack
from tests.integration.stored import FLAG, START, case, findings, task

BANDIT = Finding(
    grader="assay/security", criterion="security", rule="B101", message=UntrustedText("assert used"),
    severity=Severity.LOW, confidence=Severity.HIGH, path="solution.py", line=2,
)  # fmt: skip
BOX = replace(
    BANDIT, grader="assay/hidden-tests", rule="assay/box-write", message=UntrustedText("/x/481516"), flag=True
)
LINES = Measurement(grader="assay/complexity", criterion="best_practices", name="lines", value=7, unit="lines")
CPU = Measurement(grader="assay/hidden-tests", criterion="efficiency", name="cpu-time", value=0.5, unit="s")
LOOKED_AWAY = Abstention(grader="assay/security", criterion="security", reason="too large", path="a.py")
CASES = tuple(
    replace(case(f"t[{id}]", outcome, given=f"f({id})", got="\ud800"), credit=credit, weight=weight, group=group)
    for id, outcome, credit, weight, group in (
        ("10", Outcome.FAILED, 0.25, 1.0, ""),
        ("2", Outcome.PASSED, None, 2.0, ""),
        ("1", Outcome.PASSED, None, 1.0, "g"),
        ("3", Outcome.ERROR, None, 1.0, "g"),
    )
)
NUMBERS = {"t[1]": 1, "t[2]": 2, "t[3]": 3, "t[10]": 4}
OLD = replace(
    findings(),
    signals=(CASES[0], BANDIT, *CASES[1:], BOX, LINES, CPU, LOOKED_AWAY, FLAG),
    prefills=(replace(findings().prefills[0], because=(CASES[0], CASES[3], BOX, BANDIT)),),
)


@pytest.fixture
def old(tmp_path: Path) -> Iterator[str]:
    """Address of a database at revision 0002 with a finished run of `ann`, one of nobody known, an ungradable one and one that waits."""
    url = f"sqlite:///{tmp_path / 'old.sqlite3'}"
    database = Database(url)
    config = Config()
    config.set_main_option("script_location", str(Path(service.storage.__file__).with_name("migrations")))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        time = START.replace(tzinfo=None)
        insert(connection, "tasks", sequence=1, id=task().id, version="v1", title="t", files=pack({}), created_at=time)
        for number, run in enumerate(("run-ann", "run-unknown", "run-ungradable", "run-waiting"), start=1):
            insert(
                connection, "submissions", id=f"sub-{number}", task_id=task().id, task_version="v1",
                files=pack({"solution.py": "x"}), model="", group_id="", client_id=str(number), tag="b", created_at=time,
                minimum_tier="jail",
            )  # fmt: skip
            done = run != "run-waiting"
            state = "done" if done else "queued"
            insert(connection, "runs", id=run, submission_id=f"sub-{number}", state=state, attempt=1, created_at=time)
            if done:
                insert(connection, "findings", **row(run, number, ungradable() if run == "run-ungradable" else OLD))
        for run in ("run-ann", "run-waiting"):
            insert(connection, "idempotency_keys", key=json.dumps(["ann", run]), fingerprint="f", run_id=run)
        insert(connection, "jobs", sequence=1, run_id="run-waiting", attempts=0)
    database.close()
    return url


def ungradable() -> RunResult:
    return replace(
        findings(RunOutcome.UNGRADABLE),
        signals=(),
        prefills=(),
        diagnostics={"kind": "task", "message": "hidden 481516"},
    )


def old_json(signal: signals.Signal) -> dict[str, Any]:
    """As it was written then."""
    later = ("public", "times", "number")
    return {name: value for name, value in signals.to_json(signal).items() if name not in later}


def row(run: str, sequence: int, result: RunResult) -> dict[str, Any]:
    prefills = [
        {**prefill_to_json(prefill), "because": [old_json(signal) for signal in prefill.because]}
        for prefill in result.prefills
    ]
    cases = [signal for signal in result.signals if isinstance(signal, CaseOutcome)]
    return {
        "run_id": run,
        "sequence": sequence,
        "tag": "b",
        "outcome": result.outcome.value,
        "cases_passed": sum(each.outcome is Outcome.PASSED for each in cases),
        "cases_total": len(cases),
        "flags": 1,
        "position": sequence,
        "signals": pack([old_json(signal) for signal in result.signals]),
        "prefills": pack(prefills),
        "diagnostics": pack(dict(result.diagnostics)),
        "rubric_id": result.rubric_id,
        "rubric_version": result.rubric_version,
        "grader_versions": json.dumps(dict(result.grader_versions)),
        "sandbox": result.sandbox,
        "ends": json.dumps(dict(result.ends)),
        "finished_at": START.replace(tzinfo=None),
    }


def insert(connection: Any, table: str, **values: Any) -> None:
    names = ", ".join(values)
    places = ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({places})"), values)


def test_a_finished_run_keeps_all_that_was_found(old: str) -> None:
    storage = Storage.open(old)
    numbered = {each.case: replace(each, number=NUMBERS[each.case]) for each in CASES}
    run = storage.runs.get(RunId("run-ann"))
    assert run.findings is not None
    assert run.findings.signals[:4] == storage.runs.cases(RunId("run-ann")) == tuple(numbered.values())
    read = replace(BANDIT, public=True), BOX, replace(LINES, public=True), CPU, replace(LOOKED_AWAY, public=True)
    assert run.findings.signals[4:] == (*read, replace(FLAG, public=True))
    (prefill,) = run.findings.prefills
    assert prefill.because == (numbered["t[10]"], numbered["t[3]"], BOX, replace(BANDIT, public=True))
    assert run.submission.submitter == "ann"
    storage.close()


def test_a_list_has_counts_and_no_text_of_a_case(old: str) -> None:
    storage = Storage.open(old)
    runs, _ = storage.runs.finished(tag="b")
    assert [run.id for run in runs] == ["run-ann", "run-unknown", "run-ungradable"]
    assert [run.submitter for run in runs] == ["ann", "", ""]
    ann = runs[0]
    assert ann.tally is not None and ann.findings is not None
    assert (ann.tally.passed, ann.tally.total, ann.tally.share) == (2, 4, share_passed(CASES))
    assert not [signal for signal in ann.findings.signals if isinstance(signal, CaseOutcome)]
    cited = ann.findings.prefills[0].because[0]
    assert isinstance(cited, CaseOutcome)
    assert (cited.number, cited.outcome, cited.given, cited.got) == (4, Outcome.FAILED, "", "")
    assert runs[2].findings is not None and runs[2].findings.diagnostics["message"] == "hidden 481516"
    assert runs[2].tally is not None and runs[2].tally.share is None
    storage.close()


def test_people_see_their_runs_of_before_where_it_is_known_whose_they_are(old: str) -> None:
    storage = Storage.open(old)
    assert [run.id for run in storage.runs.finished(tag=None, submitter="ann")[0]] == ["run-ann"]
    assert storage.runs.finished(tag=None, submitter="")[0] == []
    assert storage.runs.summary(RunId("run-waiting")).submitter == "ann"
    storage.close()


def test_jobs_of_before_are_served_in_turn_with_those_of_now(old: str) -> None:
    storage = Storage.open(old)
    with storage.database.reading() as connection:
        assert connection.execute(text("SELECT run_id, submitter FROM jobs")).all() == [("run-waiting", "ann")]
    lease = TableJobs(storage.database).lease("w", START)
    assert lease is not None and lease.run_id == "run-waiting"
    storage.close()


def test_share_is_what_it_was(tmp_path: Path) -> None:
    """The step has its own copy of the rule: what it computes must be what is computed now for the same cases."""
    from service.storage.migrations.versions import cases_apart_0003

    for outcomes in ([], CASES, CASES[1:3], CASES[:1], [replace(each, weight=0.0) for each in CASES]):
        assert cases_apart_0003._share([signals.to_json(each) for each in outcomes]) == share_passed(list(outcomes))
