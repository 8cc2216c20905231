"""Why a run is ungradable or disputed, as texts by name, for two kinds of readers.

Authors, reviewers and the log get all of it. It may quote hidden tests, a checker's source or the program's output, so a
submitter gets only the kind of failure, its place, and a reference by which the others find the rest.
"""

import hashlib
import json
from collections.abc import Mapping

from graders.interface import TaskUnusable
from graders.plugins.fence import text_of
from sandboxes.interface import SandboxError
from service.evaluation.disputes import DISPUTED, TO_SUBMITTER
from service.evaluation.pool import EvaluationFailedError
from service.storage.interface import RunId

SANDBOX, TASK, INTERNAL = "sandbox", "task", "internal"
_SAYS = {
    SANDBOX: "In all attempts, no box could be started for it.",
    TASK: "The task is unusable as it is: its reference, its tests or its checker failed. Its author can see how.",
    DISPUTED: TO_SUBMITTER,
    INTERNAL: "We failed, in all attempts. The service's operator can see how.",
}


def of_failure(run_id: RunId, error: BaseException) -> Mapping[str, str]:
    """Return all that is known of a failed attempt: `kind`, `message`, the error's other fields, and `reference`."""
    if isinstance(error, SandboxError):
        return referred(run_id, {"kind": SANDBOX, **error.diagnostics()})
    if isinstance(error, TaskUnusable):
        return referred(run_id, {"kind": TASK, **error.place(), "message": str(error)})
    kind = error.kind if isinstance(error, EvaluationFailedError) else type(error).__name__
    return referred(run_id, {"kind": kind, "message": text_of(error)})


def referred(run_id: RunId, diagnostics: Mapping[str, str]) -> Mapping[str, str]:
    """Return the same with its `reference`, which is equal for equal failures of a run."""
    content = json.dumps([run_id, dict(diagnostics)], sort_keys=True)
    return {**diagnostics, "reference": f"diag_{hashlib.sha256(content.encode()).hexdigest()[:12]}"}


def for_submitter(run_id: RunId, diagnostics: Mapping[str, str]) -> Mapping[str, str]:
    """Return kind, suite, case number if there is one, our sentence and the reference; empty for empty diagnostics."""
    if not diagnostics:
        return {}
    kind = diagnostics.get("kind", INTERNAL)
    kind = kind if kind in _SAYS else INTERNAL
    place = {name: diagnostics[name] for name in ("suite", "case") if kind in (TASK, DISPUTED) and name in diagnostics}
    # What was stored before there were references is found by the run alone.
    return {"kind": kind, **place, "message": _SAYS[kind], "reference": diagnostics.get("reference", run_id)}
