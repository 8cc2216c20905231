"""The worth of a task's suites: which mistakes they notice, and whether their verdict on the reference is stable.

The programs that are tried come from the reference (mutants, a program for each branch that ends itself there, trivial answers)
and from the package (`wrong/`). They run in boxes that are opened here, as with `assay amplify`, because the service does not
reveal which case a program failed.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

from graders.interface import CaseOutcome, Command, Limits, Outcome, Task
from graders.suites.kinds import KINDS
from graders.tasks import package
from sandboxes.interface import Sandbox
from service.authoring.amplify.amplify import has_target
from service.authoring.mutation.branches import Branch, branches
from service.authoring.mutation.mutants import Mutant, mutants
from service.authoring.trivial import trivial_functions, trivial_programs
from service.authoring.variants import VariantRunner, all_passed, mutant_name
from service.progress import Progress

MUTANTS = 80
QUIET_RUNS, LOADED_RUNS = 3, 2
"""Runs of the reference alone, and runs beside as many busy programs as the machine has cores."""
HASH_SEEDS = ("1", "20071", "3", "777", "42")
"""Each of these runs has another order of sets: a suite that depends on it would fail right submissions now and then."""
_BUSY = Command(
    argv=("python3", "-c", "while True: pass"),
    limits=Limits(wall_seconds=600, cpu_seconds=600, memory_mib=64, disk_mib=16, processes=4),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trivial:
    """An answer that does nothing of what is asked."""

    does: str
    """Its behaviour in words: `return None`."""
    passes: frozenset[str]
    """Cases."""


@dataclass(frozen=True, kw_only=True)
class Strength:
    """The result. A case is named by its suite and its id: `hidden/empty`."""

    task_id: str
    version: str
    cases: tuple[str, ...]
    runs: int
    """Number of runs of the reference."""
    flaky: Mapping[str, int]
    """Cases that the reference did not pass in each run -> in how many it did not."""
    mutants: tuple[Mutant, ...]
    """The mutants of the reference that were tried."""
    alive: tuple[int, ...]
    """Indices of the `mutants` that pass all suites."""
    branches: tuple[Branch, ...]
    """The branches of the reference that were tried."""
    missed: tuple[Branch, ...]
    """The branches that no case takes."""
    trivial: tuple[Trivial, ...]
    failed: Mapping[str, frozenset[str]]
    """Program (a mutant, a trivial answer, a wrong submission) -> the cases that it failed."""
    unseen: int
    """Number of programs that did not run because time was up."""
    rests: Mapping[str, str]
    """Case -> which objects or names of the submission had a say in its verdict on the reference."""
    can_amplify: bool
    """True if `assay amplify` could propose cases for the task."""

    @cached_property
    def redundant(self) -> tuple[str, ...]:
        """Return the cases without which the same programs would be noticed; of two such cases the later one."""
        kept = set(self.cases)
        noticed = [cases for cases in self.failed.values() if cases]
        for case in reversed(self.cases):
            if all(cases & kept != {case} for cases in noticed):
                kept.remove(case)
        return tuple(case for case in self.cases if case not in kept) if noticed else ()

    @property
    def passed_by_nothing(self) -> tuple[str, ...]:
        """The trivial answers that pass every case, in words."""
        return tuple(each.does for each in self.trivial if len(each.passes) == len(self.cases))

    @property
    def sound(self) -> bool:
        """No case is flaky, and no trivial answer passes. What else is found is for the author to judge."""
        return not self.flaky and not self.passed_by_nothing


def strength(files: Mapping[str, str], sandbox: Sandbox, progress: Progress, *, seconds: float) -> Strength:
    """Try the suites of the package (path -> text).

    Args:
        files: the task package.
        sandbox: runs every program.
        progress: receives each step.
        seconds: time limit; programs that have not been tried by then are left out and counted.

    Raises PackageError, TaskUnusable (the reference fails its own suites), SandboxError.
    """
    packaged = package.parse(files)
    task = _all_cases(packaged.task)
    trials = VariantRunner(task=task, sandbox=sandbox, progress=progress, deadline=time.monotonic() + seconds)
    trials.check_reference()
    runs = _reference_runs(trials)
    wrong = {each.name: each.files for each in packaged.submissions if each.kind == "wrong"}
    empty = _trivial(task)
    made = _mutants(task)
    ways = _branches(task)
    failed = {name: _failed(each) for name, each in trials.tried("wrong submissions", wrong).items()}
    answers = trials.tried("trivial answers", empty)
    failed |= {does: _failed(outcomes) for does, outcomes in answers.items()}
    mutated = trials.tried("mutants of the reference", {name: program for name, (_, program) in made.items()})
    failed |= {name: _failed(outcomes) for name, outcomes in mutated.items()}
    gone = trials.tried("ways through the reference", {name: program for name, (_, program) in ways.items()})
    tried = [made[name][0] for name in mutated]
    return Strength(
        task_id=task.id,
        version=task.version,
        cases=tuple(map(_name, _by_number(runs[0]))),
        runs=len(runs),
        flaky=_flaky(runs),
        mutants=tuple(tried),
        alive=tuple(number for number, outcomes in enumerate(mutated.values()) if all_passed(outcomes)),
        branches=tuple(ways[name][0] for name in gone),
        missed=tuple(ways[name][0] for name, outcomes in gone.items() if all_passed(outcomes)),
        trivial=tuple(Trivial(does=does, passes=_passed(outcomes)) for does, outcomes in answers.items()),
        failed=failed,
        unseen=trials.unseen,
        rests={_name(each): each.note for each in runs[0] if each.note},
        can_amplify=has_target(task),
    )


def _all_cases(task: Task) -> Task:
    """Return the task with suites that run every case, whatever the result of those before it."""
    suites = (
        replace(suite, options={name: value for name, value in suite.options.items() if name != "stop_on_failure"})
        for suite in task.suites
    )
    return replace(task, suites=tuple(suites))


def _reference_runs(trials: VariantRunner) -> list[list[CaseOutcome]]:
    """Return the outcomes of each run of the reference."""
    trials.progress.start("the reference, again and again", total=len(HASH_SEEDS), done=0)
    runs = []
    for number, seed in enumerate(HASH_SEEDS):
        with _busy(trials.sandbox, (os.cpu_count() or 1) if number >= QUIET_RUNS else 0):
            runs.append(trials.outcomes(trials.task.reference, environment={"PYTHONHASHSEED": seed}))
        trials.progress.advance()
    return runs


@contextmanager
def _busy(sandbox: Sandbox, programs: int) -> Iterator[None]:
    """Run this number of programs that only compute, each in a box of its own."""
    with ExitStack() as stack:
        for _ in range(programs):
            stack.enter_context(stack.enter_context(sandbox.session()).converse(_BUSY))
        yield


def _flaky(runs: Sequence[Sequence[CaseOutcome]]) -> dict[str, int]:
    lost = {_name(each): 0 for each in runs[0]}
    for each in (outcome for run in runs for outcome in run):
        lost[_name(each)] += each.outcome not in (Outcome.PASSED, Outcome.NOT_TRIED)
    return {case: times for case, times in lost.items() if times}


def _python(task: Task) -> list[tuple[str, str]]:
    """Return the reference's Python files: path and text."""
    return [(path, text) for path, text in task.reference.items() if path.endswith(".py")]


def _mutants(task: Task) -> dict[str, tuple[Mutant, Mapping[str, str]]]:
    """Return mutants by name, spread evenly over the reference's files."""
    programs = _python(task)
    most = max(1, MUTANTS // len(programs))
    found = [
        (mutant, {**task.reference, path: mutant.source})
        for path, text in programs
        for mutant in mutants(text, most=most, path=path)
    ]
    return {mutant_name(number): each for number, each in enumerate(found)}


def _branches(task: Task) -> dict[str, tuple[Branch, Mapping[str, str]]]:
    found = [
        (replace(branch, never=f"{path}, line {branch.line}: {branch.never}"), {**task.reference, path: branch.source})
        for path, text in _python(task)
        for branch in branches(text)
    ]
    return {str(number): each for number, each in enumerate(found)}


def _trivial(task: Task) -> dict[str, Mapping[str, str]]:
    """Return trivial programs if the task expects a program, else functions that always answer the same."""
    if any(KINDS[suite.kind].runs_programs for suite in task.suites):
        return {does: {task.entry_file: program} for does, program in trivial_programs().items()}
    programs: dict[str, dict[str, str]] = {}
    for path, text in _python(task):
        for does, program in trivial_functions(text).items():
            programs.setdefault(does, dict(task.reference))[path] = program
    return dict(programs)


def _by_number(outcomes: Sequence[CaseOutcome]) -> Sequence[CaseOutcome]:
    """Return the cases by suite and number, because the order in which they run differs between versions of a task."""
    suites = list(dict.fromkeys(each.suite for each in outcomes))
    return sorted(outcomes, key=lambda each: (suites.index(each.suite), each.number))


def _name(outcome: CaseOutcome) -> str:
    return f"{outcome.suite}/{outcome.case}"


def _failed(outcomes: Sequence[CaseOutcome]) -> frozenset[str]:
    """Return the failed cases, without those that were not run, not tried or are disputed: they have no verdict."""
    return frozenset(_name(each) for each in outcomes if each.outcome in (Outcome.FAILED, Outcome.ERROR))


def _passed(outcomes: Sequence[CaseOutcome]) -> frozenset[str]:
    return frozenset(_name(each) for each in outcomes if each.outcome is Outcome.PASSED)
