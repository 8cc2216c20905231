"""Jobs as leases on a table."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from service.jobs.interface import LEASE_SECONDS, Lease
from service.jobs.table import TableJobs
from service.storage.interface import RunId
from service.storage.storage import Storage
from tests.integration.stored import Clock, accept, findings, record, task


def test_the_oldest_is_delivered_first_and_each_once(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    ids = accept(storage, 4)
    assert [jobs.lease("w", clock.now) for _ in range(5)] == [*(Lease(run_id=id, attempt=1) for id in ids), None]
    assert jobs.depth(clock.now) == 4


def accepted_of(storage: Storage, counts: Mapping[str, int]) -> dict[RunId, str]:
    """Runs of these people, one person after the other."""
    storage.tasks.add(task())
    whose = [name for name, count in counts.items() for _ in range(count)]
    records = [record(f"{name}-{number}", submitter=name) for number, name in enumerate(whose)]
    return dict(zip(storage.runs.accept(records, [""] * len(whose), [""] * len(whose)), whose, strict=True))


def leased(jobs: TableJobs, clock: Clock) -> Lease:
    lease = jobs.lease("w", clock.now)
    assert lease is not None
    return lease


def test_submitters_are_served_in_turn_however_many_jobs_one_of_them_has(
    storage: Storage, jobs: TableJobs, clock: Clock
) -> None:
    whose = accepted_of(storage, {"ann": 1000, "ben": 2, "cy": 1})
    served = []
    for _ in range(6):  # one worker
        lease = leased(jobs, clock)
        served.append(whose[lease.run_id])
        assert storage.runs.finish(lease.run_id, lease.attempt, findings(), clock.advance(seconds=1))
    assert served == ["ann", "ben", "cy", "ann", "ben", "ann"]


def test_who_holds_all_workers_gets_none_back_before_others_have_as_many(
    storage: Storage, jobs: TableJobs, clock: Clock
) -> None:
    """Or somebody whose jobs take long, served in turn, would soon have all of them again."""
    whose = accepted_of(storage, {"slow": 50})
    held = [leased(jobs, clock) for _ in range(4)]
    whose |= accepted_of(storage, {"quick": 50})

    def one_is_free() -> Lease:
        done = held.pop(0)
        assert storage.runs.finish(done.run_id, done.attempt, findings(), clock.now)
        return leased(jobs, clock)

    first = one_is_free()
    storage.runs.finish(first.run_id, first.attempt, findings(), clock.now)
    got = [whose[each.run_id] for each in (first, leased(jobs, clock), one_is_free(), one_is_free())]
    assert got == ["quick", "quick", "quick", "slow"]


def test_a_worker_that_died_counts_for_nobody(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    whose = accepted_of(storage, {"ann": 9, "ben": 9})
    assert [whose[leased(jobs, clock).run_id] for _ in range(4)] == ["ann", "ben", "ann", "ben"]
    clock.advance(seconds=LEASE_SECONDS + 1)
    assert [whose[leased(jobs, clock).run_id] for _ in range(2)] == ["ann", "ben"]


def test_a_job_that_waits_for_another_attempt_holds_up_nobody(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    whose = accepted_of(storage, {"ann": 2, "ben": 2})
    first = leased(jobs, clock)
    jobs.release(first, clock.now, retry_in_seconds=30)
    assert [whose[leased(jobs, clock).run_id] for _ in range(3)] == ["ben", "ann", "ben"]
    assert jobs.lease("w", clock.now) is None
    assert jobs.lease("w", clock.advance(seconds=31)) is not None


def test_many_workers_at_once_never_share_a_job(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    ids = accept(storage, 60)

    def work(name: str) -> list[Lease]:
        return list(iter(lambda: jobs.lease(name, clock.now), None))

    with ThreadPoolExecutor(8) as threads:
        got = [lease for leases in threads.map(work, "abcdefgh") for lease in leases]
    assert sorted(lease.run_id for lease in got) == sorted(ids)


def test_a_silent_workers_job_is_delivered_again(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    accept(storage, 1)
    first = jobs.lease("dies", clock.now)
    assert jobs.lease("next", clock.advance(seconds=LEASE_SECONDS - 0.1)) is None
    second = jobs.lease("next", clock.advance(seconds=0.2))
    assert first is not None
    assert second == Lease(run_id=first.run_id, attempt=2)
    assert not jobs.renew(first, clock.now)
    assert jobs.renew(second, clock.now)


def test_a_renewed_lease_is_kept(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    accept(storage, 1)
    lease = jobs.lease("w", clock.now)
    assert lease is not None
    for _ in range(5):
        assert jobs.renew(lease, clock.advance(seconds=LEASE_SECONDS - 1))
    assert jobs.lease("other", clock.now) is None


def test_a_frozen_worker_that_nobody_replaced_may_go_on(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    (id,) = accept(storage, 1)
    lease = jobs.lease("w", clock.now)
    assert lease is not None
    assert jobs.renew(lease, clock.advance(hours=1))
    assert storage.runs.finish(id, lease.attempt, findings(), clock.now)


def test_a_frozen_worker_that_was_replaced_writes_nothing(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    (id,) = accept(storage, 1)
    jobs.lease("frozen", clock.now)
    jobs.lease("next", clock.advance(minutes=1))
    assert not storage.runs.finish(id, 1, findings(), clock.now)
    assert storage.runs.get(id).findings is None
    assert storage.runs.finish(id, 2, findings(), clock.now)
    assert not storage.runs.finish(id, 2, findings(), clock.now)


def test_a_released_job_waits_and_its_old_lease_is_void(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    (id,) = accept(storage, 1)
    lease = jobs.lease("w", clock.now)
    assert lease is not None
    jobs.release(lease, clock.now, retry_in_seconds=2)
    assert not jobs.renew(lease, clock.now)
    assert not storage.runs.finish(id, lease.attempt, findings(), clock.now)
    assert jobs.lease("w", clock.advance(seconds=1.9)) is None
    assert jobs.lease("w", clock.advance(seconds=0.2)) == Lease(run_id=id, attempt=2)


def test_a_lost_lease_releases_nothing(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    accept(storage, 1)
    lost = jobs.lease("w", clock.now)
    held = jobs.lease("next", clock.advance(minutes=1))
    assert lost is not None
    assert held is not None
    jobs.release(lost, clock.now, retry_in_seconds=0)
    assert jobs.lease("third", clock.now) is None
    assert jobs.renew(held, clock.now)


def test_a_done_job_is_gone(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    (id,) = accept(storage, 1)
    lease = jobs.lease("w", clock.now)
    assert lease is not None
    storage.runs.finish(id, lease.attempt, findings(), clock.now)
    assert jobs.depth(clock.now) == 0
    assert not jobs.renew(lease, clock.now)
    assert jobs.lease("w", clock.advance(hours=1)) is None


def test_a_clock_that_was_set_back_stalls_no_job(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    accept(storage, 1)
    jobs.lease("dies", clock.now + timedelta(days=1))
    again = jobs.lease("next", clock.now)
    assert again is not None
    assert again.attempt == 2
