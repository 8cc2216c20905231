"""What a submission tried in its boxes, told to a reviewer. Pure.

The box refuses or notices (sandboxes.interface.Evidence); here it becomes sentences with a severity. None of it is a
verdict: an honest program may start another one. What the hidden tests themselves do, as far as the reference's run
showed it, is not the submission's doing.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from graders.interface import Behaviour, Evidence, Execution, Severity

SHOWN = 6
"""So many acts of each rule and severity are told of a submission, so that none hides another; the others are counted."""
RULE = "assay/box-"
"""Followed by the behaviour: `assay/box-network`."""

_CALLS = {
    "connect": "It tried to connect to {}{}; the box has no network.",
    "sendto": "It tried to send to {}{}; the box has no network.",
    "bind": "It tried to listen at {}{}; the box has no network.",
}
"""What it named an address for -> what is said of it."""
_SAYS = {
    Behaviour.NETWORK: "It asked for the network ({}{}); the box has none.",
    Behaviour.PROGRAM: "It started another program: {}{}.",
    Behaviour.WRITE: "It tried to change a file outside of its own places: {}{}.",
    Behaviour.READ: "It opened what holds nothing for it: {}{}.",
    Behaviour.SYSCALL: "It made a system call that no program here needs: {}{}.",
    Behaviour.PROCESSES: "It started more processes or threads than it may: {}{}.",
}
"""CHANNEL is not among them: that is play with the examination, and has a finding of its own (graders.hidden_tests)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that a submission did, however often and in however many of its boxes."""

    rule: str
    says: str
    """A sentence for a reviewer. Untrusted: the submission chose addresses, paths and names."""
    severity: Severity
    times: int = 1


def acts(executions: Iterable[Execution]) -> tuple[Sequence[Act], int]:
    """What was refused or noticed, the same things added up, worst first; and how many attempts are left out of it."""
    counts: Counter[Evidence] = Counter()
    for execution in executions:
        for seen in execution.evidence:
            counts[replace(seen, times=1)] += seen.times
    told: list[Act] = []
    left_out = 0
    kinds: Counter[tuple[str, Severity]] = Counter()
    for seen, times in counts.items():
        if seen.behaviour not in _SAYS:
            continue
        act = _act(seen, times)
        if seen.left_out or kinds[act.rule, act.severity] == SHOWN:
            left_out += times
        else:
            kinds[act.rule, act.severity] += 1
            told.append(act)
    return sorted(told, key=lambda act: -act.severity.rank), left_out


def beyond(execution: Execution, ordinary: Iterable[Evidence]) -> Execution:
    """The execution without the evidence that is ordinary for its task, however often it was seen."""
    known = {replace(seen, times=1) for seen in ordinary}
    return replace(
        execution, evidence=tuple(seen for seen in execution.evidence if replace(seen, times=1) not in known)
    )


def _act(seen: Evidence, times: int) -> Act:
    call, _, address = seen.detail.partition(" ")
    named = seen.behaviour is Behaviour.NETWORK and call in _CALLS and address
    form, what = (_CALLS[call], address) if named else (_SAYS[seen.behaviour], seen.detail)
    return Act(
        rule=f"{RULE}{seen.behaviour}",
        says=form.format(what, f" ({times} times)" if times > 1 else ""),
        severity=_severity(seen, named=bool(named)),
        times=times,
    )


def _severity(seen: Evidence, *, named: bool) -> Severity:
    """High for what is seldom done by accident; a socket alone, without an address, may be a library's doing."""
    if seen.behaviour is Behaviour.PROGRAM:
        return Severity.LOW
    return Severity.HIGH if named or seen.behaviour is Behaviour.READ else Severity.MEDIUM
