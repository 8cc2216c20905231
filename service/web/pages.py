"""The reviewer's pages under /review, and the small requests that those pages make.

A page is one GET that claims the run; after that each change is one request that may be repeated without harm. The last
missing decision makes the review. Confirmed or overridden is computed here from the values, never taken from the page.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NoReturn

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pydantic import Field
from starlette.staticfiles import StaticFiles

from rubrics.model import Decision, Review, Rubric
from rubrics.review import decide
from service.app_state import Assay, Services
from service.edge.access import Required, Reviewer, csrf_token
from service.edge.guard import Guarded
from service.edge.problems import ProblemError
from service.schemas import Body, ErrorField
from service.storage.interface import (
    ConflictError,
    DraftDecision,
    NotFoundError,
    ReviewerId,
    ReviewerProgress,
    ReviewRecord,
    RunId,
    RunOutcome,
    RunRecord,
    RunResult,
)
from service.visible_text import chips, plain
from service.web import present
from service.web.present import HARM

SKIP_REASONS = (
    "The prompt is unclear",
    "I lack the knowledge to judge this",
    "Something is wrong with the page or the evidence",
    "Another reason",
)
KEYS = (
    ("Space", "confirm the suggestion and go on; does nothing where there is none"),
    ("0 1 2 3 4", "set that level and go on; the numeric pad works too"),
    ("J K ↓ ↑", "next, previous criterion"),
    ("E", "jump to the evidence; again for the next piece"),
    ("N", "note on the criterion; Escape leaves it"),
    ("F", "flag harm"),
    ("S", "skip, with a reason"),
    ("U", "undo; after a saved review it brings that one back"),
    ("?", "this help"),
)

router = APIRouter(prefix="/review", include_in_schema=False, route_class=Guarded)


class DraftIn(Body):
    most_mib = 1
    level: int | None = None
    note: str = Field("", max_length=10_000)
    milliseconds: int = Field(0, ge=0, le=10**12)


class HarmIn(Body):
    most_mib = 1
    note: str = Field("", max_length=10_000)


class UndoIn(Body):
    most_mib = 1
    criterion: str = Field("", description="The decision to open again; empty for the last one of the rubric.")


class SkipIn(Body):
    most_mib = 1
    reason: str = Field(min_length=1, max_length=2_000)


@router.get("")
def queue(assay: Assay, who: Reviewer) -> Response:
    """What waits for this reviewer."""
    entries = assay.storage.queue(ReviewerId(who.name), now=assay.now())
    return _page("queue.html", entries=entries, progress=_progress(assay, who.name), reviewer=who.name)


@router.get("/next")
def next_run(assay: Assay, who: Reviewer) -> Response:
    """Claim the next run of the queue and go there."""
    run_id = assay.storage.claim(ReviewerId(who.name), None, now=assay.now())
    return RedirectResponse(f"/review/{run_id}" if run_id else "/review", status_code=303)


@router.get("/static/{name}")
async def static(name: str, request: Request) -> Response:
    """Our scripts and styles; the browser asks each time whether they have changed."""
    response = await _static_files().get_response(name, request.scope)
    response.headers["Cache-Control"] = "no-cache"
    return response


@router.get("/{run_id}")
def single_response(run_id: str, request: Request, assay: Assay, who: Reviewer) -> Response:
    """The single-response screen."""
    reviewer = ReviewerId(who.name)
    try:
        run, findings, rubric = _reviewable(assay, RunId(run_id))
        review = _standing(assay, run.id, reviewer)
        if review is None:
            assay.storage.claim(reviewer, run.id, now=assay.now())
    except NotFoundError:
        return _notice("There is no such response", "The address names a run that does not exist.", 404)
    except ConflictError as error:
        return _notice("Not open for you now", f"This cannot be reviewed now: {error}.", 409)
    submission = run.submission
    summary = assay.catalog.summary(submission.submission.task_id, submission.task_version)
    return _page(
        "review.html",
        screen=present.screen(
            run,
            findings,
            title=summary.title,
            prompt=summary.prompt,
            rubric=rubric,
            drafts=assay.storage.drafts(run.id, reviewer),
            review=review,
        ),
        progress=_progress(assay, who.name),
        reviewer=who.name,
        csrf=csrf_token(request),
        skip_reasons=SKIP_REASONS,
        keys=KEYS,
    )


@router.get("/{run_id}/files/{index}", dependencies=[Depends(Required("reviewer"))])
def file_text(run_id: str, index: int, assay: Assay) -> Response:
    """One file of the response, whole, as plain text. `index` counts the paths in sorted order."""
    files = sorted(assay.storage.run(RunId(run_id)).submission.submission.files.items())
    if not 0 <= index < len(files):
        raise NotFoundError(f"file {index} in run {run_id}")
    return PlainTextResponse(files[index][1].encode("utf-8", "backslashreplace"))


@router.put("/{run_id}/draft/{criterion}")
def save_draft(run_id: str, criterion: str, body: DraftIn, assay: Assay, who: Reviewer) -> dict[str, bool]:
    """Keep the decision on one criterion. `saved` is true once this completed the review, or had done so before."""
    run, findings, rubric = _reviewable(assay, RunId(run_id))
    reviewer = ReviewerId(who.name)
    _check_level(rubric, criterion, body.level)
    standing = _standing(assay, run.id, reviewer)
    if standing is not None:
        return {"saved": _repeats(standing, criterion, body)}
    decision = DraftDecision(criterion=criterion, level=body.level, note=body.note, milliseconds=body.milliseconds)
    assay.storage.save_draft(run.id, reviewer, decision, criterion, assay.now())
    review = _completed(findings, rubric, assay.storage.drafts(run.id, reviewer).values())
    if review is not None:
        assay.storage.add_review(run.id, reviewer, review, assay.now())
    return {"saved": review is not None}


@router.delete("/{run_id}/draft/{criterion}")
def clear_draft(run_id: str, criterion: str, assay: Assay, who: Reviewer) -> dict[str, bool]:
    """Forget the decision and the note on one criterion."""
    run, _findings, rubric = _reviewable(assay, RunId(run_id))
    _check_level(rubric, criterion, None)
    _change_draft(assay, run.id, ReviewerId(who.name), None, criterion)
    return {"saved": False}


@router.put("/{run_id}/harm")
def flag_harm(run_id: str, body: HarmIn, assay: Assay, who: Reviewer) -> dict[str, bool]:
    run, _findings, _rubric = _reviewable(assay, RunId(run_id))
    flag = DraftDecision(criterion=HARM, level=1, note=body.note, milliseconds=0)
    _change_draft(assay, run.id, ReviewerId(who.name), flag, HARM)
    return {"saved": False}


@router.delete("/{run_id}/harm")
def clear_harm(run_id: str, assay: Assay, who: Reviewer) -> dict[str, bool]:
    run, _findings, _rubric = _reviewable(assay, RunId(run_id))
    _change_draft(assay, run.id, ReviewerId(who.name), None, HARM)
    return {"saved": False}


@router.post("/{run_id}/undo")
def undo(run_id: str, body: UndoIn, assay: Assay, who: Reviewer) -> dict[str, bool]:
    """Take the standing review back and open it again, with one of its criteria undecided so that it can be completed.

    Without a standing review nothing happens: a repetition of the request finds it withdrawn already.
    """
    run, _findings, rubric = _reviewable(assay, RunId(run_id))
    reviewer = ReviewerId(who.name)
    opened = body.criterion or rubric.criteria[-1].id
    _check_level(rubric, opened, None)
    standing = _standing(assay, run.id, reviewer)
    if standing is not None:
        drafts = [
            DraftDecision(
                criterion=id, level=None if id == opened else kept.level, note=kept.note, milliseconds=kept.milliseconds
            )
            for id, kept in present.reviewed(standing).items()
        ]
        assay.storage.withdraw_review(run.id, reviewer, assay.now(), drafts)
    return {"saved": False}


@router.post("/{run_id}/skip")
def skip(run_id: str, body: SkipIn, assay: Assay, who: Reviewer) -> dict[str, bool]:
    """Give the run back to the queue, for others."""
    run = assay.storage.run(RunId(run_id))
    assay.storage.skip(run.id, ReviewerId(who.name), body.reason, assay.now())
    return {"saved": False}


def _reviewable(assay: Services, run_id: RunId) -> tuple[RunRecord, RunResult, Rubric]:
    """Raises NotFoundError, and ConflictError where there is nothing that a human could judge."""
    run = assay.storage.run(run_id)
    if run.findings is None:
        raise ConflictError("its evaluation is not finished")
    if run.findings.outcome is RunOutcome.UNGRADABLE:
        raise ConflictError("it could not be evaluated, which is our failure and not the response's")
    if run.findings.rubric_id not in assay.rubrics:
        raise ConflictError(f"its rubric {run.findings.rubric_id} is not installed any more")
    return run, run.findings, assay.rubrics[run.findings.rubric_id]


def _standing(assay: Services, run_id: RunId, reviewer: ReviewerId) -> ReviewRecord | None:
    return next((record for record in assay.storage.reviews(run_id=run_id) if record.reviewer == reviewer), None)


def _check_level(rubric: Rubric, criterion: str, level: int | None) -> None:
    known = {entry.id: entry for entry in rubric.criteria}
    if criterion not in known:
        _refuse("criterion", f"one of {', '.join(known)}")
    if level is not None and all(level != entry.value for entry in known[criterion].levels):
        _refuse("level", f"a level of {criterion}, 0 to {len(known[criterion].levels) - 1}")


def _refuse(field: str, expected: str) -> NoReturn:
    raise ProblemError("invalid-review", f"{field}: expected {expected}", [ErrorField(field=field, expected=expected)])


def _repeats(standing: ReviewRecord, criterion: str, body: DraftIn) -> bool:
    """True for a change that the review contains already, as when its answer was lost. Raises ConflictError."""
    kept = present.reviewed(standing)[criterion]
    if (kept.level, kept.note) != (body.level, body.note):
        raise ConflictError("you have reviewed this response already; undo reopens it")
    return True


def _change_draft(
    assay: Services, run_id: RunId, reviewer: ReviewerId, decision: DraftDecision | None, criterion: str
) -> None:
    if _standing(assay, run_id, reviewer) is not None:
        raise ConflictError("you have reviewed this response already; undo reopens it")
    assay.storage.save_draft(run_id, reviewer, decision, criterion, assay.now())


def _completed(findings: RunResult, rubric: Rubric, drafts: Iterable[DraftDecision]) -> Review | None:
    """The review that the drafts make, or None while a criterion is open."""
    kept = {draft.criterion: draft for draft in drafts}
    decisions = [
        Decision(criterion=draft.criterion, level=draft.level, note=draft.note, milliseconds=draft.milliseconds)
        for draft in (kept.get(criterion.id) for criterion in rubric.criteria)
        if draft is not None and draft.level is not None
    ]
    if len(decisions) < len(rubric.criteria):
        return None
    harm = kept.get(HARM)
    suggested = present.suggestions(findings, rubric)
    return decide(rubric, suggested, decisions, harm=harm is not None, harm_note=harm.note if harm else "")


def _progress(assay: Services, reviewer: str) -> ReviewerProgress:
    """Today is the day in UTC."""
    now = assay.now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return assay.storage.progress(ReviewerId(reviewer), since=midnight, now=now)


def _notice(heading: str, text: str, status: int) -> HTMLResponse:
    return _page("notice.html", status, heading=heading, text=text)


def _page(template: str, status: int = 200, **values: object) -> HTMLResponse:
    return HTMLResponse(_templates().get_template(template).render(**values), status)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("service.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["chips"] = chips
    environment.filters["worst"] = lambda severities: max(severities, key=lambda severity: severity.rank)
    return environment


def _shown(value: object) -> object:
    """Nothing hidden gets into a page, wherever a template puts a text."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _static_files() -> StaticFiles:
    return StaticFiles(directory=Path(__file__).with_name("static"))
