"""From a run's record to its findings: fetches the task, its graders and its rubric, and goes down the pipeline."""

from collections.abc import Mapping

from graders import package
from graders.interface import Task
from graders.registry import Registry
from rubrics.model import Rubric
from sandboxes.interface import Sandbox
from service import pipeline
from service.memory import TaskMemory
from service.storage.interface import Findings, RunRecord, Storage


class Evaluation:
    """What a worker does with a run. Thread-safe; one for each process."""

    def __init__(
        self, *, storage: Storage, registry: Registry, rubrics: Mapping[str, Rubric], sandbox: Sandbox
    ) -> None:
        self._storage = storage
        self._registry = registry
        self._rubrics = rubrics
        self._sandbox = sandbox
        self._memory = TaskMemory()

    def __call__(self, run: RunRecord) -> Findings:
        """Raises whatever went wrong on our side; never for what the submission did."""
        submission = run.submission.submission
        version = run.submission.task_version
        remember = self._memory.of(submission.task_id, version)
        task = remember("task", lambda: package.load(self._storage.task(submission.task_id, version).files))
        assert isinstance(task, Task)
        return pipeline.evaluate(
            task,
            submission,
            graders=self._registry.for_task(task),
            rubric=self._rubrics[task.rubric_id],
            sandbox=self._sandbox,
            remember=remember,
        )

    def ungradable(self, diagnostics: Mapping[str, str]) -> Findings:
        return pipeline.ungradable(self._sandbox, diagnostics)
