"""The port of durable jobs: at-least-once delivery of runs to workers, with leases and fencing.

A job is made in the same transaction as its run (`Storage.accept`) and ends in the same transaction as the run's
findings (`Storage.finish_run`), so neither can exist without the other. In between a worker holds a lease: when it
stops renewing it, the job is delivered again under the next attempt number, and the old attempt can no longer write.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from service.storage.interface import RunId

LEASE_SECONDS = 15.0
"""A killed worker's job is delivered again after this long."""
MAX_ATTEMPTS = 8
"""After this many deliveries that ended in our own failure, the run is finished as ungradable, with diagnostics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    run_id: RunId
    attempt: int
    """The fencing token: 1 for the first delivery."""


class Jobs(Protocol):
    def lease(self, worker: str, now: datetime) -> Lease | None:
        """Take a job that is due: queued, or leased by a worker that stopped renewing. None if there is none.

        Submitters are served in turn: the oldest due job of the one who has the fewest under way, and of several such of
        the one whose last turn is longest ago.
        """
        ...

    def renew(self, lease: Lease, now: datetime) -> bool:
        """Keep the lease for another LEASE_SECONDS. False where it is lost: the worker stops working on it."""
        ...

    def release(self, lease: Lease, now: datetime, *, retry_in_seconds: float) -> None:
        """Give the job back after our own failure; it is due again after that time."""
        ...

    def depth(self, now: datetime) -> int:
        """Jobs waiting or under way."""
        ...

    def overdue(self, now: datetime) -> timedelta:
        """For how long the lease of a job has run out that nobody has taken again, at most; zero where there is none."""
        ...
