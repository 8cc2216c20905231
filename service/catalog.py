"""What the service needs to know of a task version without reading its package each time."""

from dataclasses import dataclass
from functools import lru_cache

from graders import package
from graders.interface import Suite, Task, TaskId, Tier
from graders.package import PackageError
from service.storage.interface import Storage, TaskRecord

_KEPT = 4096
"""Task versions remembered; a few KiB each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteSummary:
    id: str
    kind: str
    cases: int | None
    """None where only running it tells (a parametrized pytest suite)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSummary:
    id: TaskId
    version: str
    title: str
    prompt: str
    language: str
    entry_file: str
    minimum_tier: Tier
    suites: tuple[SuiteSummary, ...]
    loads: bool = True
    """False for a stored package that this version of Assay refuses: an older one let it in. It takes no submission."""


class Catalog:
    """Summaries of task versions, each made once: a version never changes. Safe to share between threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._summary = lru_cache(maxsize=_KEPT)(self._read)

    def summary(self, id: TaskId, version: str | None = None) -> TaskSummary:
        """Of that version, or the newest. Raises NotFoundError."""
        return self._summary(id, version or self._storage.newest_version(id))

    def _read(self, id: TaskId, version: str) -> TaskSummary:
        record = self._storage.task(id, version)
        try:
            return summarize(package.load(record.files))
        except PackageError:
            return _refused(record)


def summarize(task: Task) -> TaskSummary:
    """All of a task that submitters may see."""
    return TaskSummary(
        id=task.id,
        version=task.version,
        title=task.title,
        prompt=task.prompt,
        language=task.language,
        entry_file=task.entry_file,
        minimum_tier=task.minimum_tier,
        suites=tuple(SuiteSummary(id=suite.id, kind=suite.kind, cases=_cases(suite)) for suite in task.suites),
    )


def _refused(record: TaskRecord) -> TaskSummary:
    """What can be said of a package that does not load: reviewers still read responses to it."""
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


def _cases(suite: Suite) -> int | None:
    if suite.kind not in ("call", "stdio"):
        return None
    inputs = sum(path.endswith(".in") for path in suite.files) if suite.kind == "stdio" else 0
    lines = (line for path, text in suite.files.items() if path.endswith(".jsonl") for line in text.split("\n"))
    return inputs + sum(bool(line.strip()) for line in lines)
