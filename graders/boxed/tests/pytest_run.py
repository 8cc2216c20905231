"""Runs inside the box, for pytest_driver.py and property_driver.py: runs tests and reports each on the channel.

    question    {"nonce": str, "seconds": float, "tests": [node id...] or null, "across": {...} or null,    first: collect
                 "programs": {...} or null, "properties": {...}}
                {"nonce": str}                                                                      then: the next test
    answer      {"nonce": str, "collected": [node id...], "failed": whether some file could not be collected}
                {"nonce": str, ...report}
                {"nonce": str, "end": exit status, "text": str, "facts": [text...], "compiled": {path: hex}}
    report      {"test": node id, "outcome": "passed" | "failed" | "skipped", "text": str, "note": str,
                 "given": str,                                                              the example of a property
                 "held": bool}                                       the failure is settled, see Reporter.judged
                {"test": ..., "outcome": "ended" | "broken" | "cut-off", "text": str, ...}        the connection failed

Each report goes out before the next test begins, because that test may end the process. The time of a test is the time
between two reports. The host sends questions ahead, so that neither side sleeps until the other wakes.

`across` is {"entry": module, "modules": [module...], "facts": [text...] or null, "own": bool}: the submission is at the
other end of the connection, in a box of its own (graders/boxed/examiner/examiner.py), and only trusted code runs here.
`programs` is {"entry": module, "candidate": function or null, "library": {...}, "own": [...]}: see
graders/boxed/examiner/programs.py. `properties` is {"seed": int, "max_examples": int or null, "reference": module or
null, "entry": module, "anew": bool}: see hypothesis_plugin.py, reference_importer.py and anew.py there.

Without `across`, tests and submission share this process: a submission that knows this file can forge reports, which is
why these outcomes are marked `integrity: reduced`. It cannot make a missing test count: the host knows the ids that the
reference produced, and a test that is not reported as passed has not passed.
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
"""Seed of `random` for tests: they draw the same numbers for every submission, while they are collected and run."""
RECURSION = 3000
"""Recursion limit for calls that are nested MAX_NESTED deep, each of which takes several frames here."""


def cut(text: str) -> str:
    """Return the text, without its middle if it is too long: the exception is at the end."""
    if len(text) <= TEXT_CHARACTERS:
        return text
    gap = "\n[...]\n"
    end = TEXT_CHARACTERS // 2 - len(gap)
    return text[: TEXT_CHARACTERS // 2] + gap + text[-end:]


class NoTerminal:
    """Replaces pytest's terminal: pytest-timeout writes stacks to it before it fails a test, and crashes without
    one.
    """

    def __init__(self) -> None:
        self._tw = TerminalWriter(io.StringIO())


class Reporter:
    """Answers the pending question when there is something to report, and waits for the next one before going on."""

    question: dict[str, Any]

    def __init__(self) -> None:
        self.examiner: Examiner | None = None
        self.names: Names | None = None
        """The names that programs may take from the submission."""
        self.problems: list[str] = []
        self.phases: list[pytest.TestReport] = []
        self.folder = ""
        """The working directory of the tests; the box's own until they are collected."""
        self.changed: list[str] = []
        """Objects that the submission changed in a test that is run again."""

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
        # A submission in a box of its own does not learn these ids, and affects them only by values that tests ask for.
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
        # xfail and xpass count as skipped: credit needs a passed test, not an excused one.
        skipped = not called or any(report.skipped or hasattr(report, "wasxfail") for report in self.phases)
        outcome = "failed" if failed else "skipped" if skipped else "passed"
        told = failed or [report for report in self.phases if report.skipped]
        text = cut("\n".join(str(r.longrepr) for r in told))
        failure = None if self.examiner is None else self.examiner.line.failure
        if failure is not None:
            # The test's own outcome does not count: `pytest.raises(BaseException)` passes if the candidate has ended.
            outcome, text = self.lost(), f"{failure}\n{text}"
        held = False
        if self.examiner is not None:
            outcome, text, held = self.judged(outcome, text)
        given = next((str(value) for name, value in item.user_properties if name == "given"), "")
        self.answer(test=item.nodeid, outcome=outcome, text=text, note=self.note(), given=given, held=held)
        return True

    def run_again(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        """Run a passed test again if the submission changed what the reference does not: it must pass without the
        changes too.
        """
        if self.examiner is None or any(not report.passed for report in self.phases):
            return
        self.changed = list(self.examiner.watch.changed)
        if not self.changed:
            return
        self.phases = []
        self.examiner.next_test(item.nodeid, hiding=True)
        getattr(item, "_initrequest", list)()  # every plugin that runs a test again has to do this
        runtestprotocol(item, nextitem=nextitem)

    def judged(self, outcome: str, text: str) -> tuple[str, str, bool]:
        """Return the outcome and the text of a test with the objections to the submission, and whether they settle it:
        a settled test has failed, even if it passes under plain pytest.
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
        """Return how the connection to the candidate failed."""
        assert self.examiner is not None
        line = self.examiner.line
        return "ended" if isinstance(line.failure, LineEnded) else "cut-off" if line.cut_off else "broken"

    def note(self) -> str:
        """Return a note that lists the submission's own objects that influenced the verdict."""
        if self.examiner is None:
            return ""
        compared = ["two objects of the submission were compared with each other"] if self.examiner.compared else []
        decided = [f"{name} of the submission decided" for name in sorted(self.examiner.proxies.decided)]
        taken = sorted(self.names.taken) if self.names is not None else []
        used = [f"{', '.join(taken)} of the submission had a say in it"] if taken else []
        return "; ".join(compared + decided + used)[:TEXT_CHARACTERS]

    def not_interrupted(self) -> Generator[None, object, object]:
        """Turn a KeyboardInterrupt of the candidate into one failed test: pytest would take it for the user's, and
        stop.
        """
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
"""Output is captured in Python: by descriptor (pytest's default) ten small tests cost 3 % more, and the output is never
shown."""


def settle_dates(tests: str) -> None:
    """Set the dates of all test files to 0: Python matches byte code to a file by date and size, and dates differ by
    box.
    """
    for folder, _, names in os.walk(tests):
        for name in names:
            os.utime(os.path.join(folder, name), (0, 0))


def compiled(tests: str) -> dict[str, str]:
    """Return the byte code of the tests, with pytest's assertions in it: path -> content as hex."""
    found = Path(tests).rglob("__pycache__/*.pyc")
    return {path.relative_to(tests).as_posix(): path.read_bytes().hex() for path in found}


def run(
    ready: WarmRun,
    reporter: Reporter,
    tests: str,
    submission: tuple[str, str],
    prepare: Callable[[dict[str, Any], str], None] | None = None,
) -> None:
    """Collect and run the tests in the folder `tests`. `submission`: its folder, and the path of the task's prelude.
    `prepare` gets the first question and the folder of the submission, and may add plugins.
    """
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    question = reporter.question = receive()
    across, programs = question.get("across"), question["programs"]
    # Only the run of the author's reference writes byte code, because it is trusted. The option -B comes too late for a fork.
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
