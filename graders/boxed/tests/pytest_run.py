"""Runs inside the box, for pytest_driver.py and property_driver.py: tests, and what became of each, on the channel.

    question    {"nonce": str, "seconds": float, "tests": [node id...] or null, "across": {...} or null,    first: collect
                 "programs": {...} or null, "properties": {...}}
                {"nonce": str}                                                                      then: the next test
    answer      {"nonce": str, "collected": [node id...], "failed": whether some file could not be collected}
                {"nonce": str, ...report}
                {"nonce": str, "end": exit status, "text": str, "facts": [text...], "compiled": {path: hex}}
    report      {"test": node id, "outcome": "passed" | "failed" | "skipped", "text": str, "note": str,
                 "given": str,                                                              the example of a property
                 "held": bool}                                             what settles it was seen, see Reporter.judged
                {"test": ..., "outcome": "ended" | "broken" | "cut-off", "text": str, ...}               of the candidate

Each report goes out before the next test begins, which may end it all; how long a test took is seen from its report and the
one before. The host asks ahead, so that neither side sleeps until the other wakes.

`across` is {"entry": module, "modules": [module...], "facts": [text...] or null, "own": bool}: the submission is on the
other end of the line, in a box of its own (graders/boxed/examiner/examiner.py), and only trusted code runs here. `programs` is
{"entry": module, "candidate": function or null, "library": {...}, "own": [...]}: see graders/boxed/examiner/programs.py. `properties` is {"seed": int,
"max_examples": int or null, "reference": module or null, "entry": module, "anew": bool}: see properties.py, reference.py and anew.py
there.

Without it tests and submission share this process: a submission that knows this file can forge reports, which is why these
outcomes are marked `integrity: reduced`. What it cannot do is make a missing test count: the host knows the ids that the
reference produced, and whatever is not reported as passed has not passed.
"""

import io
import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from random import seed
from typing import Any

import pytest
from _pytest._io import TerminalWriter
from _pytest.runner import runtestprotocol

from graders.boxed.examiner.examiner import Examiner, install
from graders.boxed.examiner.programs import Names, Programs
from graders.boxed.rpc.connection import LineEnded
from graders.boxed.shared.channel import receive, send
from graders.boxed.shared.search_path import make_importable, test_folders
from graders.boxed.tests.warm_pytest import WarmRun

TEXT_CHARACTERS = 4000
SEED = 0
"""Of `random`, for tests: what they draw while they are collected or run is the same for every submission."""
RECURSION = 3000
"""For calls that are nested MAX_NESTED deep, each of which is several frames here."""


def cut(text: str) -> str:
    """The text without its middle, where it is too long: what was raised is said at the end."""
    if len(text) <= TEXT_CHARACTERS:
        return text
    gap = "\n[...]\n"
    end = TEXT_CHARACTERS // 2 - len(gap)
    return text[: TEXT_CHARACTERS // 2] + gap + text[-end:]


class NoTerminal:
    """In the place of pytest's terminal: pytest-timeout shows stacks there before it fails a test, and fails without it."""

    def __init__(self) -> None:
        self._tw = TerminalWriter(io.StringIO())


class Reporter:
    """Answers the pending question when there is something to tell, and waits for the next one before going on."""

    question: dict[str, Any]

    def __init__(self) -> None:
        self.examiner: Examiner | None = None
        self.names: Names | None = None
        """Of programs."""
        self.problems: list[str] = []
        self.phases: list[pytest.TestReport] = []
        self.folder = ""
        """The working directory of the tests; the box's own until they are collected."""
        self.changed: list[str] = []
        """What the submission changed in a test that is run again."""

    def answer(self, **fields: object) -> None:
        send({"nonce": self.question["nonce"], **fields})
        self.question = receive()

    def pytest_configure(self, config: pytest.Config) -> None:
        config.pluginmanager.register(NoTerminal(), "terminalreporter")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        if self.folder:
            os.chdir(self.folder)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.problems.append(str(report.longrepr))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self.question["tests"] is not None:
            wanted = frozenset(self.question["tests"])
            items[:] = [item for item in items if item.nodeid in wanted]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if self.folder:  # relative to which paths are shown
            begun = session.config.invocation_params
            session.config.invocation_params = pytest.Config.InvocationParams(
                args=begun.args, plugins=begun.plugins, dir=Path(self.folder)
            )
        # The submission is told nothing of this, and in a box of its own it has no say in it but by values that tests ask for.
        self.answer(failed=bool(self.problems), collected=[item.nodeid for item in session.items])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        self.phases = []
        if self.names is not None:
            self.names.taken.clear()
        if self.examiner is not None:
            self.examiner.next_test(item.nodeid)
        yield
        self.run_again(item, nextitem)
        failed = [report for report in self.phases if report.failed]
        called = [report for report in self.phases if report.when == "call"]
        # xfail and xpass count as skipped: the author's suite is to pass, not to be excused.
        skipped = not called or any(report.skipped or hasattr(report, "wasxfail") for report in self.phases)
        outcome = "failed" if failed else "skipped" if skipped else "passed"
        told = failed or [report for report in self.phases if report.skipped]
        text = cut("\n".join(str(r.longrepr) for r in told))
        failure = None if self.examiner is None else self.examiner.line.failure
        if failure is not None:
            # Whatever the test made of it: `pytest.raises(BaseException)` is glad about a candidate that is gone.
            outcome, text = self.lost(), f"{failure}\n{text}"
        held = False
        if self.examiner is not None:
            outcome, text, held = self.judged(outcome, text)
        given = next((str(value) for name, value in item.user_properties if name == "given"), "")
        self.answer(test=item.nodeid, outcome=outcome, text=text, note=self.note(), given=given, held=held)
        return True

    def run_again(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """A test that passed while the submission changed what the reference does not has to pass without those changes, too."""
        if self.examiner is None or any(not report.passed for report in self.phases):
            return
        self.changed = list(self.examiner.watch.changed)
        if not self.changed:
            return
        self.phases = []
        self.examiner.next_test(item.nodeid, hiding=True)
        getattr(item, "_initrequest", list)()  # as plugins that run a test again have to
        runtestprotocol(item, nextitem=nextitem)

    def judged(self, outcome: str, text: str) -> tuple[str, str, bool]:
        """The outcome and the text of a test, with what speaks against the submission, and whether that settles it: whatever
        plain pytest makes of such a test, it has failed.
        """
        assert self.examiner is not None
        changed, self.changed = self.changed, []
        against, doubts = self.examiner.watch.objections(), self.examiner.disagreements
        if outcome == "passed" and not against and not doubts:
            return outcome, text, False
        if changed:
            against.append(
                "; ".join(changed) + ", and the reference does not; what the test holds has to stay as it is"
            )
        refused = {} if outcome == "passed" else self.examiner.learnt.refused
        outcome = "failed" if outcome == "passed" else outcome
        return outcome, cut("\n".join([*against, *doubts, *refused, text])), bool(against) or any(refused.values())

    def lost(self) -> str:
        """What became of the line to the candidate."""
        assert self.examiner is not None
        line = self.examiner.line
        return "ended" if isinstance(line.failure, LineEnded) else "cut-off" if line.cut_off else "broken"

    def note(self) -> str:
        """Where the submission's own objects had something to say in the verdict."""
        if self.examiner is None:
            return ""
        compared = ["two objects of the submission were compared with each other"] if self.examiner.compared else []
        decided = [f"{name} of the submission decided" for name in sorted(self.examiner.stand_ins.decided)]
        taken = sorted(self.names.taken) if self.names is not None else []
        used = [f"{', '.join(taken)} of the submission had a say in it"] if taken else []
        return "; ".join(compared + decided + used)[:TEXT_CHARACTERS]

    def not_interrupted(self) -> Generator[None, object, object]:
        """A KeyboardInterrupt that a candidate raises fails one test; pytest would take it for the user's, and stop."""
        try:
            return (yield)
        except KeyboardInterrupt as error:
            raise AssertionError("KeyboardInterrupt") from error

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        return (yield from self.not_interrupted())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        return (yield from self.not_interrupted())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        return (yield from self.not_interrupted())

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.phases.append(report)


OPTIONS = (
    "--disable-plugin-autoload", "-p", "no:cacheprovider", "-p", "no:terminal",
    "-p", "pytest_timeout", "--timeout-method", "signal", "--capture=sys",
)  # fmt: skip
"""Captured by descriptor, which is pytest's own default, ten small tests cost 3 % more, and nobody is shown what they print."""


def settle_dates(tests: str) -> None:
    """Byte code is taken for that of a file by the file's date and size, so the date must not be that of the box."""
    for folder, _, names in os.walk(tests):
        for name in names:
            os.utime(os.path.join(folder, name), (0, 0))


def compiled(tests: str) -> dict[str, str]:
    """The byte code of the tests, with pytest's own assertions in it: path -> content as hex."""
    found = Path(tests).rglob("__pycache__/*.pyc")
    return {path.relative_to(tests).as_posix(): path.read_bytes().hex() for path in found}


def run(
    ready: WarmRun,
    reporter: Reporter,
    tests: str,
    submission: tuple[str, str],
    prepare: Callable[[dict[str, Any], str], None] | None = None,
) -> None:
    """Collect and run what is in the folder `tests`. `submission`: its folder, and the path of the task's prelude. `prepare` gets
    the first question and the folder of the submission, and may add plugins.
    """
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    question = reporter.question = receive()
    across, programs = question.get("across"), question["programs"]
    # Of the author's own reference, which nobody doubts; as -B says otherwise, which comes too late for a fork.
    learns = question["tests"] is None
    sys.dont_write_bytecode = not learns
    folder = os.path.abspath(tests)  # before the working directory becomes another one
    settle_dates(folder)
    seed(SEED)
    folders = test_folders(tests)
    if folders:
        reporter.folder = os.path.commonpath(folders)
    if across is None:
        make_importable(*submission)
        sys.path[1:1] = folders
    else:
        sys.setrecursionlimit(RECURSION)
        sys.path[:0] = folders
        reporter.examiner = Examiner(across["facts"], own=across["own"], folders=folders)
        install(reporter.examiner, across["entry"], across["modules"])
    if prepare is not None:
        prepare(question, submission[0])
    if programs is not None:
        ready.add(plugin := Programs(**programs))
        reporter.names = plugin.names
    status = ready.run(tests)
    ended: dict[str, object] = {"end": int(status), "text": "\n".join(reporter.problems)[:TEXT_CHARACTERS]}
    ended["compiled"] = compiled(folder) if learns else {}
    if reporter.examiner is not None:
        ended["facts"] = sorted(reporter.examiner.learnt.facts)
        ended["lost"] = reporter.lost() if reporter.examiner.line.failure else ""
    reporter.answer(**ended)
    while True:
        receive()
