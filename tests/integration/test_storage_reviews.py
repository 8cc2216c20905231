"""The reviewers' queue, claims, drafts and reviews in the storage."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from rubrics.signals import Severity
from service.jobs.table import TableJobs
from service.storage.interface import ConflictError, DraftDecision, NotFoundError, ReviewerId, RunId, RunOutcome
from service.storage.sql import SqlStorage
from tests.integration.stored import FLAG, START, Clock, accept, findings, finish_next, review

ANN, BEN = ReviewerId("ann"), ReviewerId("ben")


@pytest.fixture
def runs(storage: SqlStorage, jobs: TableJobs) -> list[RunId]:
    accept(storage, 5)
    return [finish_next(storage, jobs, START) for _ in range(5)]


def states(storage: SqlStorage, reviewer: ReviewerId, clock: Clock) -> dict[RunId, str]:
    return {entry.run_id: entry.state for entry in storage.queue(reviewer, now=clock.now)}


def test_the_queue_shows_what_a_reviewer_needs_to_choose(storage: SqlStorage, runs: list[RunId], clock: Clock) -> None:
    entry = storage.queue(ANN, now=clock.now)[0]
    assert (entry.task_id, entry.title, entry.outcome) == ("numbers/double", "Double v1", RunOutcome.FAILED)
    assert (entry.cases_passed, entry.cases_tried, entry.flags, entry.state) == (1, 2, 1, "open")


def test_what_was_only_noticed_is_no_flag_in_the_queue(storage: SqlStorage, jobs: TableJobs, clock: Clock) -> None:
    accept(storage, 1)
    lease = jobs.lease("worker", START)
    assert lease is not None
    storage.start_run(lease.run_id, lease.attempt)
    found = findings()
    noticed = replace(FLAG, rule="assay/box-program", severity=Severity.LOW)
    storage.finish_run(
        lease.run_id,
        lease.attempt,
        replace(found, signals=(*found.signals, noticed, replace(noticed, flag=False))),
        START,
    )
    [entry] = storage.queue(ANN, now=clock.now)
    assert entry.flags == 1, "the one of high severity"


def test_each_reviewer_has_an_order_that_stays(storage: SqlStorage, jobs: TableJobs, clock: Clock) -> None:
    accept(storage, 40)
    for _ in range(40):
        finish_next(storage, jobs, clock.now)
    orders = {reviewer: [entry.run_id for entry in storage.queue(reviewer, now=clock.now)] for reviewer in (ANN, BEN)}
    assert orders[ANN] == [entry.run_id for entry in storage.queue(ANN, now=clock.advance(hours=5))]
    assert orders[ANN] != orders[BEN]
    assert set(orders[ANN]) == set(orders[BEN])


def test_disputed_runs_come_before_the_others_and_after_what_was_begun(
    storage: SqlStorage, jobs: TableJobs, clock: Clock
) -> None:
    ids = accept(storage, 20)
    disputed = {
        finish_next(storage, jobs, clock.now, RunOutcome.DISPUTED if number % 4 == 0 else RunOutcome.FAILED)
        for number in range(20)
    } & set(ids[::4])
    for reviewer in (ANN, BEN):
        entries = storage.queue(reviewer, now=clock.now)
        assert {entry.run_id for entry in entries[:5]} == disputed
        assert {entry.outcome for entry in entries[5:]} == {RunOutcome.FAILED}
    assert storage.claim(ANN, None, now=clock.now) == storage.queue(ANN, now=clock.now)[0].run_id
    [begun] = {entry.run_id for entry in storage.queue(BEN, now=clock.now)[5:6]}
    storage.claim(BEN, begun, now=clock.now)
    first, *others = storage.queue(BEN, now=clock.now)
    assert (first.run_id, first.state, others[0].outcome) == (begun, "mine", RunOutcome.DISPUTED)


def test_unfinished_and_ungradable_runs_are_not_offered(storage: SqlStorage, jobs: TableJobs, clock: Clock) -> None:
    ungradable, waiting = accept(storage, 2)
    finish_next(storage, jobs, clock.now, RunOutcome.UNGRADABLE)
    assert storage.queue(ANN, now=clock.now) == []
    assert storage.claim(ANN, None, now=clock.now) is None
    assert storage.claim(ANN, ungradable, now=clock.now) is None
    assert storage.claim(ANN, waiting, now=clock.now) is None


def test_two_reviewers_never_get_the_same_run(storage: SqlStorage, runs: list[RunId], clock: Clock) -> None:
    taken = set()
    for _ in range(2):
        for reviewer in (ANN, BEN):
            run = storage.claim(reviewer, None, now=clock.now)
            assert run is not None
            taken.add(run)
            storage.add_review(run, reviewer, review(), clock.now)
    assert len(taken) == 4


def test_a_claim_is_kept_until_it_ends(storage: SqlStorage, runs: list[RunId], clock: Clock) -> None:
    mine = storage.claim(ANN, None, now=clock.now)
    assert mine is not None
    assert storage.claim(ANN, None, now=clock.now) == mine
    assert states(storage, BEN, clock)[mine] == "taken"
    with pytest.raises(ConflictError, match="ann"):
        storage.claim(BEN, mine, now=clock.advance(minutes=29))
    assert storage.claim(BEN, mine, now=clock.advance(minutes=2)) == mine
    with pytest.raises(ConflictError, match="ben"):
        storage.save_draft(mine, ANN, None, "correctness", clock.now)


def test_a_draft_renews_the_claim(storage: SqlStorage, runs: list[RunId], clock: Clock) -> None:
    draft = DraftDecision(criterion="correctness", level=None, note="hm", milliseconds=3)
    storage.claim(ANN, runs[0], now=clock.now)
    storage.save_draft(runs[0], ANN, draft, "correctness", clock.advance(minutes=25))
    with pytest.raises(ConflictError):
        storage.claim(BEN, runs[0], now=clock.advance(minutes=25))
    assert storage.drafts(runs[0], ANN) == {"correctness": draft}
    assert storage.drafts(runs[0], BEN) == {}


def test_a_draft_is_replaced_and_cleared(storage: SqlStorage, runs: list[RunId], clock: Clock) -> None:
    for level in (1, 2):
        draft = DraftDecision(criterion="correctness", level=level, note="", milliseconds=3)
        storage.save_draft(runs[0], ANN, draft, "correctness", clock.now)
    assert storage.drafts(runs[0], ANN) == {"correctness": draft}
    storage.save_draft(runs[0], ANN, None, "correctness", clock.now)
    assert storage.drafts(runs[0], ANN) == {}


def test_a_review_settles_a_run_for_everybody(storage: SqlStorage, runs: list[RunId], clock: Clock) -> None:
    kept = storage.add_review(runs[0], ANN, review(), clock.now)
    assert storage.reviews(run_id=runs[0]) == [kept]
    assert states(storage, ANN, clock)[runs[0]] == "reviewed"
    assert runs[0] not in states(storage, BEN, clock)


def test_the_same_review_again_is_one_review(storage: SqlStorage, runs: list[RunId], clock: Clock) -> None:
    first = storage.add_review(runs[0], ANN, review(), clock.now)
    assert storage.add_review(runs[0], ANN, review(), clock.advance(seconds=1)) == first
    with pytest.raises(ConflictError, match="withdrawn"):
        storage.add_review(runs[0], ANN, review(level=2), clock.now)
    assert len(storage.reviews()) == 1


def test_reviews_of_two_people_are_both_kept(storage: SqlStorage, runs: list[RunId], clock: Clock) -> None:
    storage.claim(BEN, runs[0], now=clock.now)
    storage.add_review(runs[0], ANN, review(level=0), clock.now)
    storage.add_review(runs[0], BEN, review(level=2), clock.now)
    assert [each.reviewer for each in storage.reviews(run_id=runs[0])] == [ANN, BEN]


def test_a_withdrawn_review_stays_in_the_database(storage: SqlStorage, runs: list[RunId], clock: Clock) -> None:
    first = storage.add_review(runs[0], ANN, review(), clock.now)
    withdrawn = storage.withdraw_review(runs[0], ANN, clock.now)
    assert withdrawn is not None
    assert (withdrawn.id, withdrawn.withdrawn) == (first.id, True)
    assert storage.reviews() == []
    assert states(storage, ANN, clock)[runs[0]] == "mine"
    assert storage.withdraw_review(runs[0], ANN, clock.now) is None
    second = storage.add_review(runs[0], ANN, review(level=2), clock.now)
    assert storage.reviews() == [second]
    with storage.database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM reviews")).scalar() == 2


def test_withdrawing_takes_no_claim_from_a_colleague(storage: SqlStorage, runs: list[RunId], clock: Clock) -> None:
    storage.add_review(runs[0], ANN, review(), clock.now)
    storage.claim(BEN, runs[0], now=clock.now)
    storage.withdraw_review(runs[0], ANN, clock.now)
    assert states(storage, BEN, clock)[runs[0]] == "mine"


def test_a_skipped_run_is_left_to_others(storage: SqlStorage, runs: list[RunId], clock: Clock) -> None:
    skipped = storage.claim(ANN, None, now=clock.now)
    assert skipped is not None
    storage.skip(skipped, ANN, "not my language", clock.now)
    assert states(storage, ANN, clock)[skipped] == "skipped"
    assert storage.claim(ANN, None, now=clock.now) != skipped
    assert storage.claim(BEN, skipped, now=clock.now) == skipped


def test_progress_counts_what_is_done_and_what_is_left(storage: SqlStorage, runs: list[RunId], clock: Clock) -> None:
    storage.add_review(runs[0], ANN, review(), clock.now)
    storage.add_review(runs[1], ANN, review(), clock.advance(days=1))
    storage.withdraw_review(runs[1], ANN, clock.now)
    storage.add_review(runs[1], ANN, review(level=0), clock.now)
    storage.skip(runs[2], ANN, "", clock.now)
    storage.claim(BEN, runs[3], now=clock.now)
    progress = storage.progress(ANN, since=clock.now - timedelta(hours=1), now=clock.now)
    assert (progress.done, progress.left) == (1, 1)


def test_runs_that_are_not_there_are_named(storage: SqlStorage, clock: Clock) -> None:
    nowhere = RunId("run_nowhere")
    with pytest.raises(NotFoundError, match="run_nowhere"):
        storage.claim(ANN, nowhere, now=clock.now)
    with pytest.raises(NotFoundError, match="run_nowhere"):
        storage.skip(nowhere, ANN, "", clock.now)
    with pytest.raises(NotFoundError, match="run_nowhere"):
        storage.add_review(nowhere, ANN, review(), clock.now)


def test_a_run_that_is_not_done_takes_no_review(storage: SqlStorage, clock: Clock) -> None:
    (waiting,) = accept(storage, 1)
    with pytest.raises(ConflictError, match="not done"):
        storage.add_review(waiting, ANN, review(), clock.now)
