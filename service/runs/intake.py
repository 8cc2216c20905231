"""Intake: requests are checked field by field, and the good ones stored and queued in one transaction.

    IntakeError             a request was refused; names the problem, the fields, and what was expected there

The checks are pure (`check_files`, `check_labels`, `check_tier`). A request with any fault is not stored at all.
"""

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from graders.interface import Submission, SubmissionId, TaskId, Tier
from service.reading.task_summary import TaskSummary
from service.runs.catalog import Catalog
from service.storage.interface import KeyConflictError, NotFoundError, RunId, SubmissionRecord
from service.storage.storage import Storage

MAX_BYTES = 1024 * 1024
"""All files of a submission together, as UTF-8."""
MAX_FILES = 100
MAX_PATH = 200
"""Bytes, as UTF-8: no file system takes more than 255 in a name, and byte code has a longer one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """A submission as it was asked for; the fields are those of `service.schemas.SubmissionIn`."""

    task_id: str
    task_version: str | None = None
    solution: str | None = None
    files: Mapping[str, str] | None = None
    id: str = ""
    tag: str = ""
    model: str = ""
    group_id: str = ""
    minimum_tier: str = ""
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A field at fault, as a path (`files.solution.py`), and what was expected there."""

    field: str
    expected: str


class IntakeError(Exception):
    """A request was refused.

    Args:
        kind: a key of `service.edge.problems.KINDS`.
        wrong: the fields at fault, at least one.
    """

    def __init__(self, kind: str, wrong: Sequence[Wrong]) -> None:
        super().__init__("; ".join(f"{each.field}: expected {each.expected}" for each in wrong))
        self.kind = kind
        self.wrong = tuple(wrong)


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A request that is stored and queued, now or when it came before under the same key."""

    client_id: str
    submission_id: SubmissionId
    run_id: RunId


def accept(
    storage: Storage,
    catalog: Catalog,
    requests: Sequence[RunRequest],
    *,
    submitter: str,
    tiers: Sequence[Tier],
    now: datetime,
    queue_limit: int | None = None,
) -> list[Admitted | IntakeError]:
    """Check every request; store and queue the good ones in one transaction. The answers are in the order of requests.

    `submitter` may read the runs and keeps the idempotency keys of different people apart, `tiers` are those that this service
    offers. Raises NoRoomError (see `Runs.accept`) or StorageError, and then stored nothing.
    """
    outcomes: list[_Checked | IntakeError] = [_check(catalog, request, submitter, tiers, now) for request in requests]
    while ready := [(at, each) for at, each in enumerate(outcomes) if isinstance(each, _Checked)]:
        try:
            ids = storage.runs.accept(
                [each.record for _, each in ready],
                [each.key for _, each in ready],
                [each.fingerprint for _, each in ready],
                queue_limit=queue_limit,
            )
        except KeyConflictError as error:
            for position in error.positions:
                outcomes[ready[position][0]] = _KEY_CONFLICT
            continue
        admitted = {
            at: Admitted(client_id=each.record.client_id, submission_id=each.record.submission.id, run_id=id)
            for (at, each), id in zip(ready, ids, strict=True)
        }
        return [admitted[at] if isinstance(each, _Checked) else each for at, each in enumerate(outcomes)]
    return [each for each in outcomes if isinstance(each, IntakeError)]


def check_files(files: Mapping[str, str], entry_file: str) -> Iterator[Wrong]:
    """Yield every fault in the files of a submission whose task needs `entry_file`."""
    if len(files) > MAX_FILES:
        yield Wrong(field="files", expected=f"at most {MAX_FILES} files, not {len(files)}")
        return
    for path, text in files.items():
        field = f"files.{_shown(path)}"
        if not _is_path(path):
            expected = f"a relative path with / and without . or .., at most {MAX_PATH} bytes of printable characters"
            yield Wrong(field=field, expected=expected)
        elif any(str(folder) in files for folder in PurePosixPath(path).parents[:-1]):
            yield Wrong(field=field, expected="a path whose folder is not also a file")
        yield from _check_text(text, field)
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in files.values())
    if size > MAX_BYTES:
        largest = max(files, key=lambda path: len(files[path]))
        field = f"files.{_shown(largest)}" if len(files) == 1 else "files"
        yield Wrong(field=field, expected=f"at most {MAX_BYTES // 1024} KiB together, not {size / 1024:.0f} KiB")
    # A response without any code is a submission too, and fails. Code under other names is the sender's mistake.
    if entry_file not in files and any(text.strip() for text in files.values()):
        yield Wrong(field=f"files.{entry_file}", expected=f"the file {entry_file}, which this task's tests import")


def check_labels(request: RunRequest) -> Iterator[Wrong]:
    """Yield the faults in the texts that are not code."""
    for field in ("task_id", "task_version", "id", "tag", "model", "group_id", "idempotency_key"):
        value = getattr(request, field)
        if value and not value.isprintable():
            yield Wrong(field=field, expected="printable characters only: no control characters, no NUL")


def check_tier(request: RunRequest, task: TaskSummary, offered: Sequence[Tier]) -> Iterator[Wrong]:
    """Yield the faults in the tiers of request and task, given those that the service offers."""
    offers = f"a tier that this service offers ({', '.join(offered)})"
    if request.minimum_tier not in ("", *Tier):
        yield Wrong(field="minimum_tier", expected=f"one of {', '.join(Tier)}, not {request.minimum_tier!r}")
    elif request.minimum_tier and not can_hold(offered, Tier(request.minimum_tier)):
        yield Wrong(field="minimum_tier", expected=f"{offers}, not {request.minimum_tier!r}")
    if not can_hold(offered, task.minimum_tier):
        yield Wrong(field="task_id", expected=f"a task that runs in {offers}; this one wants {task.minimum_tier}")


def can_hold(offered: Sequence[Tier], wanted: Tier) -> bool:
    """Return whether one of the offered tiers is at least as strict as the wanted one."""
    return any(tier.at_least(wanted) for tier in offered)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """A request in which nothing is wrong."""

    record: SubmissionRecord
    key: str
    fingerprint: str


_KEY_CONFLICT = IntakeError(
    "idempotency-conflict",
    [Wrong(field="idempotency_key", expected="a new key, or exactly the content that this key was first used with")],
)


def _check(
    catalog: Catalog, request: RunRequest, submitter: str, tiers: Sequence[Tier], now: datetime
) -> _Checked | IntakeError:
    wrong = list(check_labels(request))
    if (request.solution is None) == (request.files is None):
        wrong.append(Wrong(field="solution", expected="either `solution` (one file) or `files`, and not both"))
    if wrong:
        return IntakeError("invalid-submission", wrong)
    try:
        task = catalog.summary(TaskId(request.task_id), request.task_version)
    except NotFoundError:
        return _unknown_task(catalog, request)
    if not task.loads:
        # Why is not for submitters: it may quote a hidden file.
        expected = "a task that this version of Assay can load; the author of this one learns why it cannot by storing it again"
        return IntakeError("invalid-submission", [Wrong(field="task_id", expected=expected)])
    wrong = [*check_tier(request, task, tiers), *check_files(_files(request, task), task.entry_file)]
    if wrong:
        return IntakeError("invalid-submission", [_as_sent(each, request, task) for each in wrong])
    return _ready(request, task, submitter, now)


def _unknown_task(catalog: Catalog, request: RunRequest) -> IntakeError:
    try:
        newest = catalog.summary(TaskId(request.task_id)).version
    except NotFoundError:
        expected = f"the id of a task that was uploaded (GET /v1/tasks lists them), not {request.task_id!r}"
        return IntakeError("unknown-task", [Wrong(field="task_id", expected=expected)])
    expected = f"a version of {request.task_id} (the newest is {newest}), not {request.task_version!r}"
    return IntakeError("unknown-task", [Wrong(field="task_version", expected=expected)])


def _ready(request: RunRequest, task: TaskSummary, submitter: str, now: datetime) -> _Checked:
    files = _files(request, task)
    key = json.dumps([submitter, request.idempotency_key]) if request.idempotency_key else ""
    fingerprint = _fingerprint(request)
    # Derived from the key, if there is one, so that a repeated request is answered with its first submission.
    seed = f"{key}{fingerprint}" if key else ""
    id = hashlib.sha256(seed.encode()).hexdigest()[:20] if seed else secrets.token_hex(10)
    submission = Submission(
        id=SubmissionId(f"sub_{id}"),
        task_id=task.id,
        files=files,
        model=request.model,
        group_id=request.group_id,
    )
    record = SubmissionRecord(
        submission=submission,
        task_version=task.version,
        client_id=request.id,
        tag=request.tag,
        created_at=now,
        minimum_tier=Tier(request.minimum_tier or Tier.JAIL),
        submitter=submitter,
    )
    return _Checked(record=record, key=key, fingerprint=fingerprint)


def _fingerprint(request: RunRequest) -> str:
    """Return a hash of the request without its key; `solution` and equal `files` are different requests."""
    content = [
        request.task_id,
        request.task_version,
        request.solution,
        None if request.files is None else dict(request.files),
        request.id,
        request.tag,
        request.model,
        request.group_id,
        # keys from before there were tiers keep their fingerprints
        *([request.minimum_tier] if request.minimum_tier else []),
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _files(request: RunRequest, task: TaskSummary) -> Mapping[str, str]:
    """Return the files of the submission. If none of them has code, an empty entry file is among them."""
    if request.files is None:
        return {task.entry_file: request.solution or ""}
    blank = not any(text.strip() for text in request.files.values())
    return {task.entry_file: "", **request.files} if blank else request.files


def _as_sent(wrong: Wrong, request: RunRequest, task: TaskSummary) -> Wrong:
    """Return the fault under the field that the submitter wrote: a single file came as `solution`."""
    if request.solution is not None and wrong.field == f"files.{task.entry_file}":
        return Wrong(field="solution", expected=wrong.expected)
    return wrong


def _is_path(path: str) -> bool:
    parts = path.split("/")
    plain = path.isprintable() and "\\" not in path and len(path.encode()) <= MAX_PATH
    return plain and not any(part in {"", ".", ".."} for part in parts)


def _check_text(text: str, field: str) -> Iterator[Wrong]:
    if "\0" in text:
        yield Wrong(field=field, expected="text without NUL characters")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        yield Wrong(
            field=field, expected=f"text that can be written as UTF-8 (lone surrogate at character {error.start})"
        )


def _shown(path: str) -> str:
    """Return the path for an answer: control characters visible, and no longer than needed to find it."""
    return ascii(path)[1:-1][:MAX_PATH] if not path.isprintable() or len(path) > MAX_PATH else path
