"""Summaries of task versions, so that the service need not read a package each time."""

from functools import lru_cache

from graders.interface import TaskId, Tier
from graders.tasks.package import PackageError
from service.reading.readers import STORED
from service.reading.task_summary import TaskSummary
from service.storage.interface import TaskRecord
from service.storage.storage import Storage

_KEPT = 4096
"""Task versions remembered; a few KiB each."""


class Catalog:
    """Summaries of task versions, each made once: a version never changes. Safe to share between threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._summary = lru_cache(maxsize=_KEPT)(self._read)

    def summary(self, id: TaskId, version: str | None = None) -> TaskSummary:
        """Return the summary of that version, or of the newest. Raises NotFoundError."""
        return self._summary(id, version or self._storage.tasks.newest_version(id))

    def _read(self, id: TaskId, version: str) -> TaskSummary:
        record = self._storage.tasks.get(id, version)
        try:
            return STORED.package(record.files).result()[1]
        except PackageError:
            return _refused(record)


def _refused(record: TaskRecord) -> TaskSummary:
    """Return the summary of a package that does not load: reviewers still read responses to it."""
    return TaskSummary(
        id=record.id,
        version=record.version,
        title=record.title,
        prompt=record.files.get("prompt.md", ""),
        language="",
        entry_file="",
        minimum_tier=Tier.JAIL,
        suites=(),
        loads=False,
    )
