"""All of a task that submitters may see."""

from dataclasses import dataclass

from graders.interface import Task, TaskId, Tier
from graders.suites.kinds import KINDS


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteSummary:
    id: str
    kind: str
    cases: int | None
    """None if only running the suite shows it (a parametrized pytest suite)."""


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


def summarize(task: Task) -> TaskSummary:
    """Return all of a task that submitters may see."""
    return TaskSummary(
        id=task.id,
        version=task.version,
        title=task.title,
        prompt=task.prompt,
        language=task.language,
        entry_file=task.entry_file,
        minimum_tier=task.minimum_tier,
        suites=tuple(
            SuiteSummary(id=suite.id, kind=suite.kind, cases=KINDS[suite.kind].case_count(suite))
            for suite in task.suites
        ),
    )
