"""Runs inside the box: bandit on the source of one file at a time."""

import functools
import io
import logging
from typing import Any

import bandit
from bandit.core import (
    config,
    extension_loader,
    issue,
    meta_ast,
    metrics,
    node_visitor,
    test_set,
)

from graders.boxed.analysis.one_file import code_lines, parse

FINDINGS_CAP = 100
"""The worst ones of a file are kept; a file of 10,000 asserts is one fact, not 10,000."""
MESSAGE_CAP = 300
TOOL = f"bandit-{bandit.__version__}"
RANKS = {"HIGH": 3, "MEDIUM": 2, "LOW": 1}


class Failures(logging.Handler):
    """Collects bandit's error log: it only logs a crash of one of its checks, and its result is then incomplete."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage().partition("Traceback")[0][:MESSAGE_CAP])


def analyze(source: bytes) -> dict[str, Any]:
    """Return bandit's findings, worst first: {"lines", "findings": [...], "left_out": int, "failed_checks": [str]}.

    This uses bandit's visitor and not its manager, because the manager turns its own crash into an empty report. The
    visitor gets no `nosec` comments, so that the author of the code cannot switch a check off.
    """
    failures = Failures()
    logger = logging.getLogger("bandit")
    logger.addHandler(failures)
    logger.propagate = False
    try:
        visitor = node_visitor.BanditNodeVisitor(
            "./submission.py", io.BytesIO(source), meta_ast.BanditMetaAst(), checks(), False, {}, metrics.Metrics()
        )
        visitor.process(source)
    finally:
        logger.removeHandler(failures)
    found = sorted(visitor.tester.results, key=_badness)
    return {
        "lines": code_lines(parse(source)),
        "findings": [_finding(each) for each in found[:FINDINGS_CAP]],
        "left_out": max(0, len(found) - FINDINGS_CAP),
        "failed_checks": failures.messages[:5],
    }


def _badness(found: issue.Issue) -> tuple[int, int, int]:
    return -RANKS.get(found.severity, 0), -RANKS.get(found.confidence, 0), found.lineno or 0


def _finding(found: issue.Issue) -> dict[str, Any]:
    return {
        "rule": found.test_id,
        "name": _name(found.test_id),
        "message": found.text[:MESSAGE_CAP],
        "severity": found.severity,
        "confidence": found.confidence,
        "line": found.lineno or 0,
        "cwe": found.cwe.id,
    }


def _name(rule: str) -> str:
    """Return the check's name in bandit's documentation: `subprocess_popen_with_shell_equals_true`."""
    plugin = extension_loader.MANAGER.plugins_by_id.get(rule)
    if plugin is not None:
        return str(plugin.plugin.__name__)
    return str(extension_loader.MANAGER.blacklist_by_id.get(rule, {}).get("name", ""))


@functools.cache
def checks() -> test_set.BanditTestSet:
    """Return all of bandit's checks with their defaults; the submission cannot configure them."""
    return test_set.BanditTestSet(config.BanditConfig())
