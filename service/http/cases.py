"""The hidden cases of a run, for authors and reviewers."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from rubrics.signals import CaseOutcome, Outcome
from service.app_state import Assay
from service.edge.access import Required
from service.edge.guard import Guarded
from service.edge.problems import described
from service.http.view import writable
from service.schemas import CaseOut, CasesOut
from service.storage.interface import Principal, RunId

router = APIRouter(tags=["runs"], route_class=Guarded)

AuthorOrReviewer = Annotated[Principal, Depends(Required("author", "reviewer"))]


@router.get("/runs/{run_id}/cases", responses={404: described("There is no such run.")})
def list_cases(
    run_id: str,
    assay: Assay,
    _: AuthorOrReviewer,
    passed: Annotated[bool, Query(description="Include the cases that passed.")] = False,  # noqa: FBT002
    after: Annotated[str, Query(pattern=r"^[0-9]{0,9}$", description="`next` of an earlier answer.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> CasesOut:
    """Return the hidden cases of a run that did not pass, in the order in which they ran, with input, wanted and got.

    For authors and reviewers: a submitter never sees the contents of a hidden case. The first failing cases of a suite
    carry their texts, each cut to some thousand characters. A run that is not done, or is ungradable, has no cases.
    """
    listed = [case for case in assay.storage.runs.cases(RunId(run_id)) if passed or case.outcome is not Outcome.PASSED]
    first = int(after or 0)
    page = listed[first : first + limit]
    end = first + len(page)
    return CasesOut(cases=[_out(case) for case in page], next=str(end) if end < len(listed) else "")


def _out(case: CaseOutcome) -> CaseOut:
    return CaseOut(
        suite=case.suite,
        case=writable(case.case),
        outcome=case.outcome,
        weight=case.weight,
        credit=case.credit,
        group=case.group,
        end=case.end,
        seconds=case.seconds,
        given=writable(case.given),
        wanted=writable(case.wanted),
        got=writable(case.got),
        note=writable(case.note),
        integrity=case.integrity,
    )
