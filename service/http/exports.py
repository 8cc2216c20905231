"""Decisions as training data."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from service.app_state import Assay
from service.edge.access import Author
from service.edge.guard import Guarded
from service.edge.problems import ProblemError, described
from service.exports import FORMATS, UnknownFormatError, export
from service.schemas import ErrorField

MEDIA_TYPE = "application/x-ndjson"
_ROWS_AT_ONCE = 50

router = APIRouter(tags=["exports"], route_class=Guarded)


@router.get(
    "/exports/{format}",
    response_class=StreamingResponse,
    responses={
        200: {"content": {MEDIA_TYPE: {}}, "description": "One JSON object a line."},
        404: described("The format is unknown."),
    },
)
def get_export(format: str, assay: Assay, _: Author) -> StreamingResponse:
    """Return what reviewers have decided, as NDJSON: `preference`, `kto` or `jsonl` (docs/reference/exports.md)."""
    try:
        rows = export(assay.storage, format)
    except UnknownFormatError as error:
        field = ErrorField(field="format", expected=f"one of {', '.join(FORMATS)}")
        raise ProblemError("not-found", f"{error}.", [field]) from error
    return StreamingResponse(_chunks(rows), media_type=MEDIA_TYPE)


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    # Each chunk is a trip to the thread pool. ASCII, because a submission's text may hold lone surrogates.
    while some := list(islice(rows, _ROWS_AT_ONCE)):
        yield "".join(f"{json.dumps(row, allow_nan=False)}\n" for row in some).encode("ascii")
