"""From a run's record to its findings: fetches the task, its graders and its rubric, and goes down the pipeline."""

from collections.abc import Callable, Mapping
from typing import Protocol

from graders.interface import Grader, Task, TaskUnusable
from graders.tasks import package
from graders.tasks.package import PackageError
from rubrics.model import Rubric
from sandboxes.interface import Sandbox, Tier
from sandboxes.tiers import strictest
from service.evaluation import pipeline
from service.evaluation.task_cache import TaskCache
from service.storage.interface import RunRecord, RunResult
from service.storage.storage import Storage


class Graders(Protocol):
    """`graders.plugins.registry.Registry`, or `service.plugins.grader.IsolatedPlugins` around one."""

    def for_task(self, task: Task) -> tuple[Grader, ...]:
        """Return the graders of this task's submissions. Raises GraderChoiceError."""
        ...


class Sandboxes(Protocol):
    """`sandboxes.tiers.Tiers`."""

    def at_least(self, tier: Tier) -> Sandbox:
        """Return a box maker of at least this tier. Raises SandboxError if none is strict enough."""
        ...


class RunEvaluator:
    """Evaluates runs in an evaluator process. Thread-safe if its graders are."""

    def __init__(
        self,
        *,
        storage: Storage,
        registry: Graders,
        rubrics: Mapping[str, Rubric],
        tiers: Sandboxes,
        began: Callable[[str], None] = pipeline.nobody_listens,
    ) -> None:
        """Make an evaluator. `began` receives the id of each grader at its turn."""
        self._storage = storage
        self._registry = registry
        self._rubrics = rubrics
        self._tiers = tiers
        self._began = began
        self._memory = TaskCache()

    def __call__(self, run: RunRecord) -> RunResult:
        """Return the result of a run. Raises any failure of ours, never one of the submission."""
        submission = run.submission.submission
        version = run.submission.task_version
        load = self._memory.of(submission.task_id, version)
        task = load("task", lambda: _loaded(self._storage.tasks.get(submission.task_id, version).files))
        assert isinstance(task, Task)
        sandbox = self._tiers.at_least(strictest(task.minimum_tier, run.submission.minimum_tier))
        return pipeline.evaluate(
            task,
            submission,
            graders=self._registry.for_task(task),
            rubric=self._rubrics[task.rubric_id],
            sandbox=sandbox,
            # The reference's time in one tier is not evidence about another.
            remember=self._memory.of(submission.task_id, version, sandbox.name),
            began=self._began,
        )

    def ungradable(self, diagnostics: Mapping[str, str]) -> RunResult:
        return pipeline.ungradable(diagnostics)


def _loaded(files: Mapping[str, str]) -> Task:
    """Return the task of a stored package. Raises TaskUnusable if this version refuses what an older one accepted."""
    try:
        return package.load(files)
    except PackageError as error:
        raise TaskUnusable(f"its package cannot be loaded any more: {error}; store it anew") from error
