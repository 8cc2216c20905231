"""The port of durable jobs: at-least-once delivery of runs to workers, with leases and fencing.

A job is made in one transaction with its run (`Runs.accept`) and ends in one transaction with the run's result
(`Runs.finish`), so neither can exist without the other. In between, a worker holds a lease. If the worker stops renewing
it, the job is delivered again under the next attempt number, and the old attempt can no longer write.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from service.storage.interface import RunId

LEASE_SECONDS = 15.0
"""A killed worker's job is delivered again after this long."""
MAX_ATTEMPTS = 8
"""After this many failed deliveries, the run is finished as ungradable, with diagnostics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    run_id: RunId
    attempt: int
    """The fencing token: 1 for the first delivery."""


class Jobs(Protocol):
    def lease(self, worker: str, now: datetime) -> Lease | None:
        """Take a job that is due: queued, or leased by a worker that stopped renewing. Return None if none is due.

        Submitters are served in turn. First comes the submitter with the fewest jobs under way; among equals, the one whose
        last turn is longest ago. Their oldest due job is taken.
        """
        ...

    def renew(self, lease: Lease, now: datetime) -> bool:
        """Keep the lease for another LEASE_SECONDS. Return False if it is lost; the worker then stops."""
        ...

    def release(self, lease: Lease, now: datetime, *, retry_in_seconds: float) -> None:
        """Give the job back after our own failure. It is due again after that time."""
        ...

    def depth(self, now: datetime) -> int:
        """Return the number of jobs that wait or are under way."""
        ...

    def overdue(self, now: datetime) -> timedelta:
        """Return how long ago the oldest lapsed lease ended; zero if no lease has lapsed."""
        ...
