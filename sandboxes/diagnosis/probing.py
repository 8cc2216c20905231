"""Tries whether a sandbox holds: runs small programs that attempt forbidden acts, and judges how they ended.

`sandboxes.diagnosis.conditions` reasons about a host; this module tries it. If a probe is not held, the tier should not be used.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from sandboxes.interface import Command, End, Execution, Limits, Sandbox, SandboxError, Session

LIMITS = Limits(wall_seconds=40, cpu_seconds=2, memory_mib=128, processes=16, disk_mib=16, output_kib=64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One thing tried in a box."""

    name: str
    held: bool
    says: str
    """The observation."""


@dataclass(frozen=True, slots=True)
class _Trial:
    name: str
    code: str
    holds: Callable[[Execution], bool]
    limits: Limits = LIMITS


def _prints(text: bytes) -> Callable[[Execution], bool]:
    return lambda execution: execution.end is End.EXITED and execution.stdout == text


def _ends(*ends: End) -> Callable[[Execution], bool]:
    return lambda execution: execution.end in ends


_RUNS = _Trial("runs a program", "print(6 * 7)", _prints(b"42\n"))

_ATTEMPTS = (
    _Trial(
        "reaches no network",  # connecting a datagram socket only asks the kernel for a route; nothing is sent
        "import socket\n"
        "try:\n"
        "    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9))\n"
        "    print('there is a route')\n"
        "except OSError:\n"
        "    print('held')\n",
        _prints(b"held\n"),
    ),
    _Trial(
        "writes nothing outside",
        "for path in ('/usr/x', '/etc/x', '/opt/x', '/x'):\n"
        "    try:\n"
        "        open(path, 'w')\n"
        "        print(path)\n"
        "    except OSError:\n"
        "        pass\n"
        "print('held')\n",
        _prints(b"held\n"),
    ),
    _Trial(
        "has no rights",
        "import ctypes, os\n"
        "libc = ctypes.CDLL(None)\n"
        "gained = [name for name, call in {\n"
        "    'mount': lambda: libc.mount(b'none', b'/tmp', b'tmpfs', 0, None),\n"
        "    'chroot': lambda: libc.chroot(b'/tmp'),\n"
        "    'sethostname': lambda: libc.sethostname(b'x', 1),\n"
        "    'setuid': lambda: libc.setuid(0) if os.getuid() else -1,\n"
        "}.items() if call() == 0]\n"
        "print(*gained or ['held'])\n",
        _prints(b"held\n"),
    ),
    _Trial("memory is limited", "x = b'x' * (512 << 20)\nprint(len(x))", _ends(End.OUT_OF_MEMORY)),
    _Trial(
        "processes are limited",
        "import os, time\n"
        "count = 0\n"
        "try:\n"
        "    while count < 64:\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(60)\n"
        "        count += 1\n"
        "except OSError:\n"
        "    pass\n"
        "print(count, flush=True)\n"
        "os._exit(0 if count <= 16 else 1)\n",
        lambda execution: execution.end is End.PROCESS_LIMIT or execution.exit_code == 0,
        replace(LIMITS, cpu_seconds=8),  # a fork under gVisor is expensive
    ),
    _Trial(
        "CPU time is limited",
        "while True:\n    pass",
        _ends(End.CPU_TIMEOUT),
        replace(LIMITS, wall_seconds=120, cpu_seconds=1),  # on a busy host a second of it takes long
    ),
    _Trial(
        "wall time is limited",
        "import time\ntime.sleep(60)",
        _ends(End.WALL_TIMEOUT),
        replace(LIMITS, wall_seconds=1),
    ),
    _Trial("output is limited", "while True:\n    print('x' * 1000)", _ends(End.OUTPUT_LIMIT)),
    _Trial(
        "files are limited",
        "with open('big', 'wb') as file:\n    while True:\n        file.write(bytes(1 << 20))\n",
        _ends(End.DISK_LIMIT),
    ),
)

_LEAVES = "import pathlib\nfor folder in ('.', '/tmp', '/dev/shm'):\n    pathlib.Path(folder, 'left').write_text('x')"
_FINDS = "import pathlib\nprint([str(path) for path in map(pathlib.Path, ('left', '/tmp/left', '/dev/shm/left')) if path.exists()])"


def starts(sandbox: Sandbox) -> Probe:
    """Try whether an honest program runs. Raises SandboxError if the sandbox itself fails."""
    with sandbox.session() as session:
        return _tried(session, _RUNS)


def attempts(sandbox: Sandbox) -> Iterator[Probe]:
    """Yield every probe in turn, all in one session. A SandboxError becomes a last probe that is not held."""
    try:
        with sandbox.session() as session:
            for attempt in (_RUNS, *_ATTEMPTS):
                yield _tried(session, attempt)
            yield _reset(session)
    except SandboxError as error:
        facts = "; ".join(f"{name}: {value}" for name, value in error.diagnostics().items() if name != "message")
        yield Probe(name="the sandbox works", held=False, says=f"{error}{f' ({facts})' if facts else ''}")


def _tried(session: Session, attempt: _Trial) -> Probe:
    execution = session.run(Command(argv=("python3", "-c", attempt.code), limits=attempt.limits))
    return Probe(name=attempt.name, held=attempt.holds(execution), says=_account(execution))


def _reset(session: Session) -> Probe:
    session.run(Command(argv=("python3", "-c", _LEAVES), limits=LIMITS))
    execution = session.run(Command(argv=("python3", "-c", _FINDS), limits=LIMITS))
    return Probe(name="starts clean", held=execution.stdout == b"[]\n", says=_account(execution))


def _account(execution: Execution) -> str:
    words = [execution.end.value]
    if execution.exit_code is not None:
        words.append(f"exit code {execution.exit_code}")
    printed = execution.stdout or execution.stderr[-200:]
    if execution.end is End.EXITED and printed:
        words.append(repr(printed[:200].decode("utf-8", "replace").strip()))
    return f"{', '.join(words)} ({execution.wall_seconds:.2f} s)"
