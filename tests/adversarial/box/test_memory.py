"""In tier jail a program is a copy of the zygote's memory: nothing of an earlier program may be in there.

One program leaves marks wherever it can: in its files, its arguments, what it prints and answers, and all that its observer is told. The next one
reads every page of its memory that can be read, and looks for them.
"""

from collections.abc import Iterator
from dataclasses import replace
from textwrap import dedent

import pytest

from sandboxes.interface import Command, End, Harness, Session, Tier
from sandboxes.tiers import Tiers
from tests.adversarial.box.attack import CHANNEL, SMALL

LIMITS = replace(SMALL, memory_mib=256, wall_seconds=60, cpu_seconds=40)
HALVES = ("zz-mark-", "of-an-earlier-program")
"""Put together only in the program that leaves them: nobody else's memory has the whole."""
MARK = "".join(HALVES)
HARNESS = Harness(files=(("kept.py", f"KEPT = 'kept-{MARK}'".encode()),), preload=("kept",))
"""What all programs of the slot have in memory, marked too: the look has to find it."""

LEAVES = """
import ctypes, os, socket, subprocess, sys
MARK = sys.argv[1]
libc = ctypes.CDLL(None, use_errno=True)
def attempt(way):
    try: way()
    except Exception: pass
for number in range(12):
    name = f"{number}-{MARK}-evidence"
    attempt(lambda: open(f"/{name}", "w"))
    attempt(lambda: os.rename(f"/{name}", f"/etc/{name}"))
    attempt(lambda: os.symlink("x", f"/etc/{name}"))
    attempt(lambda: socket.socket(socket.AF_UNIX).connect(f"/run/{name}"))
    attempt(lambda: socket.socket(socket.AF_UNIX).bind("\\0" + name))
    attempt(lambda: subprocess.run(["/bin/true", name], env={name: name}))
    attempt(lambda: subprocess.run([f"./{name}"]))
    attempt(lambda: socket.create_connection((name, 80), timeout=0.1))
    attempt(lambda: libc.ptrace(16, name.encode(), 0, 0))
attempt(lambda: open("/root/.ssh/id_rsa").read())
for place in ("/box/work", "/tmp", "/dev/shm"): open(f"{place}/{MARK}-file", "w").write(f"{MARK}-content" * 1000)
print(f"{MARK}-printed" * 100)
sys.stderr.write(f"{MARK}-complained" * 100)
question(); answer(f"{MARK}-answered".encode())
raise RuntimeError(f"{MARK}-raised")
"""

LOOKS = """
import ctypes, os, re
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.write.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
PAGE, END = 4096, 1 << 47
FAILED = ctypes.c_void_p(-1).value
def taken(start, end):
    # the pages, by number, where something is mapped: what is free can be mapped there without replacing anything
    size = (end - start) * PAGE
    got = libc.mmap(start * PAGE, size, 0, 0x104022, -1, 0)  # MAP_FIXED_NOREPLACE, MAP_NORESERVE, MAP_ANONYMOUS, MAP_PRIVATE
    if got != FAILED:
        libc.munmap(got, size)
    elif end - start <= 64:
        yield start, end
    else:
        middle = (start + end) // 2
        yield from taken(start, middle)
        yield from taken(middle, end)
reader, writer = os.pipe()
marks, pages = set(), 0
# whole words only: a letter that happens to lie beside a mark is no part of it
pattern = re.compile(b"(?:kept-)?" + "".join(HALVES).encode() + b"(?:-[a-z]+)?")
for start, end in list(taken(16, END // PAGE)):
    for page in range(start, end):
        if libc.write(writer, page * PAGE, PAGE) == PAGE:
            pages += 1
            marks |= {bytes(mark) for mark in pattern.findall(os.read(reader, PAGE))}
print(pages, *sorted(mark.decode() for mark in marks))
"""


@pytest.fixture
def session(tiers: Tiers) -> Iterator[Session]:
    with tiers.at_least(Tier.JAIL).session() as session:
        yield session


def test_nothing_of_an_earlier_program_is_in_memory(session: Session) -> None:
    leaves = Command(
        argv=("python3", "-c", CHANNEL + dedent(LEAVES), MARK, f"{MARK}-argument"),
        harness=HARNESS,
        files={f"{MARK}-name": f"{MARK}-given".encode() * 1000},
        stdin=f"{MARK}-read".encode() * 100,
        environment={"MINE": f"{MARK}-environment"},
        limits=LIMITS,
    )
    looks = Command(argv=("python3", "-c", f"HALVES = {HALVES}\n" + LOOKS), harness=HARNESS, limits=LIMITS)
    for _ in range(2):
        with session.converse(leaves) as conversation:
            answer = conversation.ask(f"{MARK}-asked".encode(), seconds=30)
            execution = conversation.finish()
        assert answer == f"{MARK}-answered".encode() and execution.exit_code == 1, execution
        assert len({seen.behaviour for seen in execution.evidence}) >= 4, execution.evidence
        execution = session.run(looks)
        assert execution.end is End.EXITED and execution.exit_code == 0, execution
        pages, *found = execution.stdout.decode().split()
        assert int(pages) > 1000
        assert found == [f"kept-{MARK}", MARK], "beside the harness's there is only what it looks for itself"
