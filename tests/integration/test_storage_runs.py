"""Tasks, submissions, runs and their findings in the storage."""

import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from graders.interface import TaskId
from service.jobs.table import TableJobs
from service.storage.interface import (
    KeyConflictError,
    NoRoomError,
    NotFoundError,
    RunId,
    RunState,
    StorageError,
    Tally,
)
from service.storage.storage import Storage
from service.storage.tables import cases, submissions
from tests.integration.stored import FAILED_CASE, FLAG, START, Clock, accept, findings, finish_next, record, task


def test_the_newest_version_of_a_task_is_the_one_added_last(storage: Storage) -> None:
    assert [storage.tasks.add(task(version)) for version in ("v2", "v1", "v2")] == [True, True, False]
    assert storage.tasks.get(TaskId("numbers/double")) == task("v1")
    assert storage.tasks.get(TaskId("numbers/double"), "v2") == task("v2")
    assert storage.tasks.newest_version(TaskId("numbers/double")) == "v1"


def test_tasks_come_in_pages_by_id_the_newest_version_of_each(storage: Storage) -> None:
    for id in ("c", "a", "b"):
        storage.tasks.add(task("v1", id))
    storage.tasks.add(task("v2", "a"))
    first = storage.tasks.page(limit=2)
    assert [(each.id, each.version) for each in first] == [("a", "v2"), ("b", "v1")]
    assert [each.id for each in storage.tasks.page(after="b")] == ["c"]


@pytest.mark.parametrize("version", [None, "v9"])
def test_an_unknown_task_is_not_found(storage: Storage, version: str | None) -> None:
    if version:
        storage.tasks.add(task())
    with pytest.raises(NotFoundError, match="numbers/double"):
        storage.tasks.get(TaskId("numbers/double"), version)


def test_an_accepted_submission_comes_back_as_it_was(storage: Storage) -> None:
    storage.tasks.add(task())
    given = record(7, tag="batch", model="m", group_id="g")
    (id,) = storage.runs.accept([given], [""], [""])
    run = storage.runs.get(id)
    assert (run.submission, run.state, run.attempt, run.findings) == (given, RunState.QUEUED, 0, None)


def test_nothing_is_accepted_where_one_record_cannot_be_stored(storage: Storage, jobs: TableJobs) -> None:
    storage.tasks.add(task())
    with pytest.raises(StorageError):
        storage.runs.accept([record(1), record(1)], ["", ""], ["", ""])  # the same id twice
    assert storage.runs.counts()[RunState.QUEUED] == 0
    assert jobs.lease("w", START) is None


def test_the_same_key_and_content_give_the_same_run(storage: Storage, jobs: TableJobs) -> None:
    storage.tasks.add(task())
    (first,) = storage.runs.accept([record(1)], ["key"], ["print"])
    again = storage.runs.accept([record(2), record(3), record(4)], ["key", "new", "new"], ["print", "p", "p"])
    assert again[0] == first
    assert again[1] == again[2] != first
    assert jobs.depth(START) == 2


def test_a_key_with_other_content_is_a_conflict_that_names_the_record(storage: Storage) -> None:
    storage.tasks.add(task())
    storage.runs.accept([record(1)], ["key"], ["print"])
    with pytest.raises(KeyConflictError) as caught:
        storage.runs.accept(
            [record(2), record(3), record(4), record(5)], ["", "key", "x", "x"], ["", "other", "1", "2"]
        )
    assert caught.value.positions == (1, 3)
    assert storage.runs.counts()[RunState.QUEUED] == 1


def test_a_finished_run_keeps_its_findings(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    (id,) = accept(storage, 1)
    assert finish_next(storage, jobs, clock.advance(seconds=3)) == id
    run = storage.runs.get(id)
    assert (run.state, run.attempt, run.findings, run.finished_at) == (RunState.DONE, 1, findings(), clock.now)
    assert storage.runs.counts() == {RunState.QUEUED: 0, RunState.RUNNING: 0, RunState.DONE: 1}
    assert storage.runs.done([id, RunId("other")]) == {id}


def test_times_come_back_in_utc_whatever_zone_they_had(storage: Storage, jobs: TableJobs) -> None:
    (id,) = accept(storage, 1)
    finish_next(storage, jobs, START.astimezone(timezone(timedelta(hours=-7))))
    finished_at = storage.runs.get(id).finished_at
    assert finished_at == START
    assert finished_at is not None and finished_at.utcoffset() == timedelta(0)


def test_a_late_start_does_not_take_the_attempt_down_again(storage: Storage, jobs: TableJobs) -> None:
    (id,) = accept(storage, 1)
    storage.runs.start(id, 2)
    storage.runs.start(id, 1)
    assert (storage.runs.get(id).attempt, storage.runs.get(id).state) == (2, RunState.RUNNING)


def test_a_run_never_starts_again_after_its_end(storage: Storage, jobs: TableJobs) -> None:
    (id,) = accept(storage, 1)
    finish_next(storage, jobs, START)
    storage.runs.start(id, 9)
    assert storage.runs.get(id).state is RunState.DONE


def test_finished_runs_are_listed_by_tag_in_the_order_of_their_end(storage: Storage, jobs: TableJobs) -> None:
    storage.tasks.add(task())
    storage.runs.accept([record(n, tag="even" if n % 2 == 0 else "odd") for n in range(6)], [""] * 6, [""] * 6)
    order = [finish_next(storage, jobs, START) for _ in range(6)]
    even, cursor = storage.runs.finished(tag="even", limit=2)
    rest, last = storage.runs.finished(tag="even", after=cursor)
    assert [run.id for run in [*even, *rest]] == order[::2]
    assert storage.runs.finished(tag="even", after=last) == ([], last)
    assert [run.id for run in storage.runs.finished(tag=None)[0]] == order


def test_a_poller_misses_and_repeats_nothing_while_many_finish(storage: Storage, jobs: TableJobs) -> None:
    ids = accept(storage, 120)

    def work(name: str) -> None:
        while (lease := jobs.lease(name, START)) is not None:
            assert storage.runs.finish(lease.run_id, lease.attempt, findings(), START)

    seen: list[str] = []
    cursor = ""
    with ThreadPoolExecutor(6) as threads:
        workers = [threads.submit(work, name) for name in "abcdef"]
        while len(seen) < len(ids):
            over = all(worker.done() for worker in workers)
            page, cursor = storage.runs.finished(tag=None, after=cursor, limit=7)
            seen += [run.id for run in page]
            if over and not page:
                break
        for worker in workers:
            worker.result()
    assert len(seen) == len(set(seen))
    assert set(seen) == set(ids)


def test_an_unknown_run_is_not_found(storage: Storage) -> None:
    with pytest.raises(NotFoundError, match="nope"):
        storage.runs.get(RunId("nope"))


def test_a_summary_is_the_run_without_what_is_long(storage: Storage, jobs: TableJobs) -> None:
    storage.tasks.add(task())
    storage.runs.accept([replace(record(1, tag="b"), submitter="ann")], [""], [""])
    id = finish_next(storage, jobs, START)
    run, summary = storage.runs.get(id), storage.runs.summary(id)
    assert (summary.id, summary.submission_id, summary.submitter) == (id, "sub-1", "ann")
    assert run.submission.submitter == "ann"
    assert summary.tally == Tally(passed=1, total=2, share=0.5)
    assert storage.runs.cases(id) == findings().signals[:2]
    assert summary.findings is not None
    assert summary.findings.signals == findings().signals[2:]
    cited, flag = summary.findings.prefills[0].because
    assert cited == replace(FAILED_CASE, **dict.fromkeys(("given", "wanted", "got", "note"), ""))
    assert flag == FLAG
    assert storage.runs.finished(tag=None)[0] == [summary]


def test_a_run_that_is_not_done_has_no_cases_yet(storage: Storage) -> None:
    (id,) = accept(storage, 1)
    assert storage.runs.cases(id) == ()
    assert (storage.runs.summary(id).tally, storage.runs.summary(id).findings) == (None, None)
    for read in (storage.runs.cases, storage.runs.summary):
        with pytest.raises(NotFoundError, match="nope"):
            read(RunId("nope"))


def test_lists_do_not_read_the_cases(storage: Storage, jobs: TableJobs) -> None:
    """They are there, and what is there is no JSON: whoever reads it fails."""
    id = accept(storage, 1)[0]
    finish_next(storage, jobs, START)
    with storage.database.writing() as connection:
        connection.execute(cases.update().values(outcomes=b"broken"))
        connection.execute(submissions.update().values(files=b"broken"))
    assert storage.runs.finished(tag=None)[0] == [storage.runs.summary(id)]
    with pytest.raises(zlib.error):
        storage.runs.cases(id)


def test_runs_are_listed_by_submitter_with_a_cursor_that_is_right(storage: Storage, jobs: TableJobs) -> None:
    storage.tasks.add(task())
    records = [replace(record(n, tag="t" if n % 3 else "u"), submitter="ann" if n % 2 else "ben") for n in range(12)]
    storage.runs.accept(records, [""] * 12, [""] * 12)
    order = [finish_next(storage, jobs, START) for _ in range(12)]
    seen: list[RunId] = []
    cursor = ""
    for _ in range(4):
        runs, cursor = storage.runs.finished(tag=None, submitter="ann", after=cursor, limit=2)
        seen += [run.id for run in runs]
    assert seen == order[1::2]
    tagged, _ = storage.runs.finished(tag="u", submitter="ben")
    assert [run.id for run in tagged] == [order[0], order[6]]
    assert storage.runs.finished(tag=None, submitter="nobody") == ([], "")


def test_where_there_is_no_room_nothing_new_is_stored_and_what_was_is_found(storage: Storage) -> None:
    storage.tasks.add(task())
    first = storage.runs.accept([record(1)], ["key"], ["print"], queue_limit=1)
    assert storage.runs.accept([record(2)], ["key"], ["print"], queue_limit=1) == first
    with pytest.raises(NoRoomError):
        storage.runs.accept([record(3), record(4)], ["key", ""], ["print", ""], queue_limit=1)
    assert storage.runs.counts()[RunState.QUEUED] == 1
