"""Interactive programs in real boxes: two programs converse, each in its own, and only the author's says how it went."""

import re
from dataclasses import replace
from typing import Any

import pytest

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import CaseOutcome, Finding, Limits, Outcome, Session, Signal, Suite, TaskUnusable
from graders.plugins.testing import context_of

LIMITS = Limits(wall_seconds=3, cpu_seconds=1, memory_mib=128, disk_mib=16, processes=24, output_kib=256)
UNHURRIED = replace(LIMITS, wall_seconds=60, cpu_seconds=10)
"""For what is to end well on a busy machine too."""
P, F, E, N = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.NOT_RUN

INTERACTOR = """
import sys
from pathlib import Path
secret, high = map(int, Path(sys.argv[1]).read_text().split())
print(high)
for guesses in range(10):
    word, _, number = input().partition(" ")
    if word == "answer":
        print(f"it answered {number}", file=sys.stderr)
        sys.exit(int(number) != secret)
    print("less" if secret < int(number) else "more")
print("too many guesses", file=sys.stderr)
sys.exit(1)
"""
RIGHT = """
low, high = 1, int(input())
while low < high:
    middle = (low + high + 1) // 2
    print("guess", middle, flush=True)
    if input() == "less": high = middle - 1
    else: low = middle
print("answer", low)
"""


def to_mend(signals: list[Signal]) -> list[Finding]:
    """What is said to the task's author."""
    return [signal for signal in signals if isinstance(signal, Finding) and signal.rule == "assay/task-checker"]


def graded(
    session: Session,
    code: str,
    interactor: str = INTERACTOR,
    *,
    given: tuple[str, ...] = ("42 100",),
    limits: Limits = LIMITS,
    **options: object,
) -> tuple[list[CaseOutcome], list[str]]:
    files = {"hidden/talk.py": interactor} | {f"hidden/{n}.in": text for n, text in enumerate(given)}
    suite = Suite(id="talk", kind="stdio", files=files, options={"interactor_file": "hidden/talk.py", **options})
    context = context_of({"solution.py": code}, session)
    task = replace(context.task, suites=(suite,), limits=limits, reference={"solution.py": RIGHT})
    signals = list(HiddenTests().grade(replace(context, task=task)))
    assert len(to_mend(signals)) <= 1, "the author is told once for a suite"
    flags = [signal.rule for signal in signals if isinstance(signal, Finding) and signal.flag]
    return [signal for signal in signals if isinstance(signal, CaseOutcome)], flags


def test_two_programs_converse_and_the_author_s_decides(every_tier: Session) -> None:
    found, flags = graded(every_tier, RIGHT, given=("42 100", "1 1", "512 512"), limits=UNHURRIED)
    assert [(case.outcome, case.note, case.got) for case in found] == [(P, "", "")] * 3
    assert flags == []
    assert all(case.seconds and case.cpu_seconds is not None for case in found)


@pytest.mark.parametrize(
    "code",
    [
        "out = open(1, 'w')\ninput()\nout.write('answer 42')\ndef f(): return out",
        "input()\nclass Last:\n    def __del__(self): print('answer', number)\nnumber, last = 42, Last()",
        "import sys\ninput()\nreal, sys.stdout = sys.stdout, None\nreal.write('answer 42')",
    ],
    ids=["writer", "destructor", "swapped"],
)
def test_what_a_program_writes_at_its_end_is_heard(every_tier: Session, code: str) -> None:
    [case], flags = graded(every_tier, code, limits=UNHURRIED)
    assert (case.outcome, flags) == (P, []), case


def test_a_wrong_answer_is_told_with_the_conversation(every_tier: Session) -> None:
    [case], _ = graded(
        every_tier, "input()\nprint('guess 50', flush=True)\nassert input() == 'less'\nprint('answer 49')"
    )
    assert (case.outcome, case.given, case.note) == (F, "42 100", "it answered 49")
    assert case.got.split("\n") == [
        "interactor: 100",
        "submission: guess 50",
        "interactor: less",
        "submission: answer 49",
    ]


def test_a_program_that_goes_on_after_it_was_rejected_is_not_waited_for(session: Session) -> None:
    code = "import time\nprint('answer 1', flush=True)\ntime.sleep(60)"
    [case], _ = graded(session, code, limits=replace(LIMITS, wall_seconds=60))
    assert (case.outcome, case.note) == (F, "it answered 1")
    assert (case.seconds or 0) < 30


ENDS: dict[str, tuple[str, Outcome, str, str]] = {
    "says nothing": ("pass", F, "", "it ended before the conversation was over"),
    "leaves in the middle": ("input()\nprint('guess 1', flush=True)", F, "", "it ended before the conversation was over"),
    "an exception": ("input()\nprint('guess 1', flush=True)\nraise ValueError('x')", F, "", "exit code 1: ValueError: x"),
    "an exception after the right answer": ("print('answer 42', flush=True)\nraise ValueError('x')", F, "", "exit code 1: ValueError: x"),
    "does not flush": ("import sys\nsys.stdin.readline()\nprint('guess 1')\nsys.stdin.readline()", E, "wall-timeout", "it waited too, with 0."),
    "waits for more than there is": ("input()\ninput()", E, "wall-timeout", "s for it to say something; it waited too"),
    "sleeps": ("import time\ntime.sleep(60)", E, "wall-timeout", "for it to say something; it waited too"),
    "computes": ("while True: pass", E, "cpu-timeout", ""),
    "closes stdout and stays": ("import os, time\nos.close(1)\nos.close(0)\ntime.sleep(60)", E, "wall-timeout", ""),
    "stays after the right answer": ("import time\nprint('answer 42', flush=True)\ntime.sleep(60)", E, "wall-timeout", ""),
    "floods a line": ("import os\nwhile True: os.write(1, b'x' * 65536)", E, "output-limit", "it said more than 8 MiB to the interactor"),
    "floods stderr": ("import os\nwhile True: os.write(2, b'x' * 65536)", E, "output-limit", ""),
    "floods with guesses": ("import os\nwhile True: os.write(1, b'guess 1\\n' * 1000)", F, "", "too many guesses"),
    "all memory": ("x = []\nwhile True: x.append(bytearray(1 << 20))", E, "out-of-memory", ""),
    "killed": ("import os\nos.kill(os.getpid(), 9)", E, "signalled", ""),
    "invalid UTF-8": ("import os\nos.write(1, b'answer \\xff42\\n')", F, "", "no verdict, and the reference's is accepted"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_how_a_conversation_ends(name: str, session: Session) -> None:
    code, outcome, end, note = ENDS[name]
    # On a busy machine a program may get a tenth of a processor.
    seconds = 30 if end == "cpu-timeout" else 3
    [case], flags = graded(session, code, seconds=seconds)
    assert (case.outcome, case.end) == (outcome, end), case
    assert note in case.note, case.note
    assert (case.seconds or 0) < seconds + 1.5
    assert not {"assay/channel", "assay/early-exit"} & set(flags)


def test_a_submission_that_computes_for_too_long_is_told_as_such(session: Session) -> None:
    [case], _ = graded(session, "while True: pass", seconds=0.9)
    assert (case.outcome, case.end) == (E, "wall-timeout")
    assert "for it to say something" in case.note
    assert ("while it computed" in case.note) == ((case.cpu_seconds or 0) > (case.seconds or 0) / 5)


def test_a_submission_that_does_not_read_blocks_only_itself(session: Session) -> None:
    talker = "while True: print('x' * 1000)"
    [case], _ = graded(session, "import time\ntime.sleep(60)", talker)
    assert (case.outcome, case.end) == (E, "wall-timeout")
    assert "s for it to read" in case.note


SAYS_AND_CLOSES = """
import os, subprocess, sys, threading
print('1')
print('2', flush=True)
{closes}
said = sys.stdin.read().split()
print('nobody hears this', file=sys.stderr)
sys.exit(said != ['3'])
"""
CLOSES = {
    "the object": "sys.stdout.close()",
    "the descriptor": "os.close(1)",
    "by its number": "os.close(sys.stdout.fileno())",
    "in a thread": "t = threading.Thread(target=lambda: os.close(sys.stdout.fileno()))\nt.start()\nt.join()",
    "by something else": "os.dup2(os.open(os.devnull, os.O_WRONLY), 1)",
    "and writes on": "os.close(1)\ntry: os.write(1, b'9\\n')\nexcept OSError: pass",
    "and opens a file": "sys.stdout.close()\nopen('feedback/notes', 'w').write('9\\n')",
}
SUMS_UP = "import sys\nprint(sum(map(int, sys.stdin)))\n"


@pytest.mark.parametrize("how", CLOSES)
def test_an_interactor_that_closes_its_stdout_reads_on(how: str, session: Session) -> None:
    interactor = SAYS_AND_CLOSES.format(closes=CLOSES[how])
    [case], flags = graded(session, SUMS_UP, interactor, limits=UNHURRIED)
    assert (case.outcome, flags) == (P, []), case
    [case], _ = graded(session, SUMS_UP.replace("sum(", "1 + sum("), interactor, limits=UNHURRIED)
    assert case.outcome is F, case


def test_either_side_may_end_what_it_says_and_hear_the_other_out(every_tier: Session) -> None:
    [case], _ = graded(every_tier, SUMS_UP, SAYS_AND_CLOSES.format(closes="sys.stdout.close()"), limits=UNHURRIED)
    assert case.outcome is P, case
    interactor = "import sys\nprint(sum(map(int, sys.stdin)))\n"
    closes = "import os\nprint(2)\nprint(3, flush=True)\nos.close(1)\nassert input() == '{}'\n"
    [case], flags = graded(every_tier, closes.format(5), interactor, limits=UNHURRIED)
    assert (case.outcome, flags) == (P, []), case
    [case], _ = graded(every_tier, closes.format(6), interactor, limits=UNHURRIED)
    assert (case.outcome, case.note) == (F, "exit code 1: AssertionError"), case


def test_the_author_s_command_may_close_its_stdout_too(session: Session) -> None:
    interactor = "import sys\nprint(sum(map(int, sys.stdin)))\n"
    code = "import os, sys\nprint(2, flush=True)\nos.close(1)\nassert [*sys.argv, input()] == ['solution.py', '2']\n"
    [case], flags = graded(session, code, interactor, command=["python3", "solution.py"], limits=UNHURRIED)
    assert (case.outcome, flags) == (P, []), case


SAYS = {
    "without a newline": "sys.stdout.write('42')",
    "by the descriptor": "os.write(1, b'42')",
    "both in turn": "sys.stdout.write('4\\n')\nos.write(1, b'38')",
    "by another program": "subprocess.run(['/bin/echo', '42'], check=True)",
    "by a copy of it": "os.write(os.dup(1), b'42')",
    "a lot": "print('1\\n' * 41, '\\n' * 300_000, 1)",
}


@pytest.mark.parametrize("how", SAYS)
def test_what_an_interactor_says_before_it_leaves_is_heard(how: str, session: Session) -> None:
    interactor = f"import os, subprocess, sys\n{SAYS[how]}\nsys.exit(0)\n"
    code = "import sys\nassert sum(map(int, sys.stdin.read().split())) == 42\n"
    [case], _ = graded(session, code, interactor, limits=UNHURRIED)
    assert case.outcome is P, case


HOSTILE = {
    "writes everywhere": "import os\nfor fd in range(64):\n    for m in (b'\\0\\0\\0\\2{}', b'\\0\\0\\0\\x0f{\"exit_code\": 0}'):\n        try: os.write(fd, m)\n        except OSError: pass\n",
    "reads what its driver knows": "import sys, gc\nf = sys._getframe()\nwhile f:\n    print('answer', [v for v in f.f_locals.values() if v == 42], flush=True)\n    f = f.f_back\n",
    "leaves a child that talks": "import os\nif os.fork(): os._exit(0)\nprint('answer 1', flush=True)\n",
    "looks for the input": "import glob\nfor p in glob.glob('/box/**', recursive=True) + glob.glob('/proc/*/cwd/*'):\n    try: t = open(p).read()\n    except Exception: continue\n    if t.startswith('42 '): print('answer 42', flush=True)\n",
    "stops its parent": "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)\nprint('answer 1', flush=True)\n",
    "closes all": "import os\nos.closerange(0, 256)\n",
    "closes and floods": "import os\nos.close(1)\ntry:\n    while True: os.write(0, b'guess 1\\n' * 1000)\nexcept OSError: pass\n",
    "leaves a child that keeps its stdout": "import os, time\nif os.fork() == 0: time.sleep(60)\nprint('answer 1', flush=True)\n",
    "ends its parent": "import os, signal\nos.kill(os.getppid(), 9)\nos.kill(-1, 9)\n",
}  # fmt: skip
CAREFUL = INTERACTOR.replace("int(number)", "(int(number) if number.strip().isdigit() else 0)")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_program_gains_nothing_and_harms_nobody(name: str, every_tier: Session) -> None:
    [case], _ = graded(every_tier, HOSTILE[name], CAREFUL)
    assert case.outcome in (F, E), case
    assert [case.outcome for case in graded(every_tier, RIGHT, limits=UNHURRIED)[0]] == [P]


def test_the_submission_has_neither_channel_nor_line_beside_its_streams(every_tier: Session) -> None:
    interactor = "import sys\nsys.stderr.write(said := input())\nsys.exit(said != '[]')"
    code = (
        "import os\ndef is_open(fd):\n    try: os.fstat(fd)\n    except OSError: return False\n    return True\n"
        "print([fd for fd in range(3, 256) if is_open(fd)], flush=True)"
    )
    [case], _ = graded(every_tier, code, interactor)
    assert case.outcome is P, case.note


@pytest.mark.parametrize(
    ("interactor", "why"),
    [
        ("1 / 0", "crashed: .*ZeroDivisionError"),
        ("raise EOFError", "crashed: .*EOFError"),
        ("import sys\ninput()\nsys.exit(5)", "exit code 5"),
        ("def", "crashed: .*SyntaxError"),
    ],
)
def test_an_interactor_without_a_verdict_is_the_task_s_failure(session: Session, interactor: str, why: str) -> None:
    with pytest.raises(TaskUnusable, match=f"(?s)suite talk, case 0: its interactor .*({why})"):
        graded(session, "print('answer 42', flush=True)\nimport time\ntime.sleep(1)", interactor)


BREAKS = {
    "crashes": ("input(); 1 / 0", "crashed: "),
    "leaves with no verdict": ("input(); sys.exit(7)", "ended with exit code 7"),
    "ends its process": ("input(); os._exit(3)", "ended by exited with exit code 3"),
    "takes all memory": (
        "input(); x = []\nwhile True: x.append(bytearray(1 << 20))",
        "ended by out-of-memory|crashed: .*MemoryError",
    ),
    "hangs": ("input()\nwhile True: pass", "ended by (cpu|wall)-timeout"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_an_interactor_that_breaks_on_this_submission_only_has_rejected_it(
    name: str, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graders.suites.stdio.judge.GRACE_SECONDS", 1.0)
    breaks, why = BREAKS[name]
    # The number of the guesses is for the submission to choose; the author never thought of none.
    indented = breaks.replace("\n", "\n    ")
    interactor = f"import os, sys\nprint(100)\nif input() == 'none':\n    {indented}\nsys.exit(0)"
    context = context_of({"solution.py": "print('none', flush=True)\nprint('more', flush=True)\ninput()"}, session)
    files = {"hidden/talk.py": interactor, "hidden/0.in": "42 100"}
    suite = Suite(id="talk", kind="stdio", files=files, options={"interactor_file": "hidden/talk.py"})
    reference = {"solution.py": "print('some')"}
    task = replace(context.task, suites=(suite,), limits=LIMITS, reference=reference)
    signals = list(HiddenTests().grade(replace(context, task=task)))
    [case] = [signal for signal in signals if isinstance(signal, CaseOutcome)]
    assert case.outcome is F, case
    assert re.search(f"its interactor ({why})", case.note), case.note
    [mend] = to_mend(signals)
    assert "the task's interactor gave no verdict on what this submission answered (case 0)" in mend.message
    assert (mend.flag, mend.severity) == (False, "low")
    assert not [signal for signal in signals if isinstance(signal, Finding) and signal.flag]


def test_a_submission_s_own_end_counts_where_it_left_its_interactor_with_half_a_line(session: Session) -> None:
    code = "import os\nos.write(1, b'answer 4x')\nx = []\nwhile True: x.append(bytearray(1 << 20))"
    [case], _ = graded(session, code)
    assert (case.outcome, case.end) == (E, "out-of-memory"), case


def test_the_protocol_of_kattis_and_partial_credit(session: Session) -> None:
    interactor = (
        "import sys, pathlib\nfeedback = pathlib.Path(sys.argv[3])\nprint('go')\nwords = sys.stdin.read().split()\n"
        "(feedback / 'judgemessage.txt').write_text(f'{len(words)} words')\n"
        "(feedback / 'score.txt').write_text(str(len(words) / 4))\nsys.exit(42 if words else 43)\n"
    )
    options = {"protocol": "kattis", "partial_credit": True}
    [case], _ = graded(session, "print('a b c')", interactor, **options)
    assert (case.outcome, case.credit, case.note) == (F, 0.75, "3 words")
    [case], _ = graded(session, "print('a b c d')", interactor, **options)
    assert (case.outcome, case.credit) == (P, 1.0)
    [case], _ = graded(session, "pass", interactor, **options)
    assert (case.outcome, case.credit, case.note) == (F, None, "0 words")


def test_what_carries_a_conversation_is_no_process_of_the_submission(session: Session) -> None:
    [case], flags = graded(session, RIGHT, limits=replace(UNHURRIED, processes=1))
    assert (case.outcome, flags) == (P, []), case


TWICE = """
import sys
from pathlib import Path
feedback = Path(sys.argv[3])
high = Path(sys.argv[1]).read_text()
print(high)
said = input()
if said.isdigit() and not (feedback / 'first').exists():
    (feedback / 'first').write_text(said)
    (feedback / 'nextpass.in').write_text('again ' + said)
    sys.exit(42)
sys.exit(42 if said == (feedback / 'first').read_text()[::-1] else 43)
"""


def test_a_conversation_of_several_passes(every_tier: Session) -> None:
    right = "word, *said = input().split()\nprint(said[0][::-1] if said else 12)\n"
    options: dict[str, Any] = {"protocol": "kattis", "passes": 2, "given": ("first",), "limits": UNHURRIED}
    found, flags = graded(every_tier, right, TWICE, **options)
    assert ([case.outcome for case in found], flags) == ([P], []), found
    [case], _ = graded(every_tier, right.replace("[::-1]", ""), TWICE, **options)
    assert (case.outcome, case.credit) == (F, None)
    assert "pass 2 (input 'again 12')" in case.note
    [case], _ = graded(every_tier, right + "assert not said", TWICE, **options)
    assert (case.outcome, case.note) == (F, "pass 2 (input 'again 12'): exit code 1: AssertionError")


def test_a_command_of_the_author_s_is_executed_with_the_line(session: Session) -> None:
    [case], flags = graded(session, RIGHT, command=["python3", "-O", "solution.py"])
    assert case.outcome is P, case
    assert flags == []


def test_a_program_that_cannot_be_parsed_never_meets_the_interactor(session: Session) -> None:
    found, _ = graded(session, "x = = 1", "1 / 0", given=("1", "2"))
    assert [case.outcome for case in found] == [N, N]
    assert "SyntaxError" in found[0].note
