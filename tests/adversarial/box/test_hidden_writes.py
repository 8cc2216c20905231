"""A file outside of the program's places is noticed however it is named; one inside is not, however oddly."""

import pytest

from sandboxes.interface import Behaviour, Command, End, Sandbox, Tier
from tests.adversarial.box.attack import SMALL, honest

START = """
import os, sys, tempfile
def attempt(way):
    try: return way()
    except OSError: pass
"""
ETC = "etc = os.open('/etc', os.O_RDONLY | os.O_DIRECTORY)\n"

OUTSIDE = {
    # what it does -> what must be told of it
    "from another folder": ("os.chdir('/etc'); attempt(lambda: open('x', 'w'))", "openat /etc/x"),
    "from a folder of a folder": ("os.chdir('/usr/lib'); attempt(lambda: open('../../etc/x', 'w'))", "openat /etc/x"),
    "from an open folder": (ETC + "attempt(lambda: os.open('x', os.O_WRONLY, dir_fd=etc))", "openat /etc/x"),
    "after fchdir": (ETC + "os.fchdir(etc); attempt(lambda: open('x', 'w'))", "openat /etc/x"),
    "moved to an open folder": (
        ETC + "open('x', 'w'); attempt(lambda: os.rename('x', 'y', dst_dir_fd=etc))",
        "/etc/y",
    ),
    "moved from one": (ETC + "attempt(lambda: os.rename('passwd', '/tmp/x', src_dir_fd=etc))", "/etc/passwd"),
    "linked to one": (ETC + "open('x', 'w'); attempt(lambda: os.link('x', 'y', dst_dir_fd=etc))", "/etc/y"),
    "a link there": (ETC + "attempt(lambda: os.symlink('x', 'y', dir_fd=etc))", "/etc/y"),
    "its mode": (ETC + "attempt(lambda: os.chmod('passwd', 0o777, dir_fd=etc))", "/etc/passwd"),
    "by the number of a folder": (ETC + "attempt(lambda: open(f'/dev/fd/{etc}/x', 'w'))", "openat /etc/x"),
    "by its number in /proc": (ETC + "attempt(lambda: open(f'/proc/self/fd/{etc}/x', 'w'))", "openat /etc/x"),
    "by a link to a folder": ("os.symlink('/etc', 'l'); attempt(lambda: open('l/x', 'w'))", "openat /etc/x"),
    "by a link from the root": (
        "os.symlink('/etc', 'l'); attempt(lambda: open('/box/work/l/x', 'w'))",
        "openat /etc/x",
    ),
    "by a link to nothing yet": ("os.symlink('/etc/x', 'l'); attempt(lambda: open('l', 'w'))", "openat /etc/x"),
    "by a relative link": ("os.symlink('../../etc', 'l'); attempt(lambda: open('l/x', 'w'))", "openat /etc/x"),
    "by a chain of links": (
        "for n in range(30): os.symlink(f'l{n}' if n else '/etc', f'l{n + 1}')\nattempt(lambda: open('l30/x', 'w'))",
        "openat /etc/x",
    ),
    "by a folder that took the place of its own": (
        "os.rename('/box/work', '/box/other'); os.symlink('/etc', '/box/work'); attempt(lambda: open('/box/work/x', 'w'))",
        "openat /etc/x",
    ),
    "by a way without an end": ("attempt(lambda: open('./' * 1900 + '../../etc/x', 'w'))", "openat ././"),
    "what the harness brings": ("attempt(lambda: open('/box/../harness/x', 'w'))", "harness/x"),
    "a link of an outside folder, moved": (
        "os.symlink('/etc', 'l'); attempt(lambda: os.rename('l/passwd', 'x'))",
        "/etc/passwd",
    ),
    "by bytes that are no text": (
        "os.chdir('/etc'); attempt(lambda: open(b'\\xff\\xfe\\x1b', 'w'))",
        "openat /etc/\\udcff\\udcfe\\x1b",
    ),
}

INSIDE = {
    "in folders of its own": "os.makedirs('a/b'); os.chdir('a/b'); open('x', 'w'); open('../x', 'w'); open('../../../work/y', 'w')",
    "in an open folder": "fd = os.open('.', os.O_RDONLY); os.close(os.open('x', os.O_WRONLY | os.O_CREAT, dir_fd=fd))",
    "by links": "os.mkdir('a'); os.symlink('/box/work/a', 'l'); open('l/x', 'w'); os.symlink('x', 'a/y'); open('l/y', 'w')",
    "in the folders for all": "open('/tmp/x', 'w'); open('/tmp/../tmp/y', 'w'); open('/var/tmp/z', 'w'); open('/dev/shm/x', 'w')",
    "its streams": "open('/dev/stdout', 'w'); open('/dev/stderr', 'w'); open('/dev/null', 'w'); open('/proc/self/fd/1', 'w')",
    "memory": "fd = os.memfd_create('x'); open(f'/dev/fd/{fd}', 'w').write('x')",
    "a file that is gone": "file = open('x', 'w'); os.unlink('x'); open(f'/proc/self/fd/{file.fileno()}', 'w')",
    "a folder that is gone": "os.mkdir('a'); os.chdir('a'); os.rmdir('/box/work/a'); attempt(lambda: open('x', 'w'))",
    "links to elsewhere, moved": "os.symlink('/usr/bin/env', 'l'); os.rename('l', 'm'); os.symlink('/etc', 'n'); os.rename('n', 'm')",
    "a link to itself": "os.symlink('l', 'l'); attempt(lambda: open('l/x', 'w'))",
    "temporary files": "tempfile.TemporaryFile(); tempfile.NamedTemporaryFile(); open('x', 'x')",
    "by too many links": "for n in range(60): os.symlink(f'l{n + 1}', f'l{n}')\nattempt(lambda: open('l0', 'w'))",
    "no folder at all": "attempt(lambda: os.open('x', os.O_WRONLY, dir_fd=77))",
}

SEES = [Tier.JAIL, Tier.CONTAINER]


def _tries(code: str) -> Command:
    return Command(argv=("python3", "-c", START + code), limits=SMALL)


@pytest.mark.parametrize("tier", SEES, indirect=True)
def test_what_lies_outside_is_noticed(tier_sandbox: Sandbox) -> None:
    missed = []
    with tier_sandbox.session() as session:
        for name, (code, told) in OUTSIDE.items():
            execution = session.run(_tries(code))
            assert (execution.end, execution.exit_code) == (End.EXITED, 0), (name, execution)
            details = [each.detail for each in execution.evidence if each.behaviour is Behaviour.WRITE]
            if not any(told in detail for detail in details):
                missed.append((name, execution.evidence))
        honest(session)
    assert not missed


@pytest.mark.parametrize("tier", SEES, indirect=True)
def test_what_lies_inside_is_the_programs_own(tier_sandbox: Sandbox) -> None:
    with tier_sandbox.session() as session:
        told = {}
        for name, code in INSIDE.items():
            execution = session.run(_tries(code))
            assert (execution.end, execution.exit_code) == (End.EXITED, 0), (name, execution)
            if execution.evidence:
                told[name] = execution.evidence
    assert not told
