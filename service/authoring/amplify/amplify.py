"""`assay amplify`: propose cases that notice mistakes which a task's suites miss, from the reference's answers.

Inputs are made here (`service.authoring.inputs.generate`: plain data, pure). The reference, its mutants and the package's own
submissions run in boxes only. If the reference refuses an input, or answers it differently a second time, the input is not
made a case. The command opens boxes itself instead of using HTTP like `assay verify`: no API returns the reference's answers.

    AmplifyError            the task cannot have proposals; says why and what its author can change
"""

import ast
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from graders.interface import Suite, Task, TaskUnusable
from graders.suites.call.cases import parse_cases
from graders.suites.call.suite import CallSuite
from graders.tasks import package
from sandboxes.interface import Sandbox
from service.authoring.amplify.cases import (
    Candidate,
    candidate_case,
    choose,
    new_suite,
    shown_call,
    value_of,
    with_cases,
)
from service.authoring.amplify.lab import Laboratory
from service.authoring.inputs.domain import Call, Domain, learn
from service.authoring.inputs.generate import guards, proposals
from service.authoring.inputs.known_calls import in_program, in_text
from service.authoring.mutation.mutants import Mutant, mutants
from service.authoring.variants import VariantRunner, mutant_name
from service.progress import Progress

INPUTS, MORE_INPUTS = 600, 1500
"""Inputs of the first round, and of each further one while a mutant is alive; a small domain has fewer."""
MUTANTS = 80


class AmplifyError(TaskUnusable):
    """No cases can be proposed for this task. The argument says why and what its author can do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amplified:
    """The proposed cases and how they were found."""

    task_id: str
    version: str
    suite: Suite
    """The suite that the cases are for; without files if the package does not have it yet."""
    seed: int
    meant: tuple[str, ...]
    """The rules that inputs were taken to follow, a sentence each."""
    made: int
    left_out: Mapping[str, int]
    """Reason why inputs were not made cases -> their number."""
    unlike: tuple[str, ...]
    """Calls that the prompt shows and that are unlike every case: the author decides on them."""
    mutants: tuple[Mutant, ...]
    survivors: tuple[int, ...]
    """Indices of the `mutants` that pass the task's own suites."""
    unseen: int
    """Number of programs that did not run because time was up."""
    chosen: tuple[Candidate, ...]

    def noticed(self, survivor: int) -> list[Candidate]:
        """Return the proposed cases that this mutant fails."""
        return [each for each in self.chosen if mutant_name(survivor) in each.fails]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """Which function, and what is known of its calls."""

    suite: Suite
    calls: tuple[Call, ...]
    raises: frozenset[str]
    """Exceptions that cases expect."""

    @property
    def entry_point(self) -> str:
        return CallSuite.of(self.suite).entry_point


def amplify(
    files: Mapping[str, str], sandbox: Sandbox, progress: Progress, *, seed: int, seconds: float, most: int
) -> Amplified:
    """Propose at most `most` cases for the package (path -> text).

    Args:
        files: the task package.
        sandbox: runs the reference, its mutants and the submissions.
        progress: receives each step.
        seed: the same seed makes the same inputs.
        seconds: time limit; programs that have not run by then are left out and counted.
        most: upper bound on the number of cases.

    Raises AmplifyError, PackageError, TaskUnusable (the reference fails its own suites), SandboxError.
    """
    packaged = package.parse(files)
    task = packaged.task
    target = _target(task)
    trials = VariantRunner(task=task, sandbox=sandbox, progress=progress, deadline=time.monotonic() + seconds)
    trials.check_reference()
    lab = Laboratory(trials=trials, suite=target.suite)
    kinds = _kinds_of_answers(lab, target)
    source = task.reference[task.entry_file]
    examples = in_text(task.prompt, target.entry_point)
    domain = learn(target.calls, examples, task.prompt, guards(source, target.entry_point))
    found = mutants(source, entry_point=target.entry_point, most=MUTANTS, path=task.entry_file)
    programs = {
        mutant_name(number): {**task.reference, task.entry_file: each.source} for number, each in enumerate(found)
    }
    passing = lab.passing(programs)
    survivors = frozenset(name for name, passes in passing.items() if passes)
    search = _Search(
        lab=lab,
        target=target,
        kinds=kinds,
        domain=domain,
        inputs=proposals(domain, target.calls, source, seed=seed),
        right=_accepted(packaged),
    )
    wrong = {each.name: each.files for each in packaged.submissions if each.kind == "wrong"}
    # Survivors first: they are what this is about, should time run out.
    in_order = sorted(programs, key=lambda name: name not in survivors)
    candidates = search.candidates(INPUTS, {**{name: programs[name] for name in in_order}, **wrong})
    alive = survivors.difference(*(each.fails for each in candidates))
    if alive:
        more = search.candidates(MORE_INPUTS, {name: programs[name] for name in sorted(alive)})
        candidates += [each for each in more if each.fails]
    return Amplified(
        task_id=task.id,
        version=task.version,
        suite=search.target.suite,
        seed=seed,
        meant=tuple(domain.sentences()),
        made=search.made,
        left_out={why: count for why, count in search.left_out.items() if count},
        unlike=tuple(shown_call(call, target.entry_point) for call in examples if not domain.alike(call)),
        mutants=tuple(found),
        survivors=tuple(number for number in range(len(found)) if mutant_name(number) in survivors),
        unseen=trials.unseen,
        chosen=tuple(choose(candidates, survivors, most=most)),
    )


@dataclass(slots=True, kw_only=True)
class _Search:
    """Looks for candidates among more and more inputs."""

    lab: Laboratory
    target: _Target
    kinds: frozenset[type]
    """Types of known answers."""
    domain: Domain
    inputs: Iterator[Call]
    right: Mapping[str, Mapping[str, str]]
    """Programs that are right: if one of them answers differently, the prompt leaves the answer open."""
    made: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def candidates(self, count: int, programs: Mapping[str, Mapping[str, str]]) -> list[Candidate]:
        """Return the candidates from the next `count` inputs, each with the programs (name -> files) that fail it."""
        inputs = list(islice(self.inputs, count))
        self.made += len(inputs)
        answered = self.lab.answered(inputs, self.domain, self.target.raises, self.kinds, self.left_out)
        if not self.target.suite.files and any(
            _has_float(value_of(answer)) for _, answer in answered if answer.kind == "value"
        ):
            self.target = replace(self.target, suite=new_suite(self.target.entry_point, floats=True))
        written = [candidate_case(call, answer, self.target.entry_point) for call, answer in answered]
        self.left_out["the answer cannot be written down"] += written.count(None)
        cases = {case.id: (case, line) for case, line in filter(None, written)}
        if not cases:
            return []
        suite = with_cases(self.target.suite, [line for _, line in cases.values()], number=self.made)
        failed = self.lab.failed(suite, {**self.right, **programs})
        disputed = frozenset[str]().union(*(failed.pop(name, frozenset()) for name in self.right))
        self.left_out["an accepted submission would fail it"] += len(disputed)
        return [
            Candidate(
                case=case,
                line=line,
                fails=frozenset(name for name, ids in failed.items() if case.id in ids),
                large=self.domain.is_large(Call(case.args, case.kwargs)),
            )
            for case, line in cases.values()
            if case.id not in disputed
        ]


def _kinds_of_answers(lab: Laboratory, target: _Target) -> frozenset[type]:
    """Return the types of the reference's answers to known calls. Raises AmplifyError if it answers one in two ways."""
    known = lab.known(target.calls)
    steady = {id(call) for call, _ in lab.steady(known)}
    for call, _ in known:
        if id(call) not in steady:
            shown = shown_call(call, target.entry_point)
            raise AmplifyError(f"the reference is not deterministic: asked twice, it answers {shown} in two ways")
    return frozenset(type(value_of(answer)) for _, answer in known if answer.kind == "value")


def has_target(task: Task) -> bool:
    """Return whether the task has a function that cases can be proposed for."""
    try:
        _target(task)
    except AmplifyError:
        return False
    return True


def _target(task: Task) -> _Target:
    """Return the function that new cases are for: that of the first `call` suite, else the one that the tests call."""
    for suite in task.suites:
        if suite.kind == "call":
            read = CallSuite.of(suite)
            if read.checker == "any-of":
                raise AmplifyError(f"suite {suite.id} accepts several answers to a case, which only its author knows")
            [(name, text)] = read.files_ending(".jsonl")
            cases = parse_cases(text, name=name, entry_point=read.entry_point)
            calls = tuple(Call(case.args, case.kwargs) for case in cases if case.args or case.kwargs)
            if not calls:
                raise AmplifyError(f"suite {suite.id} calls its function without arguments: there is nothing to vary")
            return _Target(
                suite=suite, calls=calls, raises=frozenset(case.raises for case in cases if case.raises is not None)
            )
    return _tested_function(task)


def _tested_function(task: Task) -> _Target:
    """Return the public function of the reference that the tests call, with the literal arguments of these calls."""
    programs = [text for suite in task.suites for path, text in suite.files.items() if path.endswith(".py")]
    stated = {str(suite.options["entry_point"]) for suite in task.suites if "entry_point" in suite.options}
    names = stated or _public_functions(task.reference[task.entry_file])
    found = {name: [call for text in programs for call in in_program(text, name)] for name in sorted(names)}
    called = {name: calls for name, calls in found.items() if calls}
    if len(called) != 1:
        which = ", ".join(sorted(called)) or "none"
        raise AmplifyError(
            "new cases are for one function, and the tests call with arguments that are written out in place: "
            f"{which}. Add a `call` suite with a case or two"
        )
    [(name, calls)] = called.items()
    return _Target(suite=new_suite(name, floats=False), calls=tuple(calls), raises=frozenset())


def _public_functions(source: str) -> list[str]:
    functions = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return [name for name in functions if not name.startswith("_")]


def _accepted(packaged: package.Package) -> dict[str, Mapping[str, str]]:
    """Return the right programs. The reference is among them, because a predicate may refuse its answer to a new input."""
    passed = {
        each.name: each.files for each in packaged.submissions if (each.kind, each.outcome) == ("accepted", "passed")
    }
    return {**packaged.references, **passed}


def _has_float(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_float, (*value, *value.values())))
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(_has_float, value))
    return isinstance(value, float | complex)
