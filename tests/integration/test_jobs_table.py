"""Jobs as leases on a table."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from service.jobs.interface import LEASE_SECONDS, Lease
from service.jobs.table import TableJobs
from service.storage.sql import SqlStorage
from tests.integration.stored import Clock, accept, findings


def test_the_oldest_is_delivered_first_and_each_once(storage: SqlStorage, jobs: TableJobs, clock: Clock) -> None:
    ids = accept(storage, 4)
    assert [jobs.lease("w", clock.now) for _ in range(5)] == [*(Lease(run_id=id, attempt=1) for id in ids), None]
    assert jobs.depth(clock.now) == 4


def test_many_workers_at_once_never_share_a_job(storage: SqlStorage, jobs: TableJobs, clock: Clock) -> None:
    ids = accept(storage, 60)

    def work(name: str) -> list[Lease]:
        return list(iter(lambda: jobs.lease(name, clock.now), None))

    with ThreadPoolExecutor(8) as threads:
        got = [lease for leases in threads.map(work, "abcdefgh") for lease in leases]
    assert sorted(lease.run_id for lease in got) == sorted(ids)


def test_a_silent_workers_job_is_delivered_again(storage: SqlStorage, jobs: TableJobs, clock: Clock) -> None:
    accept(storage, 1)
    first = jobs.lease("dies", clock.now)
    assert jobs.lease("next", clock.advance(seconds=LEASE_SECONDS - 0.1)) is None
    second = jobs.lease("next", clock.advance(seconds=0.2))
    assert first is not None
    assert second == Lease(run_id=first.run_id, attempt=2)
    assert not jobs.renew(first, clock.now)
    assert jobs.renew(second, clock.now)


def test_a_renewed_lease_is_kept(storage: SqlStorage, jobs: TableJobs, clock: Clock) -> None:
    accept(storage, 1)
    lease = jobs.lease("w", clock.now)
    assert lease is not None
    for _ in range(5):
        assert jobs.renew(lease, clock.advance(seconds=LEASE_SECONDS - 1))
    assert jobs.lease("other", clock.now) is None


def test_a_frozen_worker_that_nobody_replaced_may_go_on(storage: SqlStorage, jobs: TableJobs, clock: Clock) -> None:
    (id,) = accept(storage, 1)
    lease = jobs.lease("w", clock.now)
    assert lease is not None
    assert jobs.renew(lease, clock.advance(hours=1))
    assert storage.finish_run(id, lease.attempt, findings(), clock.now)


def test_a_frozen_worker_that_was_replaced_writes_nothing(storage: SqlStorage, jobs: TableJobs, clock: Clock) -> None:
    (id,) = accept(storage, 1)
    jobs.lease("frozen", clock.now)
    jobs.lease("next", clock.advance(minutes=1))
    assert not storage.finish_run(id, 1, findings(), clock.now)
    assert storage.run(id).findings is None
    assert storage.finish_run(id, 2, findings(), clock.now)
    assert not storage.finish_run(id, 2, findings(), clock.now)


def test_a_released_job_waits_and_its_old_lease_is_void(storage: SqlStorage, jobs: TableJobs, clock: Clock) -> None:
    (id,) = accept(storage, 1)
    lease = jobs.lease("w", clock.now)
    assert lease is not None
    jobs.release(lease, clock.now, retry_in_seconds=2)
    assert not jobs.renew(lease, clock.now)
    assert not storage.finish_run(id, lease.attempt, findings(), clock.now)
    assert jobs.lease("w", clock.advance(seconds=1.9)) is None
    assert jobs.lease("w", clock.advance(seconds=0.2)) == Lease(run_id=id, attempt=2)


def test_a_lost_lease_releases_nothing(storage: SqlStorage, jobs: TableJobs, clock: Clock) -> None:
    accept(storage, 1)
    lost = jobs.lease("w", clock.now)
    held = jobs.lease("next", clock.advance(minutes=1))
    assert lost is not None
    assert held is not None
    jobs.release(lost, clock.now, retry_in_seconds=0)
    assert jobs.lease("third", clock.now) is None
    assert jobs.renew(held, clock.now)


def test_a_done_job_is_gone(storage: SqlStorage, jobs: TableJobs, clock: Clock) -> None:
    (id,) = accept(storage, 1)
    lease = jobs.lease("w", clock.now)
    assert lease is not None
    storage.finish_run(id, lease.attempt, findings(), clock.now)
    assert jobs.depth(clock.now) == 0
    assert not jobs.renew(lease, clock.now)
    assert jobs.lease("w", clock.advance(hours=1)) is None


def test_a_clock_that_was_set_back_stalls_no_job(storage: SqlStorage, jobs: TableJobs, clock: Clock) -> None:
    accept(storage, 1)
    jobs.lease("dies", clock.now + timedelta(days=1))
    again = jobs.lease("next", clock.now)
    assert again is not None
    assert again.attempt == 2
