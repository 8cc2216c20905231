"""The reviewers' queue, claims, drafts and reviews in the storage."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from rubrics.signals import Severity
from service.jobs.table import TableJobs
from service.storage.interface import (
    AlreadyReviewedError,
    ClaimedError,
    ConflictError,
    DraftDecision,
    NotFoundError,
    ReviewerId,
    RunId,
    RunOutcome,
)
from service.storage.storage import Storage
from tests.integration.stored import FLAG, START, Clock, accept, add_review, findings, finish_next, review

ANN, BEN = ReviewerId("ann"), ReviewerId("ben")


@pytest.fixture
def runs(storage: Storage, jobs: TableJobs) -> list[RunId]:
    accept(storage, 5)
    return [finish_next(storage, jobs, START) for _ in range(5)]


def claim(storage: Storage, run: RunId, reviewer: ReviewerId, now: datetime) -> None:
    with storage.reviews.work_on(run, reviewer, now) as work:
        work.claim()


def withdraw(storage: Storage, run: RunId, reviewer: ReviewerId, now: datetime) -> None:
    with storage.reviews.work_on(run, reviewer, now) as work:
        work.withdraw()


def skip(storage: Storage, run: RunId, reviewer: ReviewerId, reason: str, now: datetime) -> None:
    with storage.reviews.work_on(run, reviewer, now) as work:
        work.skip(reason)


def states(storage: Storage, reviewer: ReviewerId, clock: Clock) -> dict[RunId, str]:
    return {entry.run_id: entry.state for entry in storage.reviews.queue(reviewer, now=clock.now)}


def test_the_queue_shows_what_a_reviewer_needs_to_choose(storage: Storage, runs: list[RunId], clock: Clock) -> None:
    entry = storage.reviews.queue(ANN, now=clock.now)[0]
    assert (entry.task_id, entry.title, entry.outcome) == ("numbers/double", "Double v1", RunOutcome.FAILED)
    assert (entry.cases_passed, entry.cases_tried, entry.flags, entry.state) == (1, 2, 1, "open")


def test_what_was_only_noticed_is_no_flag_in_the_queue(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    accept(storage, 1)
    lease = jobs.lease("worker", START)
    assert lease is not None
    storage.runs.start(lease.run_id, lease.attempt)
    found = findings()
    noticed = replace(FLAG, rule="assay/box-program", severity=Severity.LOW)
    storage.runs.finish(
        lease.run_id,
        lease.attempt,
        replace(found, signals=(*found.signals, noticed, replace(noticed, flag=False))),
        START,
    )
    [entry] = storage.reviews.queue(ANN, now=clock.now)
    assert entry.flags == 1, "the one of high severity"


def test_each_reviewer_has_an_order_that_stays(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    accept(storage, 40)
    for _ in range(40):
        finish_next(storage, jobs, clock.now)
    orders = {
        reviewer: [entry.run_id for entry in storage.reviews.queue(reviewer, now=clock.now)] for reviewer in (ANN, BEN)
    }
    assert orders[ANN] == [entry.run_id for entry in storage.reviews.queue(ANN, now=clock.advance(hours=5))]
    assert orders[ANN] != orders[BEN]
    assert set(orders[ANN]) == set(orders[BEN])


def test_disputed_runs_come_before_the_others_and_after_what_was_begun(
    storage: Storage, jobs: TableJobs, clock: Clock
) -> None:
    ids = accept(storage, 20)
    disputed = {
        finish_next(storage, jobs, clock.now, RunOutcome.DISPUTED if number % 4 == 0 else RunOutcome.FAILED)
        for number in range(20)
    } & set(ids[::4])
    for reviewer in (ANN, BEN):
        entries = storage.reviews.queue(reviewer, now=clock.now)
        assert {entry.run_id for entry in entries[:5]} == disputed
        assert {entry.outcome for entry in entries[5:]} == {RunOutcome.FAILED}
    assert storage.reviews.claim_next(ANN, now=clock.now) == storage.reviews.queue(ANN, now=clock.now)[0].run_id
    [begun] = {entry.run_id for entry in storage.reviews.queue(BEN, now=clock.now)[5:6]}
    claim(storage, begun, BEN, clock.now)
    first, *others = storage.reviews.queue(BEN, now=clock.now)
    assert (first.run_id, first.state, others[0].outcome) == (begun, "mine", RunOutcome.DISPUTED)


def test_unfinished_and_ungradable_runs_are_not_offered(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    accept(storage, 2)
    finish_next(storage, jobs, clock.now, RunOutcome.UNGRADABLE)
    assert storage.reviews.queue(ANN, now=clock.now) == []
    assert storage.reviews.claim_next(ANN, now=clock.now) is None


def test_two_reviewers_never_get_the_same_run(storage: Storage, runs: list[RunId], clock: Clock) -> None:
    taken = set()
    for _ in range(2):
        for reviewer in (ANN, BEN):
            run = storage.reviews.claim_next(reviewer, now=clock.now)
            assert run is not None
            taken.add(run)
            add_review(storage, run, reviewer, review(), clock.now)
    assert len(taken) == 4


def test_a_claim_is_kept_until_it_ends(storage: Storage, runs: list[RunId], clock: Clock) -> None:
    mine = storage.reviews.claim_next(ANN, now=clock.now)
    assert mine is not None
    assert storage.reviews.claim_next(ANN, now=clock.now) == mine
    assert states(storage, BEN, clock)[mine] == "taken"
    with pytest.raises(ClaimedError, match="ann"):
        claim(storage, mine, BEN, clock.advance(minutes=29))
    claim(storage, mine, BEN, clock.advance(minutes=2))
    assert states(storage, BEN, clock)[mine] == "mine"
    with pytest.raises(ClaimedError, match="ben"):
        claim(storage, mine, ANN, clock.now)


def test_a_claim_is_renewed_with_the_drafts(storage: Storage, runs: list[RunId], clock: Clock) -> None:
    draft = DraftDecision(criterion="correctness", level=None, note="hm", milliseconds=3)
    claim(storage, runs[0], ANN, clock.now)
    with storage.reviews.work_on(runs[0], ANN, clock.advance(minutes=25)) as work:
        work.claim()
        work.keep(draft)
    with pytest.raises(ClaimedError):
        claim(storage, runs[0], BEN, clock.advance(minutes=25))
    assert storage.reviews.drafts(runs[0], ANN) == {"correctness": draft}
    assert storage.reviews.drafts(runs[0], BEN) == {}


def test_a_draft_is_replaced_and_cleared(storage: Storage, runs: list[RunId], clock: Clock) -> None:
    for level in (1, 2):
        draft = DraftDecision(criterion="correctness", level=level, note="", milliseconds=3)
        with storage.reviews.work_on(runs[0], ANN, clock.now) as work:
            work.keep(draft)
    assert storage.reviews.drafts(runs[0], ANN) == {"correctness": draft}
    with storage.reviews.work_on(runs[0], ANN, clock.now) as work:
        work.clear("correctness")
    assert storage.reviews.drafts(runs[0], ANN) == {}


def test_a_review_settles_a_run_for_everybody(storage: Storage, runs: list[RunId], clock: Clock) -> None:
    kept = add_review(storage, runs[0], ANN, review(), clock.now)
    assert storage.reviews.standing(runs[0]) == [kept]
    assert states(storage, ANN, clock)[runs[0]] == "reviewed"
    assert runs[0] not in states(storage, BEN, clock)


def test_the_same_review_again_is_one_review(storage: Storage, runs: list[RunId], clock: Clock) -> None:
    first = add_review(storage, runs[0], ANN, review(), clock.now)
    assert add_review(storage, runs[0], ANN, review(), clock.advance(seconds=1)) == first
    with pytest.raises(AlreadyReviewedError, match="reviewed this response already"):
        add_review(storage, runs[0], ANN, review(level=2), clock.now)
    assert len(storage.reviews.standing(runs[0])) == 1


def test_reviews_of_two_people_are_both_kept(storage: Storage, runs: list[RunId], clock: Clock) -> None:
    claim(storage, runs[0], BEN, clock.now)
    add_review(storage, runs[0], ANN, review(level=0), clock.now)
    add_review(storage, runs[0], BEN, review(level=2), clock.now)
    assert [each.reviewer for each in storage.reviews.standing(runs[0])] == [ANN, BEN]


def test_a_withdrawn_review_stays_in_the_database(storage: Storage, runs: list[RunId], clock: Clock) -> None:
    first = add_review(storage, runs[0], ANN, review(), clock.now)
    withdraw(storage, runs[0], ANN, clock.now)
    assert storage.reviews.standing(runs[0]) == []
    assert states(storage, ANN, clock)[runs[0]] == "mine"
    withdraw(storage, runs[0], ANN, clock.now)
    second = add_review(storage, runs[0], ANN, review(level=2), clock.now)
    assert storage.reviews.standing(runs[0]) == [second]
    with storage.database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM reviews")).scalar() == 2
        assert connection.execute(text("SELECT review_id FROM withdrawals")).scalars().all() == [first.id]


def test_withdrawing_takes_no_claim_from_a_colleague(storage: Storage, runs: list[RunId], clock: Clock) -> None:
    add_review(storage, runs[0], ANN, review(), clock.now)
    claim(storage, runs[0], BEN, clock.now)
    withdraw(storage, runs[0], ANN, clock.now)
    assert states(storage, BEN, clock)[runs[0]] == "mine"


def test_a_skipped_run_is_left_to_others(storage: Storage, runs: list[RunId], clock: Clock) -> None:
    skipped = storage.reviews.claim_next(ANN, now=clock.now)
    assert skipped is not None
    skip(storage, skipped, ANN, "not my language", clock.now)
    assert states(storage, ANN, clock)[skipped] == "skipped"
    assert storage.reviews.claim_next(ANN, now=clock.now) != skipped
    claim(storage, skipped, BEN, clock.now)


def test_progress_counts_what_is_done_and_what_is_left(storage: Storage, runs: list[RunId], clock: Clock) -> None:
    add_review(storage, runs[0], ANN, review(), clock.now)
    add_review(storage, runs[1], ANN, review(), clock.advance(days=1))
    withdraw(storage, runs[1], ANN, clock.now)
    add_review(storage, runs[1], ANN, review(level=0), clock.now)
    skip(storage, runs[2], ANN, "", clock.now)
    claim(storage, runs[3], BEN, clock.now)
    progress = storage.reviews.progress(ANN, since=clock.now - timedelta(hours=1), now=clock.now)
    assert (progress.done, progress.left) == (1, 1)


def test_runs_that_are_not_there_are_named(storage: Storage, clock: Clock) -> None:
    nowhere = RunId("run_nowhere")
    with pytest.raises(NotFoundError, match="run_nowhere"):
        claim(storage, nowhere, ANN, clock.now)
    with pytest.raises(NotFoundError, match="run_nowhere"):
        skip(storage, nowhere, ANN, "", clock.now)
    with pytest.raises(NotFoundError, match="run_nowhere"):
        add_review(storage, nowhere, ANN, review(), clock.now)


def test_a_run_that_is_not_done_takes_no_review(storage: Storage, clock: Clock) -> None:
    (waiting,) = accept(storage, 1)
    with pytest.raises(ConflictError, match="not done"):
        add_review(storage, waiting, ANN, review(), clock.now)
