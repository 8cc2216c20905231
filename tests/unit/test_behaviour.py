"""What a submission tried in its boxes, as a reviewer reads it."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import Behaviour, End, Finding, Measurement, Observation, Severity, Signal, Suite
from graders.plugins.testing import context_of
from graders.suites.behaviour import SHOWN, acts, leaving
from rubrics.prefill import prefill
from sandboxes.fake import QUIET, FakeProgram, FakeSandbox
from sandboxes.interface import Command, Execution
from service.rubric_files import builtin_rubrics

CALL = Suite(
    id="hidden", kind="call", files={"hidden/cases.jsonl": '{"call": "f(1)", "returns": "1"}'},
    options={"entry_point": "f"},
)  # fmt: skip
PYTEST = Suite(id="hidden", kind="pytest", files={"hidden/test_f.py": ""}, options={"isolation": "shared"})


def seen(behaviour: Behaviour, detail: str, *, refused: bool = True, times: int = 1) -> Observation:
    return Observation(behaviour=behaviour, detail=detail, refused=refused, times=times)


def execution(*evidence: Observation) -> Execution:
    return replace(QUIET, evidence=evidence)


def graded(suite: Suite, programs: Callable[[Command], FakeProgram]) -> list[Signal]:
    sandbox = FakeSandbox(programs=programs)
    with sandbox.session() as session:
        context = context_of({"solution.py": "# submission"}, session)
        task = replace(context.task, suites=(suite,), reference={"solution.py": "# reference"})
        return list(HiddenTests().grade(replace(context, task=task)))


def answering(asked: bytes) -> bytes:
    """Whatever the driver is asked: one test, `t`, that passes, or one call that returns 1."""
    question = json.loads(asked)
    collecting = {"collected": ["t"]} if "tests" in question else {"test": "t", "outcome": "passed"}
    return json.dumps({"nonce": question["nonce"], "value": 1, **collecting}).encode()


def trying(*evidence: Observation) -> FakeProgram:
    return FakeProgram(answer=answering, execution=execution(*evidence))


def flags(signals: Iterable[Signal]) -> list[Finding]:
    return [signal for signal in signals if isinstance(signal, Finding) and signal.flag]


@pytest.mark.parametrize(
    ("evidence", "rule", "severity", "says"),
    [
        (
            seen(Behaviour.NETWORK, "connect 93.184.216.34:80", times=3),
            "assay/box-network", "high", "It tried to connect to 93.184.216.34:80 (3 times); the box has no network.",
        ),
        (
            seen(Behaviour.NETWORK, "socket AF_INET SOCK_STREAM"),
            "assay/box-network", "low", "It asked for the network (socket AF_INET SOCK_STREAM); the box has none.",
        ),
        (seen(Behaviour.NETWORK, "connect"), "assay/box-network", "low", "It asked for the network (connect)"),
        (
            seen(Behaviour.PROGRAM, "/bin/ls", refused=False),
            "assay/box-program", "low", "It started another program: /bin/ls.",
        ),
        (
            seen(Behaviour.WRITE, "openat /etc/passwd", refused=False),
            "assay/box-write", "medium", "It tried to change a file outside of its own places: openat /etc/passwd.",
        ),
        (
            seen(Behaviour.READ, "/root/.ssh/id_rsa", refused=False),
            "assay/box-read", "high", "It opened what holds nothing for it: /root/.ssh/id_rsa.",
        ),
        (seen(Behaviour.SYSCALL, "ptrace"), "assay/box-syscall", "medium", "no program here needs: ptrace."),
        (seen(Behaviour.PROCESSES, "fork"), "assay/box-processes", "low", "more processes or threads than it may"),
        (seen(Behaviour.PROGRAM, "{} {0} %s"), "assay/box-program", "low", "It started another program: {} {0} %s."),
    ],
)  # fmt: skip
def test_each_behaviour_is_a_sentence_with_a_severity(
    evidence: Observation, rule: str, severity: str, says: str
) -> None:
    [act], left_out = acts([execution(evidence)])
    assert left_out == 0
    assert (act.rule, act.severity) == (rule, severity)
    assert says in act.says


@pytest.mark.parametrize(
    ("behaviour", "detail", "severity"),
    [
        # what libraries try, and do without
        (Behaviour.NETWORK, "socket AF_INET SOCK_DGRAM", "low"),  # uuid.uuid1()
        (Behaviour.NETWORK, "socket AF_NETLINK SOCK_RAW", "low"),  # getaddrinfo(3), if_nameindex(3)
        (Behaviour.NETWORK, "connect 127.0.0.11:53", "low"),
        (Behaviour.NETWORK, "connect /run/uuidd/request", "low"),
        (Behaviour.NETWORK, "connect /var/run/dbus/system_bus_socket", "low"),
        (Behaviour.SYSCALL, "io_uring_setup", "low"),
        (Behaviour.SYSCALL, "sched_setscheduler", "low"),
        (Behaviour.WRITE, "openat /proc/self/oom_score_adj", "low"),
        (Behaviour.WRITE, "openat /proc/17/comm", "low"),
        (Behaviour.WRITE, "openat /usr/lib/python3/__pycache__/a.cpython-312.pyc", "low"),
        # what is only a place of one's own that is not there
        (Behaviour.WRITE, "openat /var/log/app.log", "low"),
        (Behaviour.WRITE, "openat /data/out.csv", "low"),
        (Behaviour.WRITE, "openat /home/me/.cache/x", "low"),
        (Behaviour.NETWORK, "bind 0.0.0.0:0", "medium"),
        (Behaviour.NETWORK, "connect 127.0.0.1:8000", "medium"),
        # what reaches for somebody else's
        (Behaviour.NETWORK, "socket AF_PACKET SOCK_RAW", "medium"),
        (Behaviour.NETWORK, "socket AF_INET SOCK_RAW", "medium"),
        (Behaviour.NETWORK, "sendto 192.0.2.1:53", "high"),
        (Behaviour.NETWORK, "connect /var/run/docker.sock", "high"),
        (Behaviour.SYSCALL, "process_vm_readv", "medium"),
        (Behaviour.SYSCALL, "unshare", "medium"),
        (Behaviour.WRITE, "openat /harness/x", "medium"),
        (Behaviour.WRITE, "openat /usr/lib/python3/site-packages/x.pth", "medium"),
        (Behaviour.WRITE, "openat something that it hides", "medium"),
        (Behaviour.WRITE, "openat /proc/1/mem", "medium"),
        (Behaviour.WRITE, "openat /x/3,1,2", "medium"),
        (Behaviour.WRITE, "openat /var/log/[3, 1, 2]", "medium"),
        (Behaviour.WRITE, "openat /home/me/venv/site-packages/x.pth", "medium"),
    ],
)
def test_how_much_an_attempt_tells(behaviour: Behaviour, detail: str, severity: str) -> None:
    [act], _ = acts([execution(seen(behaviour, detail))])
    assert act.severity == severity


def test_a_prompt_that_asks_for_the_network_excuses_it_and_nothing_else() -> None:
    run = execution(seen(Behaviour.NETWORK, "connect 192.0.2.1:80"), seen(Behaviour.READ, "/root/key"))
    for prompt, network in (("Sort the words.", "high"), ("Write `fetch(url)`: what the URL gives.", "low")):
        told, _ = acts([run], prompt)
        assert {act.rule: act.severity for act in told} == {"assay/box-network": network, "assay/box-read": "high"}


@pytest.mark.parametrize(
    ("ended", "severity"),
    [
        ({"end": End.EXITED, "exit_code": 0}, "medium"),
        ({"end": End.SIGNALLED, "exit_code": None, "signal": 15}, "medium"),
        ({"end": End.EXITED, "exit_code": 1}, "low"),  # it says itself that it failed
        ({"end": End.SIGNALLED, "exit_code": None, "signal": 11}, "low"),  # it recursed too deep
        ({"end": End.WALL_TIMEOUT, "exit_code": None}, "low"),
    ],
)
def test_who_breaks_has_not_left(ended: dict[str, Any], severity: str) -> None:
    assert leaving([replace(QUIET, **ended)]) == severity
    assert leaving([replace(QUIET, **ended), replace(QUIET, end=End.EXITED, exit_code=0)]) == "medium"


def test_every_behaviour_is_told_somewhere() -> None:
    for behaviour in Behaviour:
        signals = graded(CALL, lambda command, behaviour=behaviour: trying(seen(behaviour, "x")))  # type: ignore[misc]
        assert flags(signals), behaviour


def test_the_same_in_several_boxes_is_one_finding_with_the_sum() -> None:
    one = execution(seen(Behaviour.PROGRAM, "/bin/ls", times=2), seen(Behaviour.PROGRAM, "/bin/cp"))
    two = execution(seen(Behaviour.NETWORK, "connect [::1]:80"), seen(Behaviour.PROGRAM, "/bin/ls", times=5))
    assert [act.says for act in acts([one, two])[0]] == [
        "It tried to connect to [::1]:80; the box has no network.",
        "It started another program: /bin/ls (7 times).",
        "It started another program: /bin/cp.",
    ]


def test_what_it_tried_is_flagged_for_security_and_suggests_nothing() -> None:
    signals = graded(CALL, lambda command: trying(seen(Behaviour.NETWORK, "connect 192.0.2.1:80")))
    [flag] = flags(signals)
    assert (flag.grader, flag.criterion, flag.severity) == ("assay/hidden-tests", "security", Severity.HIGH)
    for suggested in prefill(builtin_rubrics()["default"], signals):
        assert suggested.level == (4 if suggested.criterion == "correctness" else None)
        assert flag not in suggested.because


def test_an_honest_run_has_no_flag() -> None:
    assert flags(graded(CALL, lambda command: trying())) == []


def test_no_kind_hides_another_and_the_rest_is_counted() -> None:
    """Many of the worst do not push out another of the worst, nor the few that are milder."""
    programs = [seen(Behaviour.PROGRAM, f"/bin/{n}", times=2) for n in range(SHOWN + 5)]
    addresses = [seen(Behaviour.NETWORK, f"connect 192.0.2.{n}:80") for n in range(SHOWN + 3)]
    rest = replace(seen(Behaviour.NETWORK, "connect", times=7), left_out=True)
    few = [seen(Behaviour.READ, "/root/key"), seen(Behaviour.SYSCALL, "ptrace")]
    signals = graded(CALL, lambda command: trying(*programs, *addresses, rest, *few))
    told = flags(signals)
    assert Counter(flag.rule for flag in told) == {
        "assay/box-network": SHOWN, "assay/box-read": 1, "assay/box-syscall": 1, "assay/box-program": SHOWN,
    }  # fmt: skip
    assert [flag.severity.rank for flag in told] == sorted((flag.severity.rank for flag in told), reverse=True)
    [left_out] = [signal for signal in signals if isinstance(signal, Measurement) and signal.name.endswith("left-out")]
    assert (left_out.value, left_out.unit, left_out.criterion) == (5 * 2 + 3 + 7, "attempts", "security")


def test_what_the_tests_themselves_do_is_not_the_submissions_doing() -> None:
    shared = seen(Behaviour.PROGRAM, "/bin/sort", refused=False)

    def programs(command: Command) -> FakeProgram:
        if command.files["submission/solution.py"] == b"# reference":
            return trying(shared)
        return trying(replace(shared, times=9), seen(Behaviour.NETWORK, "bind 0.0.0.0:80"))

    assert [flag.rule for flag in flags(graded(PYTEST, programs))] == ["assay/box-network"]


def test_cost_is_measured_where_the_tier_counts_it() -> None:
    busy = replace(QUIET, processes=7, written_bytes=2048, stdout=b"x" * 1024, stderr=b"y" * 512)
    for used, expected in ((busy, {"processes": 7, "written": 2, "printed": 1.5}), (replace(QUIET, processes=0), {})):
        signals = graded(CALL, lambda command, used=used: FakeProgram(answer=answering, execution=used))  # type: ignore[misc]
        measured = {signal.name: signal for signal in signals if isinstance(signal, Measurement)}
        assert {name: measured[name].value for name in measured.keys() - {"cpu-time", "peak-memory"}} == expected
        assert {signal.criterion for signal in measured.values()} == {"efficiency"}
