"""The reviewer's pages under /review, and the small requests that those pages make.

A page is one GET that claims the run. After that, each change is one request that may be repeated without harm. Routes
translate to and from `service.reviewing`, which decides everything.
"""

from functools import cache
from pathlib import Path

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from pydantic import Field
from starlette.staticfiles import StaticFiles

from service.app_state import Assay
from service.edge.access import Required, Reviewer, csrf_token
from service.edge.guard import Guarded
from service.schemas import Body
from service.storage.interface import ConflictError, DraftDecision, NotFoundError, ReviewerId, RunId
from service.visible_text import chips, plain
from service.web import present

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
    """Show what waits for this reviewer."""
    reviewer = ReviewerId(who.name)
    entries, progress = assay.reviewing.queue(reviewer), assay.reviewing.progress(reviewer)
    return _page("queue.html", entries=entries, progress=progress, reviewer=who.name)


@router.get("/next")
def next_run(assay: Assay, who: Reviewer) -> Response:
    """Claim the next run of the queue and go there."""
    run_id = assay.reviewing.claim_next(ReviewerId(who.name))
    return RedirectResponse(f"/review/{run_id}" if run_id else "/review", status_code=303)


@router.get("/static/{name}")
async def static(name: str, request: Request) -> Response:
    """Return one of our scripts or styles. The browser asks each time whether it has changed."""
    response = await _static_files().get_response(name, request.scope)
    response.headers["Cache-Control"] = "no-cache"
    return response


@router.get("/{run_id}")
def single_response(run_id: str, request: Request, assay: Assay, who: Reviewer) -> Response:
    """Show the single-response screen."""
    reviewer = ReviewerId(who.name)
    try:
        opened = assay.reviewing.open(RunId(run_id), reviewer)
    except NotFoundError:
        return _notice("There is no such response", "The address names a run that does not exist.", 404)
    except ConflictError as error:
        return _notice("Not open for you now", f"This cannot be reviewed now: {error}.", 409)
    submission = opened.run.submission
    summary = assay.catalog.summary(submission.submission.task_id, submission.task_version)
    return _page(
        "review.html",
        screen=present.screen(opened, title=summary.title, prompt=summary.prompt),
        progress=assay.reviewing.progress(reviewer),
        reviewer=who.name,
        csrf=csrf_token(request),
        skip_reasons=SKIP_REASONS,
        keys=KEYS,
    )


@router.get("/{run_id}/files/{index}", dependencies=[Depends(Required("reviewer"))])
def file_text(run_id: str, index: int, assay: Assay) -> Response:
    """Return one file of the response, whole, as plain text. `index` counts the paths in sorted order."""
    files = sorted(assay.storage.runs.get(RunId(run_id)).submission.submission.files.items())
    if not 0 <= index < len(files):
        raise NotFoundError(f"file {index} in run {run_id}")
    return PlainTextResponse(files[index][1].encode("utf-8", "backslashreplace"))


@router.put("/{run_id}/draft/{criterion}")
def save_draft(run_id: str, criterion: str, body: DraftIn, assay: Assay, who: Reviewer) -> dict[str, bool]:
    """Keep the decision on one criterion. `saved` is true if the review is complete."""
    decision = DraftDecision(criterion=criterion, level=body.level, note=body.note, milliseconds=body.milliseconds)
    return {"saved": assay.reviewing.decide(RunId(run_id), ReviewerId(who.name), decision)}


@router.delete("/{run_id}/draft/{criterion}")
def clear_draft(run_id: str, criterion: str, assay: Assay, who: Reviewer) -> dict[str, bool]:
    """Forget the decision and the note on one criterion."""
    assay.reviewing.clear(RunId(run_id), ReviewerId(who.name), criterion)
    return {"saved": False}


@router.put("/{run_id}/harm")
def flag_harm(run_id: str, body: HarmIn, assay: Assay, who: Reviewer) -> dict[str, bool]:
    """Raise the harm flag."""
    assay.reviewing.flag_harm(RunId(run_id), ReviewerId(who.name), body.note)
    return {"saved": False}


@router.delete("/{run_id}/harm")
def clear_harm(run_id: str, assay: Assay, who: Reviewer) -> dict[str, bool]:
    """Take the harm flag back."""
    assay.reviewing.clear_harm(RunId(run_id), ReviewerId(who.name))
    return {"saved": False}


@router.post("/{run_id}/undo")
def undo(run_id: str, body: UndoIn, assay: Assay, who: Reviewer) -> dict[str, bool]:
    """Withdraw the saved review and open it again, with one criterion undecided."""
    assay.reviewing.undo(RunId(run_id), ReviewerId(who.name), body.criterion)
    return {"saved": False}


@router.post("/{run_id}/skip")
def skip(run_id: str, body: SkipIn, assay: Assay, who: Reviewer) -> dict[str, bool]:
    """Give the run back to the queue, for other reviewers."""
    assay.reviewing.skip(RunId(run_id), ReviewerId(who.name), body.reason)
    return {"saved": False}


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
    """Return a text with its hidden characters made visible, wherever a template puts it."""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _static_files() -> StaticFiles:
    return StaticFiles(directory=Path(__file__).with_name("static"))
