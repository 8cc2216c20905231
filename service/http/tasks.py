"""Task packages: upload and reading."""

import asyncio
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool

from graders.interface import Task, TaskId
from graders.plugins.fence import is_own
from graders.plugins.registry import GraderChoiceError
from graders.tasks.package import PackageError
from service.app_state import Assay, Services
from service.edge.access import Anyone, Author
from service.edge.guard import Guarded
from service.edge.problems import OF_A_BODY, ProblemError, described
from service.reading.readers import PACKAGES
from service.reading.task_summary import TaskSummary
from service.runs.intake import can_hold
from service.schemas import ErrorField, TaskIn, TaskOut, TasksOut
from service.storage.interface import TaskRecord

router = APIRouter(tags=["tasks"], route_class=Guarded)


@router.post(
    "/tasks",
    status_code=201,
    responses={200: {"model": TaskOut, "description": "This version was stored already."}, **OF_A_BODY},
)
async def put_task(body: TaskIn, assay: Assay, _: Author, response: Response) -> TaskOut:
    """Store a task package. Its version is a hash of its files; the same files again change nothing."""
    try:
        task, summary = await asyncio.wrap_future(PACKAGES.package(body.files))
    except PackageError as error:
        raise _invalid(error.field, error.expected) from error
    return await run_in_threadpool(_stored, task, summary, body, assay, response)


def _stored(task: Task, summary: TaskSummary, body: TaskIn, assay: Services, response: Response) -> TaskOut:
    _check_choices(task, assay)
    record = TaskRecord(id=task.id, version=task.version, title=task.title, files=body.files, created_at=assay.now())
    created = assay.storage.tasks.add(record)
    if not created:
        response.status_code = 200
    return _out(summary, created=created)


@router.get("/tasks")
def list_tasks(
    assay: Assay,
    _: Anyone,
    after: Annotated[str, Query(max_length=200, description="`next` of an earlier answer.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> TasksOut:
    """Return the newest version of each task, by id."""
    records = assay.storage.tasks.page(after=after, limit=limit)
    tasks = [_out(assay.catalog.summary(record.id, record.version)) for record in records]
    return TasksOut(tasks=tasks, next=records[-1].id if len(records) == limit else "")


@router.get("/tasks/{task_id:path}", responses={404: described("There is no such task, or no such version.")})
def get_task(
    task_id: str,
    assay: Assay,
    _: Anyone,
    version: Annotated[str | None, Query(description="Default: the newest.")] = None,
) -> TaskOut:
    """Return one task. Its id may contain slashes."""
    return _out(assay.catalog.summary(TaskId(task_id), version))


def _check_choices(task: Task, assay: Services) -> None:
    """Raise ProblemError for a task that this service cannot grade, before its first submission would find out."""
    try:
        assay.registry.check(task)
    except GraderChoiceError as error:
        raise _invalid(error.field, error.expected) from error
    if task.rubric_id not in assay.rubrics:
        raise _invalid("rubric", f"one of the rubrics {', '.join(sorted(assay.rubrics))}, not {task.rubric_id!r}")
    criteria = {criterion.id for criterion in assay.rubrics[task.rubric_id].criteria}
    for id in sorted(id for id in task.graders if not is_own(id)):
        criterion = assay.registry.graders[id].criterion
        if criterion not in criteria:
            expected = f"a grader for a criterion of rubric {task.rubric_id!r} ({', '.join(sorted(criteria))}), not for {criterion!r}"
            raise _invalid(f'graders."{id}"', expected)
    if not can_hold(assay.tiers, task.minimum_tier):
        offers = ", ".join(assay.tiers)
        raise _invalid("minimum_tier", f"a tier that this service offers ({offers}), not '{task.minimum_tier}'")


def _invalid(field: str, expected: str) -> ProblemError:
    return ProblemError("invalid-task", f"{field}: expected {expected}.", [ErrorField(field=field, expected=expected)])


def _out(task: TaskSummary, *, created: bool = False) -> TaskOut:
    return TaskOut(
        task_id=task.id,
        version=task.version,
        title=task.title,
        prompt=task.prompt,
        language=task.language,
        entry_file=task.entry_file,
        minimum_tier=task.minimum_tier,
        suites=[asdict(suite) for suite in task.suites],
        created=created,
        loads=task.loads,
    )
