"""Runs inside the box: all analyzers on one source file for each question on the channel.

question    {} for the tools; {"source": str, "task": {...}} for a file, with `task` as integrity_analyzer.about reads it
answer      {"tools": [name and version...]}; {tool's name: {"found": {...}} or {"cannot": "a reason in words"}...}
"""

from functools import partial

from graders.boxed.analysis import bandit_analyzer, integrity_analyzer, radon_analyzer
from graders.boxed.analysis.one_file import Analyze, answer_in_fork
from graders.boxed.shared.channel import receive, send

TOOLS = (bandit_analyzer.TOOL, radon_analyzer.TOOL, integrity_analyzer.TOOL)

bandit_analyzer.checks()  # here and not with the first file, so that a forked interpreter has them already


def main() -> None:
    while True:
        question = receive()
        if not question:
            send({"tools": TOOLS})
            continue
        source = question["source"].encode("utf-8")
        known = integrity_analyzer.about(question.get("task", {}))
        analyzers: tuple[Analyze, ...] = (
            bandit_analyzer.analyze,
            radon_analyzer.analyze,
            partial(integrity_analyzer.analyze, known=known),
        )
        send(
            {
                tool.partition("-")[0]: answer_in_fork(analyze, source)
                for tool, analyze in zip(TOOLS, analyzers, strict=True)
            }
        )
