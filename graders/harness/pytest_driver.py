"""Runs inside the box: a pytest suite beside the submission, one test's report for each question on the channel.

    question    {"nonce": str, "seconds": float, "tests": [node id...] or null}     first: collect
                {"nonce": str}                                                      then: the next test
    answer      {"nonce": str, "collected": [node id...]}
                {"nonce": str, "test": node id, "outcome": "passed" | "failed" | "skipped", "text": str}
                {"nonce": str, "end": exit status, "text": str}

Tests and submission share this process: a submission that knows this file can forge reports, which is why these
outcomes are marked `integrity: reduced`. What it cannot do is make a missing test count: the host knows the ids that the
reference produced, and whatever is not reported as passed has not passed.
"""

import io
import os
import sys
from collections.abc import Generator
from typing import Any

import pytest
from _pytest._io import TerminalWriter

from graders.harness.channel import receive, send
from graders.harness.pytest_ready import Ready
from graders.harness.search_path import make_importable

TEXT_CHARACTERS = 4000


class NoTerminal:
    """In the place of pytest's terminal: pytest-timeout shows stacks there before it fails a test, and fails without it."""

    def __init__(self) -> None:
        self._tw = TerminalWriter(io.StringIO())


class Reporter:
    """Answers the pending question when there is something to tell, and waits for the next one before going on."""

    question: dict[str, Any]

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.phases: list[pytest.TestReport] = []

    def answer(self, **fields: object) -> None:
        send({"nonce": self.question["nonce"], **fields})
        self.question = receive()

    def pytest_configure(self, config: pytest.Config) -> None:
        config.pluginmanager.register(NoTerminal(), "terminalreporter")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.problems.append(str(report.longrepr))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        wanted = self.question["tests"]
        if wanted is not None:
            items[:] = [item for item in items if item.nodeid in set(wanted)]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.answer(collected=[item.nodeid for item in session.items])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self.phases = []
        yield
        failed = [report for report in self.phases if report.failed]
        called = [report for report in self.phases if report.when == "call"]
        # xfail and xpass count as skipped: the author's suite is to pass, not to be excused.
        skipped = not called or any(report.skipped or hasattr(report, "wasxfail") for report in self.phases)
        outcome = "failed" if failed else "skipped" if skipped else "passed"
        told = failed or [report for report in self.phases if report.skipped]
        self.answer(test=item.nodeid, outcome=outcome, text="\n".join(str(r.longrepr) for r in told)[:TEXT_CHARACTERS])
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.phases.append(report)


OPTIONS = (
    "--disable-plugin-autoload", "-p", "no:cacheprovider", "-p", "no:terminal",
    "-p", "pytest_timeout", "-p", "_hypothesis_pytestplugin", "--timeout-method", "signal",
)  # fmt: skip
REPORTER = Reporter()
READY = Ready(OPTIONS, [REPORTER])
"""Begun when this is imported, which is before the fork where there is one."""


def main(tests: str, submission: str) -> None:
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.dont_write_bytecode = True  # as -B says, which comes too late for a fork
    REPORTER.question = receive()
    make_importable(submission)
    status = READY.run(tests, REPORTER.question["seconds"])
    REPORTER.answer(end=int(status), text="\n".join(REPORTER.problems)[:TEXT_CHARACTERS])
    while True:
        receive()
