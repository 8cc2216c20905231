"""docs/howto/stdio.md: each package in it loads, its reference passes and a wrong program does not, in a real box."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import CaseOutcome, Outcome, Session
from graders.plugins.testing import context_of
from graders.tasks import package

TEXT = (Path(__file__).parents[2] / "docs" / "howto" / "stdio.md").read_text()
FILE = re.compile(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTIONS = {part.partition("\n")[0]: dict(FILE.findall(part)) for part in TEXT.split("\n## ") if "`task.toml`" in part}
RIGHT = {
    "One right output": "",
    "Points only for a whole group": "",
    "Many right outputs": "n = int(input())\nprint(next(d for d in range(2, n + 1) if n % d == 0))",
    "Two programs that have to understand each other": (
        "what, word = input().split()\nprint(''.join(chr(ord(c) + (49 if what == 'encode' else -49)) for c in word))\n"
    ),
    "A conversation": (
        "low, high = 1, int(input())\nanswer = ''\nwhile answer != 'found':\n"
        "    middle = (low + high) // 2\n    print(middle, flush=True)\n    answer = input()\n"
        "    if answer == 'less': high = middle - 1\n    else: low = middle + 1\n"
    ),
}


@pytest.mark.parametrize("title", RIGHT)
def test_the_packages_of_the_text_judge_what_they_say(title: str, session: Session) -> None:
    one_right = SECTIONS["One right output"]["submissions/accepted/reference.py"]
    files = {"prompt.md": "-", "submissions/accepted/reference.py": RIGHT[title] or one_right, **SECTIONS[title]}
    task = package.load(files)
    assert len(SECTIONS) == len(RIGHT)
    for code, passes in (
        (task.reference["solution.py"], True),
        ("print(1000)", False),
        ("print('\\x00x' * 100)", False),
    ):
        context = replace(context_of({"solution.py": code}, session), task=task)
        cases = [signal for signal in HiddenTests().grade(context) if isinstance(signal, CaseOutcome)]
        assert all(case.outcome is Outcome.PASSED for case in cases) == passes, cases
