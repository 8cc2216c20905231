"""Whatever a box answers, the graders that read it report values: no message makes an exception of ours.

The boxes here are none: their conversations say what Hypothesis draws, with the nonce of the question where that is wanted.
"""

import contextlib
import itertools
import json
import math
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graders.boxed.shared.encoding import EncodingError, to_json
from graders.builtin import complexity, integrity, security
from graders.interface import (
    Abstain,
    CaseOutcome,
    Command,
    Context,
    Conversation,
    End,
    Execution,
    Limits,
    Outcome,
    Suite,
    TaskUnusable,
)
from graders.plugins.testing import context_of
from graders.suites.kinds import KINDS
from graders.suites.reporting import SuiteReporter
from graders.suites.stdio.build import build_python
from graders.suites.stdio.judge import MOST_TEXT
from graders.suites.tests.runner import TEXT_CHARACTERS, Reference
from graders.suites.values.messages import MAX_CONTAINERS, SHOWN_CHARACTERS, read
from rubrics.signals import from_json as signal_from_json
from rubrics.signals import to_json as signal_to_json
from service.evaluation.task_cache import FAILURE_SECONDS, TaskCache
from tests.properties.test_description import all_values, nodes

UNHURRIED = settings(deadline=None)
ENDED = Execution(
    end=End.EXITED, exit_code=0, signal=None, stdout=b"", stderr=b"", truncated=False, wall_seconds=1.0, cpu_seconds=0.5,
    peak_memory_mib=1.0,
)  # fmt: skip
Message = Mapping[str, object] | bytes
"""What is answered: an object, to which the nonce is added, or bytes as they are."""


@dataclass
class Said:
    """A conversation with a program that says these things, one for each question."""

    messages: Iterator[Message]
    execution: Execution = ENDED

    def ask(self, message: bytes, *, seconds: float) -> bytes | None:
        return next(self.ask_each([(message, seconds)]), None)

    def ask_each(self, questions: Iterable[tuple[bytes, float]]) -> Iterator[bytes]:
        for (question, _), message in zip(questions, self.messages, strict=False):
            nonce = json.loads(question or b"{}").get("nonce", "")
            yield message if isinstance(message, bytes) else json.dumps({"nonce": nonce, **message}).encode()

    def finish(self) -> Execution:
        return self.execution


@dataclass
class SaidBoxes:
    """A session whose boxes say what `says` gives for their command; of a pair, each knows the files of both."""

    says: Callable[[Command], Iterable[Message]]
    execution: Execution = ENDED

    def run(self, command: Command) -> Execution:
        return self.execution

    @contextlib.contextmanager
    def converse(self, command: Command) -> Iterator[Conversation]:
        yield Said(iter(self.says(command)), self.execution)

    @contextlib.contextmanager
    def pair(self, first: Command, second: Command) -> Iterator[tuple[Conversation, Conversation]]:
        files = {**first.files, **second.files}
        one, other = (Said(iter(self.says(replace(each, files=files))), self.execution) for each in (first, second))
        yield one, other


odd = (
    nodes
    | st.text(max_size=3000)
    | st.lists(st.text(), max_size=3)
    | st.sampled_from([math.nan, math.inf, 10**400, -1, "x" * 9000, "\ud800", "\ud800" * 9000])
)


def says(*names: str, **known: st.SearchStrategy[Any]) -> st.SearchStrategy[Message]:
    """Objects with some of these names in them; `known`: what is no surprise there, which is now and then said instead."""
    fields = dict.fromkeys(names, odd) | {name: odd | strategy for name, strategy in known.items()}
    return (
        st.fixed_dictionaries({}, optional=fields)
        | st.binary(max_size=40)
        | st.builds(lambda tree: json.dumps(tree).encode(), nodes)
    )


def graded(context: Context, suite: Suite) -> list[CaseOutcome]:
    """The outcomes, each of which can be stored and sent, and is no longer than people are shown."""
    reporter = SuiteReporter(suite=suite, grader="assay/hidden-tests", criterion="correctness")
    found = list(KINDS[suite.kind].outcomes(context, suite, Limits(), reporter))
    for outcome in found:
        stored = json.dumps(signal_to_json(outcome), ensure_ascii=False, allow_nan=False).encode()
        assert signal_from_json(json.loads(stored)) == outcome
        assert max(map(len, (outcome.given, outcome.wanted, outcome.got))) <= max(
            SHOWN_CHARACTERS + 30, TEXT_CHARACTERS
        )
        assert len(outcome.note) <= TEXT_CHARACTERS + 100
    return found


def context_in(boxes: SaidBoxes, **remembered: object) -> Context:
    context = context_of({"solution.py": "x = 1"}, boxes)
    return replace(context, remember=lambda key, make: remembered.get(key.rpartition("/")[2]) or make())


# --- call suites ----------------------------------------------------------------------------------------------------------

answers = says(
    "value",
    "raised",
    "refused",
    value=st.builds(to_json, all_values),
    raised=says("type", "mro", "message").filter(lambda each: not isinstance(each, bytes)),
)
EXPECTED = ["1.5", "[1.0, {2: 'x'}, (3,)]", "{1, 2}", "nan", "'text'", "{'a': [1]}"]
CASES = "\n".join(json.dumps({"call": f"f({n})", "returns": text}) for n, text in enumerate(EXPECTED))
ACCEPTS = {"hidden/accepts.py": "def accepts(args, expected, got): return expected == got"}


@UNHURRIED
@given(
    st.lists(answers, max_size=12),
    st.sampled_from(["exact", "float", "unordered", "any-of", "predicate"]),
    st.booleans(),
    st.lists(says("value", value=st.booleans()), max_size=6),
    st.sampled_from(End),
)
def test_call_suites_report_values(
    said: list[Message], checker: str, stops: bool, verdicts: list[Message], end: End
) -> None:
    files = {"hidden/c.jsonl": CASES} | (ACCEPTS if checker == "predicate" else {})
    suite = Suite(
        id="s", kind="call", files=files, options={"entry_point": "f", "checker": checker, "stop_on_failure": stops}
    )
    loaded: Message = {"value": None}
    boxes = SaidBoxes(
        lambda command: [loaded, *(verdicts if command.argv[-1] == "checker" else said)], replace(ENDED, end=end)
    )
    # the predicate accepts what the reference answers: a case on which it breaks is the submission's, not the task's
    accepts = frozenset(f"line-{place + 1}" for place in range(len(EXPECTED)))
    found = graded(context_in(boxes, **{"accepts-reference": accepts}), suite)
    assert len(found) == len(EXPECTED)
    assert {outcome.outcome for outcome in found} <= set(Outcome)


@UNHURRIED
@given(st.lists(answers, min_size=1, max_size=3))
def test_what_is_said_of_loading_is_a_value(said: list[Message]) -> None:
    suite = Suite(id="s", kind="call", files={"hidden/c.jsonl": CASES}, options={"entry_point": "f"})
    assert len(graded(context_in(SaidBoxes(lambda _: said)), suite)) == len(EXPECTED)


@UNHURRIED
@given(all_values)
def test_an_answer_that_is_expected_passes_whatever_it_is(value: object) -> None:
    """Through all of it: what the case file says, what the reference's box answers, and what the submission's does."""
    row = json.dumps({"args": [], "expected": to_json(value)})
    suite = Suite(id="s", kind="call", files={"hidden/c.jsonl": row}, options={"entry_point": "f"})
    boxes = SaidBoxes(lambda _: [{"value": None}, {"value": to_json(value)}])
    assert [case.outcome for case in graded(context_in(boxes), suite)] == [Outcome.PASSED]


@pytest.mark.parametrize("returns", ["...", "[" * 110 + "]" * 110])
def test_a_case_that_states_what_no_box_can_answer_is_the_tasks_failure(returns: str) -> None:
    row = json.dumps({"call": "f(1)", "returns": returns})
    suite = Suite(id="s", kind="call", files={"hidden/c.jsonl": row}, options={"entry_point": "f"})
    with pytest.raises(TaskUnusable, match="no possible answer"):
        graded(context_in(SaidBoxes(lambda _: [])), suite)


def test_a_message_has_no_more_than_a_million_containers() -> None:
    most = b"[" + b",".join([b"[]"] * (MAX_CONTAINERS - 1)) + b"]"
    assert len(read(most)) == MAX_CONTAINERS - 1  # type: ignore[arg-type]
    with pytest.raises(EncodingError, match="more than 1000000 containers"):
        read(most.replace(b"[]", b"[{}]", 1))
    # What stands in a text is none.
    for text in ("[" * 2_000_000, '\\"[' * 2_000_000, "\\" * 2_000_000 + "{"):
        assert read(json.dumps([text]).encode()) == [text]


@UNHURRIED
@given(answers)
def test_whatever_the_reference_says_is_expected_or_the_tasks_failure(said: Message) -> None:
    suite = Suite(id="s", kind="call", files={"hidden/c.jsonl": '{"call": "f(1)"}'}, options={"entry_point": "f"})
    with contextlib.suppress(TaskUnusable):
        graded(context_in(SaidBoxes(lambda _: [{"value": None}, said])), suite)


@pytest.mark.parametrize("bases", [[], ["KeyError", "LookupError"], 7])
def test_an_exception_of_the_references_is_expected_by_its_name(bases: object) -> None:
    suite = Suite(id="s", kind="call", files={"hidden/c.jsonl": '{"call": "f(1)"}'}, options={"entry_point": "f"})
    boxes = SaidBoxes(lambda _: [{"value": None}, {"raised": {"type": "KeyError", "mro": bases, "message": ""}}])
    [found] = graded(context_in(boxes), suite)
    assert found.outcome is (Outcome.PASSED if bases == ["KeyError", "LookupError"] else Outcome.FAILED)


def test_answers_are_not_kept_after_their_verdict() -> None:
    """Forty answers of 4 MiB, of which a few are there at a time."""
    rows = "\n".join(json.dumps({"call": f"f({n})", "returns": "1"}) for n in range(40))
    suite = Suite(id="s", kind="call", files={"hidden/c.jsonl": rows}, options={"entry_point": "f"})
    large = ({"value": [str(n) * (4 << 20)]} for n in range(10, 50))
    boxes = SaidBoxes(lambda _: itertools.chain([{"value": None}], large))
    tracemalloc.start()
    try:
        found = graded(context_in(boxes), suite)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert {case.outcome for case in found} == {Outcome.FAILED} and all(found[place].got for place in range(20))
    assert peak < 100 << 20


def test_answers_that_wait_for_a_predicate_are_no_more_than_is_said() -> None:
    rows = "\n".join(json.dumps({"call": f"f({n})", "returns": "1"}) for n in range(6))
    suite = Suite(
        id="s",
        kind="call",
        files={"hidden/c.jsonl": rows} | ACCEPTS,
        options={"entry_point": "f", "checker": "predicate"},
    )
    asked: list[Message] = [{"value": True}] * 6
    large = {"value": "x" * (15 << 20)}
    boxes = SaidBoxes(lambda command: [{"value": None}, *(asked if command.argv[-1] == "checker" else [large] * 6)])
    found = graded(context_in(boxes), suite)
    assert [case.outcome for case in found] == [Outcome.PASSED] * 4 + [Outcome.FAILED] * 2
    assert found[-1].got == "refused: the answers to this suite's cases are more than 64 MiB together"


def test_a_predicate_that_was_cut_off_once_on_the_references_answer_is_asked_again() -> None:
    """A busy moment, which a submission may make, was remembered for as long as the process lived: each run on which the
    predicate broke was ungradable from then on."""
    suite = Suite(
        id="s",
        kind="call",
        files={"hidden/c.jsonl": '{"call": "f(1)"}'} | ACCEPTS,
        options={"entry_point": "f", "checker": "predicate"},
    )
    raised: Message = {"raised": {"type": "ValueError", "mro": [], "message": ""}}
    verdicts: Iterator[Message] = iter([raised, raised, raised, {"value": True}, raised])
    boxes = SaidBoxes(
        lambda command: [{"value": None}, next(verdicts) if command.argv[-1] == "checker" else {"value": 1}]
    )
    now = 0.0
    context = replace(context_in(boxes), remember=TaskCache(lambda: now).of("t", "1"))
    with pytest.raises(TaskUnusable, match="the reference is no better"):
        graded(context, suite)
    now = FAILURE_SECONDS + 1
    for _ in range(2):  # the second time it is known
        [found] = graded(context, suite)
        assert (found.outcome, found.note[:10]) == (Outcome.FAILED, "no verdict")


def test_a_checker_that_breaks_on_what_the_reference_prints_is_the_tasks_failure_and_remembered() -> None:
    """What it raised could not be copied, so the grader crashed each time, and each run was tried to the end of its attempts."""
    files = {"hidden/1.in": "1", "hidden/c.py": "def check(): pass"}
    suite = Suite(id="s", kind="stdio", files=files, options={"checker": "program", "checker_file": "hidden/c.py"})
    asked: list[str] = []

    def says(command: Command) -> Iterator[Message]:
        asked.append(command.argv[-1])
        yield {"code": []} if command.argv[-1] == "build" else {"crash": "boom"}

    context = replace(context_in(SaidBoxes(says)), remember=TaskCache().of("t", "1"))
    for _ in range(2):
        with pytest.raises(
            TaskUnusable, match=r"case 1: its checker crashed: boom; and the reference is no better: .*boom"
        ):
            graded(context, suite)
    assert asked.count("judge") == 3


# --- suites of tests ------------------------------------------------------------------------------------------------------

TESTS = ("t.py::a", "t.py::b")
names = st.lists(st.sampled_from([*TESTS, "t.py::c"]), max_size=4)
reports = st.lists(
    says(
        "note", "given", test=st.sampled_from(TESTS), outcome=st.sampled_from(["passed", "failed", "ended", "broken", "x"]),
        text=st.text(), seconds=st.floats(0, 9),
    ).filter(lambda each: not isinstance(each, bytes)),
    max_size=3,
)  # fmt: skip
told = says(
    "end",
    "text",
    "lost",
    "held",
    "failed",
    "outcome",
    collected=names,
    test=st.sampled_from(TESTS),
    facts=names,
    compiled=st.dictionaries(st.text(), odd, max_size=2),
)


@st.composite
def runs(draw: st.DrawFn) -> list[Message]:
    """What a driver says in a run: mostly in the right order, and odd in places."""
    first: Message = draw(st.just({"collected": list(TESTS)}) | told)
    rows: list[Message] = [
        {**row, "test": test} for row, test in zip(draw(reports), TESTS, strict=False) if isinstance(row, dict)
    ]
    return [first, *rows, *draw(st.lists(told, max_size=3))]


@example(
    [{"end": ""}], {}, "pytest"
)  # it ends before a test ran: the reference is asked again, together with the tests and apart
@UNHURRIED
@example(said=[{"end": ""}], options={}, kind="pytest")  # the reference is asked again apart from the tests as well
@given(
    runs(),
    st.sampled_from([{}, {"isolation": "shared"}]),
    st.sampled_from(["pytest", "property", "program"]),
)
def test_suites_of_tests_report_values(said: list[Message], options: dict[str, object], kind: str) -> None:
    suite = Suite(id="s", kind=kind, files={"hidden/t.py": "def a(): pass"}, options=options)
    known = Reference(tests=TESTS, facts=(), compiled={}, evidence=())
    # Whatever a submission says, the reference is asked again at most, and is what it was.
    again: list[Message] = [
        {"collected": [*TESTS]},
        *({"test": test, "outcome": "passed"} for test in TESTS),
        {"end": 0},
    ]
    of_reference = False

    def says(command: Command) -> Iterable[Message]:
        nonlocal of_reference
        code = command.files.get("submission/solution.py")
        if code is not None:  # the tests' box of an examination apart has none: it is about what was run last
            of_reference = code == b"# reference"
        return again if of_reference else said

    context = context_in(SaidBoxes(says), reference=known)
    context = replace(context, task=replace(context.task, reference={"solution.py": "# reference"}))
    found = graded(context, suite)
    assert [outcome.case for outcome in found] == list(TESTS)


@UNHURRIED
@given(runs(), st.sampled_from([{}, {"isolation": "shared"}]))
def test_what_the_references_box_says_is_a_value_or_the_tasks_failure(
    said: list[Message], options: dict[str, object]
) -> None:
    suite = Suite(id="s", kind="pytest", files={"hidden/t.py": "def a(): pass"}, options=options)
    with contextlib.suppress(TaskUnusable):
        graded(context_in(SaidBoxes(lambda _: said)), suite)


def test_tests_that_nobody_asked_for_are_not_waited_for() -> None:
    suite = Suite(id="s", kind="pytest", files={"hidden/t.py": "def a(): pass"}, options={"isolation": "shared"})
    known = Reference(tests=TESTS, facts=(), compiled={}, evidence=())
    asked: list[str] = []

    def says(_: Command) -> Iterator[Message]:
        yield {"collected": [f"t.py::{n}" for n in range(10_000)] + [*TESTS, *TESTS]}
        for n in itertools.count():
            asked.append(f"t.py::{n}")
            yield {"test": asked[-1], "outcome": "passed", "text": "x" * 4000}

    found = graded(context_in(SaidBoxes(says), reference=known), suite)
    assert [outcome.outcome for outcome in found] == [Outcome.ERROR, Outcome.ERROR]
    assert len(asked) < 10


# --- stdio suites -----------------------------------------------------------------------------------------------------------

verdicts = says(
    "crash", "left", "flood", exit_code=st.sampled_from([0, 1, 42, True]), message=st.text(), score=st.sampled_from(["1", "0.5 nan", "inf"]),
    printed=st.text(), transcript=st.text(), waited=st.tuples(st.sampled_from(["read", "write", ""]), st.sampled_from([3, 10**400, math.nan, -1])),
)  # fmt: skip
built = says(
    "tag",
    "problem",
    "code",
    tag=st.just("cpython-311"),
    code=st.lists(odd | st.just({"$bytes": "00ff"}) | st.none(), max_size=2),
)
executions = st.builds(
    lambda end, code, out, err: replace(ENDED, end=end, exit_code=code, stdout=out, stderr=err),
    st.sampled_from(End), st.sampled_from([0, 1, None]), st.binary(), st.binary(),
)  # fmt: skip


@UNHURRIED
@given(
    verdicts, built, executions, st.sampled_from(["tokens", "float", "checker_file", "interactor_file"]), st.booleans()
)
def test_stdio_suites_report_values_or_the_tasks_failure(
    verdict: Message, build: Message, execution: Execution, how: str, credit: bool
) -> None:
    options: dict[str, object] = (
        {"checker": how} if how in ("tokens", "float") else {how: "hidden/judge.py", "partial_credit": credit}
    )
    if how == "checker_file":
        options["checker"] = "program"
    files = {"hidden/1.in": "1\n", "hidden/1.ans": "0.5\n", "hidden/judge.py": ""}
    suite = Suite(id="s", kind="stdio", files=files, options=options)
    boxes = SaidBoxes(lambda command: [build if "build" in command.argv else verdict], execution)
    with contextlib.suppress(TaskUnusable):  # the verdict is of the author's own program
        [found] = graded(context_in(boxes), suite)
        assert len(found.got) <= MOST_TEXT


@UNHURRIED
@given(odd | st.lists(st.sampled_from(["read", "write", "", 3, 10**400, math.nan, -1, None]), max_size=3), odd)
@example(["read", 10**400], "")
@example(["write", math.nan], "")
@example(["read", 3], "")
def test_who_waited_is_told_as_far_as_it_was_said(waited: object, transcript: object) -> None:
    files = {"hidden/1.in": "1\n", "hidden/judge.py": ""}
    suite = Suite(id="s", kind="stdio", files=files, options={"interactor_file": "hidden/judge.py"})
    said: Message = {"exit_code": 0, "waited": waited, "transcript": transcript}
    boxes = SaidBoxes(lambda command: [{} if "build" in command.argv else said], replace(ENDED, end=End.WALL_TIMEOUT))
    [outcome] = graded(context_in(boxes), suite)
    assert outcome.outcome is Outcome.ERROR
    known = isinstance(waited, list) and len(waited) == 2 and waited[0] in ("read", "write") and waited[1] == 3
    assert not known or "waited 3.0 s" in outcome.note


@UNHURRIED
@given(built)
def test_what_the_compiler_says_is_a_program_or_a_problem(said: Message) -> None:
    build = build_python(SaidBoxes(lambda _: [said]), {"main.py": "x = 1"}, "main.py", Limits())
    assert build.problem or build.files["main.py"] == b"x = 1"
    assert set(build.files) <= {"main.py", "__pycache__/main.cpython-311.pyc"}


# --- analyzers --------------------------------------------------------------------------------------------------------------

words = st.text(max_size=600) | st.sampled_from(["B101", "assert_used", "LOW", "assay/exits", "x" * 9000])
places = st.lists(
    st.fixed_dictionaries(
        dict.fromkeys(("rule", "name", "message", "severity", "confidence", "detail"), words)
        | {"line": st.integers(), "cwe": odd}
    )
    | odd,
    max_size=2,
)
found = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("findings", "places"), places) | dict.fromkeys(("failed_checks", "own"), odd)
    | dict.fromkeys(("lines", "left_out", "weighted_sum", "maintainability"), st.integers(0, 9) | odd)
    | {"worst": st.fixed_dictionaries({"name": words, "line": st.integers(0, 9), "complexity": odd}), "reason": words},
)  # fmt: skip
looks = odd | st.fixed_dictionaries({}, optional={"found": found | odd, "cannot": words | odd})


@UNHURRIED
@given(says(bandit=looks, radon=looks, integrity=looks))
def test_analyzers_report_values_or_abstain(said: Message) -> None:
    tools: Message = {"tools": [security.TOOL, complexity.TOOL, integrity.TOOL]}
    for grader in (security.Security(), complexity.Complexity(), integrity.Integrity()):
        with contextlib.suppress(Abstain):
            for signal in grader.grade(context_in(SaidBoxes(lambda _: [tools, said]))):
                stored = json.dumps(signal_to_json(signal), ensure_ascii=False, allow_nan=False).encode()
                assert signal_from_json(json.loads(stored)) == signal
                assert len(stored) < 10_000
