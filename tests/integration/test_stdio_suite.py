"""`stdio` suites in real boxes: what a program may print, how it may end, and what a reviewer is told of it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import (
    CaseOutcome,
    Command,
    Execution,
    Finding,
    Limits,
    Measurement,
    Outcome,
    Session,
    Signal,
    Suite,
    TaskUnusable,
)
from graders.plugins.testing import context_of
from service.evaluation.task_cache import TaskCache

LIMITS = Limits(wall_seconds=5, cpu_seconds=3, memory_mib=128, disk_mib=16, processes=24, output_kib=256)
SUMS = {"1.in": "1 2\n", "1.ans": "3\n", "2.in": "40 2\n", "2.ans": "42\n"}
RIGHT = "print(sum(map(int, input().split())))\n"
P, F, E, N, T = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.NOT_RUN, Outcome.NOT_TRIED

Grade = Callable[..., list[Signal]]


def suite(files: Mapping[str, str] = SUMS, **options: object) -> Suite:
    return Suite(id="io", kind="stdio", files={f"hidden/{path}": text for path, text in files.items()}, options=options)


def graded(
    session: Session, code: str | Mapping[str, str], stated: Suite | None = None, limits: Limits = LIMITS
) -> list[Signal]:
    context = context_of({"solution.py": code} if isinstance(code, str) else code, session)
    task = replace(context.task, suites=(stated or suite(),), limits=limits, reference={"solution.py": RIGHT})
    return list(HiddenTests().grade(replace(context, task=task)))


def cases(signals: list[Signal]) -> list[CaseOutcome]:
    return [signal for signal in signals if isinstance(signal, CaseOutcome)]


def outcomes(signals: list[Signal]) -> list[Outcome]:
    return [case.outcome for case in cases(signals)]


def flags(signals: list[Signal]) -> list[str]:
    return [signal.rule for signal in signals if isinstance(signal, Finding) and signal.flag]


def test_each_case_is_a_run_of_its_own_and_is_accounted_for(every_tier: Session) -> None:
    code = "import os, sys\nopen('/box/work/left', 'a').write('x')\nprint(sum(map(int, sys.stdin.read().split())) + os.path.getsize('left') - 1)"
    signals = graded(every_tier, code)
    assert outcomes(signals) == [P, P]
    assert flags(signals) == []
    for case in cases(signals):
        assert (case.end, case.given, case.wanted, case.got, case.note) == ("", "", "", "", "")
        assert case.seconds and case.cpu_seconds and case.peak_memory_mib
        assert case.cpu_seconds < 3
    measured = {signal.name: signal.value for signal in signals if isinstance(signal, Measurement)}
    assert measured["printed"] == 5 / 1024


def test_a_wrong_answer_is_told_with_input_answer_and_output(session: Session) -> None:
    [right, wrong] = cases(graded(session, "a, b = map(int, input().split())\nprint(a + b if a < 9 else 'forty')\n"))
    assert right.outcome is P
    assert (wrong.outcome, wrong.case, wrong.given, wrong.wanted, wrong.got) == (F, "2", "40 2\n", "42\n", "forty\n")
    assert wrong.note == "token 1: expected '42', got 'forty'"


ENDS: dict[str, tuple[str, Outcome, str, str]] = {
    "nothing printed": ("pass", F, "", "the output ends after no tokens of 1"),
    "stdout closed": ("import os\nos.close(1)", F, "", ""),
    "an exception": (RIGHT + "raise ValueError('late')", F, "", "exit code 1: ValueError: late"),
    "an exit code": (RIGHT + "raise SystemExit(7)", F, "", "exit code 7"),
    "a signal": (RIGHT + "import os, sys\nsys.stdout.flush()\nos.kill(os.getpid(), 11)", E, "signalled", ""),
    "prints, then sleeps": ("import time\nprint(42, flush=True)\ntime.sleep(60)", E, "wall-timeout", ""),
    "prints, then computes": ("print(42, flush=True)\nwhile True: pass", E, "cpu-timeout", ""),
    "prints without end": ("while True: print('42 ' * 1000)", E, "output-limit", ""),
    "prints on stderr without end": ("import sys\nwhile True: sys.stderr.write('42 ' * 1000)", E, "output-limit", ""),
    "all memory": ("x = []\nwhile True: x.append(bytearray(1 << 20))", E, "out-of-memory", ""),
    "all disk": ("f = open('f', 'wb')\nwhile True: f.write(bytes(1 << 20)); f.flush()", E, "disk-limit", ""),
    "no UTF-8": ("import os\nos.write(1, b'\\xff\\x00\\xfe')", F, "", "expected '42', got '\\\\xff\\x00\\\\xfe'"),
    "escapes of a terminal": ("print('\\x1b[2J\\x1b[32mPASSED')", F, "", "got '\\x1b[2J\\x1b[32mPASSED'"),
    "a lot": ("print('4' * 200_000)", F, "", f"got '{'4' * 60}...'"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_how_a_program_ends(name: str, session: Session) -> None:
    code, outcome, end, note = ENDS[name]
    # On a busy machine a program may get a tenth of a processor.
    limits = replace(LIMITS, cpu_seconds=1, wall_seconds=30 if end == "cpu-timeout" else 5)
    signals = graded(session, code, suite({"1.in": "40 2\n", "1.ans": "42\n"}), limits)
    [case] = cases(signals)
    assert (case.outcome, case.end) == (outcome, end), case
    assert note in case.note
    assert len(case.got) < 2100 and case.given == "40 2\n"
    assert "assay/early-exit" not in flags(signals), "a program of this kind ends by itself"


def test_output_that_is_no_text_is_written_out_for_the_reader(session: Session) -> None:
    [case] = cases(graded(session, ENDS["no UTF-8"][0], suite({"1.in": "", "1.ans": "42"})))
    assert case.got == "\\xff\x00\\xfe"
    [case] = cases(graded(session, ENDS["a lot"][0], suite({"1.in": "", "1.ans": "42"})))
    assert case.got == "4" * 2000 + "... (200001 bytes)"


def test_right_output_with_invalid_bytes_around_is_not_accepted(session: Session) -> None:
    assert outcomes(graded(session, "import os\nos.write(1, b'42\\x00')", suite({"1.in": "", "1.ans": "42"}))) == [F]


GUESSES = """
import glob
found = [path for root in (".", "..", "/box", "/harness", "/tmp", "/opt", "/proc/self/cwd")
         for path in glob.glob(root + "/**", recursive=True)]
for name in found + ["1.ans", "2.ans", "case.ans", "hidden/1.ans", "../hidden/2.ans"]:
    if name.endswith((".ans", ".in", ".out", ".jsonl")):
        try: print(open(name).read())
        except OSError: pass
"""
HOSTILE = {
    "reads its input twice": ("d = open('/dev/stdin').read() + open('/dev/stdin').read()\nprint(sum(map(int, d.split())))", None),
    "guesses the files": (GUESSES, F),
    "writes to the channel and the line": (
        "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'\\0\\0\\0\\2{}42\\n')\n    except OSError: pass\n", F,
    ),
    "leaves a daemon": (
        RIGHT + "import os, sys, time\nsys.stdout.flush()\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(2)\n    print(7, flush=True)\n    time.sleep(60)", P,
    ),
    "plants byte code": ({
        "solution.py": "print(open('1.ans').read())", "__pycache__/solution.cpython-313.pyc": "x", "sitecustomize.py": "import os; os._exit(0)",
        "sys.py": "", "runpy.py": "raise SystemExit", "encodings.py": "", "graders/boxed/stdio/driver.py": "raise SystemExit(0)",
    }, F),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_program_gains_nothing(name: str, every_tier: Session) -> None:
    code, outcome = HOSTILE[name]
    found = cases(graded(every_tier, code))
    assert outcome is None or [case.outcome for case in found] == [outcome, outcome], found
    assert all((case.seconds or 0) < 4 for case in found)
    assert outcomes(graded(every_tier, RIGHT)) == [P, P]


def test_a_program_that_cannot_be_parsed_is_run_for_no_case_and_told_once(every_tier: Session) -> None:
    found = cases(graded(every_tier, "print(1)\nx = = 2\n"))
    assert [case.outcome for case in found] == [N, N]
    assert "SyntaxError" in found[0].note and 'solution.py", line 2' in found[0].note
    assert found[1].note == ""
    assert all(case.seconds is None for case in found)


@pytest.mark.parametrize(
    "code",
    ["x = " + "(" * 5000 + ")" * 5000, "x = " + "-" * 100_000 + "1", "x = 'a\0b'", "# coding: nonsense\n", "\udc80"],
    ids=["brackets", "operators", "nul", "coding", "surrogate"],
)
def test_what_no_compiler_takes_is_the_submission_s_failure(code: str, session: Session) -> None:
    found = cases(graded(session, code))
    assert [case.outcome for case in found] == [N, N]
    assert found[0].note


def test_byte_code_is_made_once_and_used(session: Session) -> None:
    code = {
        "solution.py": "import part, other.deep\nprint(part.__cached__.endswith('.pyc'), part.__spec__.loader.get_code('part') is not None)\n"
        "import os\nprint(os.listdir('__pycache__') == sorted(os.listdir('__pycache__')), len(os.listdir('__pycache__')), other.deep.x)\n"
        "import importlib.util, struct\nprint(struct.unpack('<I', open(importlib.util.cache_from_source('part.py'), 'rb').read()[4:8])[0])\n",
        "part.py": "x = 1", "other/deep.py": "x = 5", "broken.py": "def", "notes.txt": "",
    }  # fmt: skip
    stated = suite({"1.in": "", "1.ans": "True True\nTrue 2 5\n1"})
    [case] = cases(graded(session, code, stated))
    assert case.outcome is P, case  # flags 1: byte code that is not checked against its source


def test_a_program_finds_the_world_of_a_plain_interpreter(every_tier: Session) -> None:
    code = (
        "import sys, os\nassert __name__ == '__main__' and __file__.endswith('/solution.py')\n"
        "assert sys.argv == [__file__], sys.argv\nassert sys.stdin.encoding == 'utf-8' and os.path.realpath(sys.path[0]) == os.getcwd(), sys.path\n"
        "def answer(): return 42\nimport __main__\nprint(__main__.answer(), input())\n"
    )  # fmt: skip
    [case] = cases(graded(every_tier, code, suite({"1.in": "\u00e9", "1.ans": "42 \u00e9"})))
    assert case.outcome is P, case


def test_a_submission_s_own_module_hides_the_library_s(every_tier: Session) -> None:
    code = {
        "solution.py": "import heapq, graders\nprint(heapq.x + graders.x)",
        "heapq.py": "x = 40",
        "graders.py": "x = 2",
    }
    assert outcomes(graded(every_tier, code, suite({"1.in": "", "1.ans": "42"}))) == [P]


def test_checkers_on_the_host(session: Session) -> None:
    lines = "\n".join([
        json.dumps({"id": "third", "input": "", "output": ["1 2", "2 1"], "weight": 3, "group": "g"}),
        json.dumps({"input": "", "output": ["2"]}),
    ])  # fmt: skip
    found = cases(graded(session, "print(2, 1)", suite({"c.jsonl": lines}, checker="any-of", groups={"g": 5})))
    assert [(case.case, case.outcome, case.weight, case.group) for case in found] == [
        ("third", P, 5, "g"), ("line-2", F, 1, ""),
    ]  # fmt: skip
    assert outcomes(graded(session, "print(0.1 + 0.2)", suite({"1.in": "", "1.ans": "0.3"}, checker="float"))) == [P]
    assert outcomes(graded(session, "print(0.1 + 0.2)", suite({"1.in": "", "1.ans": "0.3"}, checker="exact"))) == [F]
    assert outcomes(graded(session, "print('YES')", suite({"1.in": "", "1.ans": "yes"}, case_sensitive=False))) == [P]


def test_options_of_a_run(session: Session) -> None:
    one = {"1.in": "", "1.ans": "42"}
    assert outcomes(graded(session, "print(42)\nraise SystemExit(3)", suite(one, ignore_exit_code=True))) == [P]
    assert outcomes(
        graded(
            session,
            "import sys\nprint(42 if sys.flags.optimize else 0)",
            suite(one, command=["python3", "-O", "solution.py"]),
        )
    ) == [P]
    [case] = cases(graded(session, "import time\ntime.sleep(60)", suite(one, seconds=0.5)))
    assert case.end == "wall-timeout" and 0.5 <= (case.seconds or 0) < 30


def many(count: int) -> dict[str, str]:
    return {f"{group}/{n}.{end}": "1" for group in "ab" for n in range(count) for end in ("in", "ans")}


def test_after_three_time_outs_of_a_group_the_rest_of_it_is_not_tried(session: Session) -> None:
    stated = suite(many(5), seconds=0.3, groups={"a": 1, "b": 1})
    found = cases(graded(session, "import time\ntime.sleep(9)", stated))
    assert [case.outcome for case in found] == [E, E, E, T, T] * 2
    assert found[3].note == "not tried: 3 cases before it ran out of time"
    assert [case.weight for case in found] == [0.2] * 10


def test_after_ten_time_outs_of_a_suite_without_groups_the_rest_is_not_tried(session: Session) -> None:
    found = cases(graded(session, "import time\ntime.sleep(9)", suite(many(6), seconds=0.2)))
    assert [case.outcome for case in found] == [E] * 5 + [T] * 7
    assert found[5].note == "not tried: 5 cases before it ran out of time"


def test_a_time_out_ends_one_case(session: Session) -> None:
    code = "import time\nn = int(input())\nif n % 3 == 0:\n    time.sleep(9)\nprint(n)"
    files = {f"{n}.{end}": str(n) for n in range(1, 10) for end in ("in", "ans")}
    assert outcomes(graded(session, code, suite(files, seconds=0.5))) == [P, P, E] * 3


def test_nothing_runs_after_a_failure_where_the_author_says_so(session: Session) -> None:
    signals = graded(session, "print(0)", suite(many(5), stop_on_failure=True))
    assert outcomes(signals) == [F] + [N] * 9
    [printed] = [signal.value for signal in signals if isinstance(signal, Measurement) and signal.name == "printed"]
    assert printed == 2 / 1024, "only one was run"


def test_only_the_first_twenty_failures_carry_their_texts(session: Session) -> None:
    found = cases(graded(session, "print(0)", suite(many(12))))
    assert [bool(case.got) for case in found] == [True] * 20 + [False] * 4
    assert all(case.note for case in found)


def test_limits_relative_to_the_slowest_case_of_the_reference(session: Session) -> None:
    context = context_of({"solution.py": RIGHT}, session)
    slow_on_one = {
        "solution.py": "n = sum(map(int, input().split()))\nif n == 42:\n    for _ in range(6_000_000): pass\nprint(n)"
    }
    task = replace(
        context.task, suites=(suite(),), limits=LIMITS, relative={"cpu_seconds": 20.0}, reference=slow_on_one
    )
    signals = list(HiddenTests().grade(replace(context, task=task)))
    assert outcomes(signals) == [P, P]
    [limit] = [signal.value for signal in signals if isinstance(signal, Measurement) and signal.name == "cpu-limit"]
    assert limit > 2.0, "the least that any submission gets"
    broken = replace(task, reference={"solution.py": "x = = 1"})
    with pytest.raises(TaskUnusable, match=r"(?s)suite io: the reference: .*SyntaxError"):
        list(HiddenTests().grade(replace(context, task=broken)))


@dataclass
class FailsLater:
    """A session whose box fails us at the second case."""

    session: Session
    left: int = 1

    def run(self, command: Command) -> Execution:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("a bug of ours")
        return self.session.run(command)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)


def test_half_a_suite_is_no_verdict(session: Session) -> None:
    context = context_of({"solution.py": RIGHT}, FailsLater(session))  # type: ignore[arg-type]
    task = replace(context.task, suites=(suite(),), limits=LIMITS)
    seen = []
    with pytest.raises(RuntimeError, match="a bug of ours"):
        seen.extend(HiddenTests().grade(replace(context, task=task)))
    assert seen == [], "the pipeline keeps what came before a crash, and would take one passed case for all"


# --- a checker program ----------------------------------------------------------------------------------------------------

DIVISOR = {
    "1.in": "12", "2.in": "91",
    "check.py": """
import sys
from pathlib import Path
given, answer, output = (Path(path).read_text() for path in sys.argv[1:])
assert answer == "" and sys.stdin.read() == output
try:
    divisor = int(output)
except ValueError:
    print("no number:", output[:20])
    sys.exit(1)
print("it divides" if int(given) % divisor == 0 else f"{divisor} does not divide {given}")
sys.exit(not (1 < divisor < int(given) and int(given) % divisor == 0))
""",
}  # fmt: skip


def judged(**options: object) -> Suite:
    return suite({**DIVISOR, **{name: str(options.pop(name)) for name in ("check.py",) if name in options}},
                 checker="program", checker_file="hidden/check.py", **options)  # fmt: skip


def checker(text: str, **options: object) -> Suite:
    return suite(
        {"1.in": "5", "1.ans": "6", "check.py": text}, checker="program", checker_file="hidden/check.py", **options
    )


def test_the_author_s_checker_decides_in_a_box_of_its_own(every_tier: Session) -> None:
    code = "n = int(input())\nprint(next(d for d in range(2, n) if n % d == 0))"
    assert outcomes(graded(every_tier, code, judged())) == [P, P]
    found = cases(graded(every_tier, "print(6)", judged()))
    assert [(case.outcome, case.note) for case in found] == [(P, ""), (F, "6 does not divide 91")]
    [first, _] = cases(graded(every_tier, "print('\\x1b[2Jsix')", judged()))
    assert (first.outcome, first.note, first.wanted) == (F, "no number: \x1b[2Jsix", "")


def test_the_protocol_of_kattis(session: Session) -> None:
    text = (
        "import sys, pathlib\ngiven, answer, feedback = sys.argv[1:]\n"
        "right = sys.stdin.read().strip() == pathlib.Path(answer).read_text()\n"
        "open(feedback + 'judgemessage.txt', 'w').write(f'it is {right}')\n"
        "pathlib.Path(feedback, 'score.txt').write_text('0.25')\nsys.exit(42 if right else 43)\n"
    )
    assert outcomes(graded(session, "print(int(input()) + 1)", checker(text, protocol="kattis"))) == [P]
    [case] = cases(graded(session, "print(0)", checker(text, protocol="kattis")))
    assert (case.outcome, case.note, case.wanted) == (F, "it is False", "6")
    [case] = cases(graded(session, "print(6)", checker(text, protocol="kattis", partial_credit=True)))
    assert (case.outcome, case.credit) == (F, 0.25)


@pytest.mark.parametrize(
    ("printed", "outcome", "credit"), [("0.5", F, 0.5), ("well done\n1", P, 1.0), ("", P, None), ("0", F, 0.0)]
)
def test_partial_credit_is_the_last_number_printed(
    session: Session, printed: str, outcome: Outcome, credit: float | None
) -> None:
    [case] = cases(graded(session, "print(6)", checker(f"print({printed!r})", partial_credit=True)))
    assert (case.outcome, case.credit) == (outcome, credit)
    [case] = cases(graded(session, "print(6)", checker(f"print({printed!r})")))
    assert (case.outcome, case.credit) == (P, None), "not asked for"
    [case] = cases(
        graded(session, "print(6)", checker(f"import sys\nprint({printed!r})\nsys.exit(1)", partial_credit=True))
    )
    assert (case.outcome, case.credit) == (F, None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1 / 0", "crashed: .*ZeroDivisionError"),
        ("import sys; sys.exit(2)", r"exit code 2, not 0 \(accept\) or 1"),
        ("import os; os.kill(os.getpid(), 9)", "ended by signalled"),
        ("import os; os._exit(1)", "ended by exited with exit code 1, but not by sys.exit"),
        ("x = []\nwhile True: x.append(bytearray(1 << 20))", "ended by out-of-memory|MemoryError"),
        ("print('a lot')", "gave 'lot' as credit"),
        ("print(2)", "gave '2' as credit"),
        ("print('nan')", "gave 'nan' as credit"),
    ],
)
def test_a_checker_without_a_verdict_is_the_task_s_failure(session: Session, text: str, why: str) -> None:
    with pytest.raises(TaskUnusable, match=f"(?s)suite io, case 1: its checker .*({why})"):
        graded(session, "print(6)", checker(text, partial_credit=True))


BREAKS = {
    "crashes": ("int(text)", "crashed: "),
    "leaves with no verdict": ("sys.exit(7)", "ended with exit code 7"),
    "ends its process": ("os._exit(3)", "ended by exited with exit code 3"),
    "kills itself": ("os.kill(os.getpid(), 9)", "ended by signalled"),
    "takes all memory": ("x = []\n    while True: x.append(bytearray(1 << 20))", "ended by out-of-memory|MemoryError"),
    "gives an odd score": ("print('lots')\n    sys.exit(0)", "gave 'lots' as credit"),
    "hangs": ("while True: pass", "ended by (cpu|wall)-timeout"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_checker_that_breaks_on_this_output_only_has_rejected_it(
    name: str, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaks, why = BREAKS[name]
    if name == "hangs":
        monkeypatch.setattr("graders.suites.stdio.judge.CHECKER_SECONDS", 3.0)
    text = (
        "import os, sys\ntext = sys.stdin.read()\nif text == 'x y\\n':\n    "
        f"{breaks}\nprint(int(text == open(sys.argv[2]).read()))\nsys.exit(text != open(sys.argv[2]).read())"
    )
    files = {**SUMS, "check.py": text}
    stated = suite(files, checker="program", checker_file="hidden/check.py", partial_credit=True)
    signals = graded(session, "a = input()\nprint('x y' if a == '40 2' else 3)", stated)
    [right, broken] = cases(signals)
    assert (right.outcome, broken.outcome, broken.credit) == (P, F, None)
    assert broken.note.startswith("no verdict, and the reference's is accepted, so this is rejected: ")
    assert re.search(f"(?s)its checker ({why})", broken.note), broken.note
    assert (broken.given, broken.got) == ("40 2\n", "x y\n")
    [mend] = [signal for signal in signals if isinstance(signal, Finding) and signal.rule == "assay/task-checker"]
    assert mend.message == (
        "Suite io: the task's checker gave no verdict on what this submission answered (case 2), while it accepts the "
        "reference's. That counts as rejected; the author of the task should mend the checker."
    )
    assert (mend.flag, mend.severity) == (False, "low")
    assert flags(signals) == []


def test_a_checker_is_asked_about_the_reference_once_and_only_where_it_broke(session: Session) -> None:
    text = "import sys\nsys.exit(int(sys.stdin.read()) != int(open(sys.argv[2]).read()))"
    stated = suite({**SUMS, "check.py": text}, checker="program", checker_file="hidden/check.py")
    remembered = TaskCache().of("t", "1")

    def boxes(code: str) -> int:
        counting = Counting(session)
        context = context_of({"solution.py": code}, counting)  # type: ignore[arg-type]
        task = replace(context.task, suites=(stated,), limits=LIMITS, reference={"solution.py": RIGHT})
        list(HiddenTests().grade(replace(context, task=task, remember=remembered)))
        return counting.boxes

    usual = boxes("print(3)")
    assert usual == boxes(RIGHT), "the reference stays where it is"
    assert boxes("print('x y')") > usual
    assert boxes("print('x y')") == usual


@dataclass
class Counting:
    """A session that counts its boxes."""

    session: Session
    boxes: int = 0

    def run(self, command: Command) -> Execution:
        self.boxes += 1
        return self.session.run(command)

    def converse(self, command: Command) -> Any:
        self.boxes += 1
        return self.session.converse(command)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)


def test_a_checker_that_hangs_is_asked_three_times_and_no_more(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graders.suites.stdio.judge.CHECKER_SECONDS", 2.0)
    text = "import sys\nwrong = sys.stdin.read() == 'x\\n'\nwhile wrong: pass\n"
    files = {f"{number}.in": f"{number} 1" for number in range(1, 6)}
    stated = suite({**files, "check.py": text}, checker="program", checker_file="hidden/check.py")
    assert outcomes(graded(session, "print('x')", stated)) == [F, F, F, T, T]


def test_outputs_that_make_a_checker_slow_hold_no_worker_for_long(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each verdict is within its time; all together are not."""
    monkeypatch.setattr("graders.suites.stdio.runner.JUDGED_SECONDS", 0.5)
    files = {f"{number}.in": f"{number} 1" for number in range(1, 5)}
    text = "import sys, time\ntime.sleep(0.7)\nsys.exit(0)"
    signals = graded(
        session, "print(1)", suite({**files, "check.py": text}, checker="program", checker_file="hidden/check.py")
    )
    assert outcomes(signals) == [P, T, T, T]
    assert "the checker took more than" in cases(signals)[1].note


def test_a_checker_that_rejects_the_reference_and_breaks_on_another_is_the_task_s_failure(session: Session) -> None:
    text = "import sys\nsys.exit(1 + int(sys.stdin.read()) * 0)"
    stated = suite({"1.in": "40 2", "check.py": text}, checker="program", checker_file="hidden/check.py")
    with pytest.raises(
        TaskUnusable, match=r"(?s)case 1: its checker crashed: .*the reference is not accepted"
    ) as error:
        graded(session, "print('x')", stated)
    assert "input '40 2', got '42\\n'" in str(error.value)


def test_a_box_too_small_for_the_files_makes_no_false_rejection(session: Session) -> None:
    padding = "# " + "x" * 300_000 + "\n" + "\n".join(f"v{n} = {n}.5 * len('{n}' * 7)" for n in range(14000)) + "\n"
    tight = replace(LIMITS, disk_mib=1, output_kib=4096)
    copies = "import sys\nsys.exit(open(sys.argv[1]).read() != open(sys.argv[3]).read())"
    stated = suite({"1.in": "4" * 1_200_000, "check.py": copies}, checker="program", checker_file="hidden/check.py")
    [case] = cases(graded(session, padding + "print(end='', flush=True)\nprint(input(), end='')", stated, tight))
    assert case.outcome is P, case


def test_a_checker_is_not_asked_about_a_program_that_did_not_end_well(session: Session) -> None:
    assert outcomes(graded(session, "raise SystemExit(3)", checker("1 / 0"))) == [F]


def verdict(session: Session, code: str | Mapping[str, str], judge: str, **options: object) -> CaseOutcome:
    """The one case of a suite with a checker in the protocol of Kattis, whose reference adds one."""
    files = {"hidden/check.py": judge, "hidden/0.in": "1 ask\n"}
    stated = {"checker": "program", "checker_file": "hidden/check.py", "protocol": "kattis", **options}
    context = context_of({"solution.py": code} if isinstance(code, str) else code, session)
    io = Suite(id="io", kind="stdio", files=files, options=stated)
    task = replace(context.task, suites=(io,), limits=LIMITS, reference={"solution.py": ADDS})
    [case] = cases(list(HiddenTests().grade(replace(context, task=task))))
    return case


ADDS = "n, word = input().split()\nprint(int(n) + 1)\n"
COUNTS = """
import sys
from pathlib import Path
given, feedback = Path(sys.argv[1]).read_text().split(), Path(sys.argv[3])
assert not (feedback / 'nextpass.in').exists()
with open(feedback / 'judgemessage.txt', 'a') as file: file.write(f'{given} ')
said = sys.stdin.read().split()
if said != [str(int(given[0]) + 1)]: sys.exit(43)
if said != ['4']: (feedback / 'nextpass.in').write_text(f'{said[0]} again')
sys.exit(42)
"""


def test_a_program_is_run_again_on_what_the_checker_writes_for_it(every_tier: Session) -> None:
    case = verdict(every_tier, ADDS, COUNTS, passes=3)
    assert (case.outcome, case.note) == (P, ""), case
    case = verdict(every_tier, ADDS.replace("1)", "(n < '3'))"), COUNTS, passes=3)
    assert case.outcome is F
    assert case.note == "pass 3 (input '3 again'): ['1', 'ask'] ['2', 'again'] ['3', 'again']"


@pytest.mark.parametrize(
    ("more", "outcome", "end"),
    [
        ("assert n != '2'", F, ""),
        ("open('left', 'a').write('x')\nassert open('left').read() == 'x'", P, ""),
        ("while n == '2': pass", E, "(cpu|wall)-timeout"),
        ("import os\nif n == '3': os.kill(os.getpid(), 9)", E, "signalled"),
    ],
)
def test_each_pass_is_a_run_of_its_own(session: Session, more: str, outcome: Outcome, end: str) -> None:
    case = verdict(session, ADDS + more, COUNTS, passes=3)
    assert case.outcome is outcome, case
    assert re.fullmatch(end, case.end), case


NEVER_ENDS = COUNTS.replace("!= ['4']", "!= ['2']").replace("[str(int(given[0]) + 1)]", "['x'] and said != ['2']")
PASSES = {
    "never ends": (NEVER_ENDS, "asked for another pass after 4"),
    "asks and rejects": ("if said == ['x']:\n (feedback / 'nextpass.in').touch()\n sys.exit(43)\nsys.exit(42)", "did not accept this one"),
    "leaves too much": ("if said == ['x']: (feedback / 'a').write_bytes(bytes(5 << 20))\nsys.exit(42)", "left more than 4 MiB"),
    "crashes later": ("if given[0] == 'x': 1 / 0\nif said == ['x']: (feedback / 'nextpass.in').write_text('x y')\nsys.exit(42)", "ZeroDivisionError"),
}  # fmt: skip


@pytest.mark.parametrize("name", PASSES)
def test_a_chain_of_passes_that_comes_to_no_verdict_is_no_credit(session: Session, name: str) -> None:
    rest, why = PASSES[name]
    judge = rest if rest is NEVER_ENDS else COUNTS[: COUNTS.index("if said")] + rest
    case = verdict(session, "print('x')", judge, passes=4)
    assert (case.outcome, case.credit) == (F, None), case
    assert why in case.note
    # Whoever makes the reference's chain endless has made the task unusable, and nobody's answer wrong.
    endless = COUNTS.replace("if said != ['4']: ", "")
    with pytest.raises(TaskUnusable, match="asked for another pass after 4"):
        verdict(session, ADDS, endless, passes=4)


def test_what_a_checker_keeps_between_passes_is_plain_files_of_its_folder(session: Session) -> None:
    judge = COUNTS.replace(
        "said = sys",
        "kept = sorted(p.name for p in feedback.rglob('*') if p.is_file())\n"
        "assert kept == ([] if given[0] == '1' else ['deep']) + ['judgemessage.txt'], kept\n"
        "(feedback / 'inside').mkdir(exist_ok=True)\n(feedback / 'inside' / 'deep').write_text('1')\n"
        "(feedback / 'link').unlink(missing_ok=True)\n(feedback / 'link').symlink_to('/etc/passwd')\nsaid = sys",
    )
    case = verdict(session, ADDS, judge, passes=3)
    assert case.outcome is P, case.note


def lines(*rows: dict[str, object]) -> dict[str, str]:
    return {"cases.jsonl": "".join(json.dumps({"input": "", "output": "", **row}) + "\n" for row in rows)}


def test_arguments_and_files_of_a_case_reach_the_program(every_tier: Session) -> None:
    code = (
        "import sys, os\nprint(*sys.argv[1:], *[open(p).read() for p in ('table', 'in/side') if os.path.exists(p)])\n"
    )
    files = lines(
        {"output": "-n 2 7\n", "args": ["-n", "2"], "files": {"table": "7\n"}},
        {"output": "8", "files": {"in/side": "8"}},
        {"output": "", "args": [" "]},
    )
    signals = graded(every_tier, code, suite(files))
    assert (outcomes(signals), flags(signals)) == ([P, P, P], []), cases(signals)
    spaces = graded(
        every_tier,
        "import sys\nprint(sys.argv[1:] == ['a b', ''])",
        suite(lines({"output": "True", "args": ["a b", ""]})),
    )
    assert outcomes(spaces) == [P], cases(spaces)
    command = ["python3", "-O", "solution.py"]
    signals = graded(every_tier, code, suite(files, command=command))
    assert outcomes(signals) == [P, P, P], cases(signals)


@pytest.mark.parametrize("own", ["table", "table/x", "table/x/y", "a", "a/b"])
def test_a_submission_cannot_be_in_the_way_of_a_case_s_file(session: Session, own: str) -> None:
    stated = suite(lines({"output": "7 8", "files": {"table": "7", "a/b/c": "8"}}))
    code = {"solution.py": "print(open('table').read(), open('a/b/c').read())\n", own: "9\n"}
    signals = graded(session, code, stated)
    assert outcomes(signals) == [P], cases(signals)


def test_a_case_may_be_compared_in_its_own_way(session: Session) -> None:
    files = lines(
        {"output": "0.5 Yes", "compare": {"checker": "float", "absolute": 0.1, "relative": 0, "case_sensitive": False}},
        {"output": "0.5 Yes"},
        {"output": "0.45 yes", "compare": {"checker": "exact"}},
        {"output": "0.45 Yes\n", "compare": {"case_sensitive": False, "space_sensitive": True}},
        {"output": "0.45  yes\n", "compare": {"space_sensitive": True}},
    )
    assert outcomes(graded(session, "print('0.45 yes')", suite(files))) == [P, F, P, P, F]


def test_a_checker_gets_the_arguments_of_a_case_and_the_files_beside_it(session: Session) -> None:
    files = {
        "judge/main.py": "import sys, more\nfrom pathlib import Path\nsaid = sys.stdin.read().split()\n"
        "sys.exit(42 if said == sys.argv[4:] + more.words + Path(__file__).with_name('list.txt').read_text().split() else 43)\n",
        "judge/more.py": "words = ['b']\n",
        "judge/list.txt": "c\n",
        **lines({"judge_args": ["a"]}, {"judge_args": ["a", "x"]}),
    }
    stated = suite(files, checker="program", checker_file="hidden/judge/main.py", protocol="kattis")
    assert outcomes(graded(session, "print('a b c')", stated)) == [P, F]


def test_lines_are_compared_one_by_one_and_numbers_by_value(session: Session) -> None:
    stated = suite({"1.in": "", "1.ans": "3\n0.333333333333 x\n0.333333333333\n"}, checker="lines", absolute=1e-6)
    found = {
        "print(3.0)\nprint('0.333333333333 x ')\nprint(1 / 3)": P,
        "print(3, '0.333333333333 x', 1 / 3, sep='\\n', end='\\n\\n')": P,
        "print('3 0.333333333333 x', 1 / 3, sep='\\n')": F,
        "print(3.0000001, '0.333333333333 x', 1 / 3, sep='\\n')": F,
        "print(3, '0.333333333333 x', 0.3334, sep='\\n')": F,
    }
    assert {code: outcomes(graded(session, code, stated))[0] for code in found} == found
    [_, case] = cases(graded(session, "print(int(input()[0]))", suite({"1.in": "1", "1.ans": "1", "2.in": "2", "2.ans": "1\n2"}, checker="lines")))  # fmt: skip
    assert case.note == "expected 2 lines, got 1"
