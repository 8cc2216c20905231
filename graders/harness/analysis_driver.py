"""Runs inside the box: all analyzers on one source file for each question on the channel.

question    {} to ask who answers; {"source": str}
answer      {"tools": [name and version...]}; {tool's name: {"found": {...}} or {"cannot": "a reason in words"}...}
"""

from graders.harness import bandit_analyzer, radon_analyzer
from graders.harness.channel import receive, send
from graders.harness.file_analysis import answer_in_fork

ANALYZERS = (bandit_analyzer, radon_analyzer)

bandit_analyzer.checks()  # here and not when the first file comes: a fork of an interpreter that has them pays nothing


def main() -> None:
    while True:
        question = receive()
        if not question:
            send({"tools": [analyzer.TOOL for analyzer in ANALYZERS]})
            continue
        source = question["source"].encode("utf-8")
        send({each.TOOL.partition("-")[0]: answer_in_fork(each.analyze, source) for each in ANALYZERS})
