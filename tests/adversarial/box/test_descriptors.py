"""Tier jail shows a program its own descriptors, a folder of a procfs: nothing else of that can be got at through it."""

import pytest

from sandboxes.interface import End, Sandbox, Tier
from tests.adversarial.box.attack import Attack, attack, suffer

CLIMB = """
import os
OTHERS = ("mem", "environ", "maps", "root/usr", "cwd", "exe", "status", "task", "fdinfo", "ns", "stat", "mountinfo", "../1", "../thread-self", "../version")
starts = ["/dev/fd", "/dev/fd/.", "/proc/self/fd", "/proc/self", "/proc", "/dev/fd/0", "/proc/self/fd/1", "/dev/stdin"]
starts.append(f"/dev/fd/{os.open('/dev/fd', os.O_RDONLY)}")
starts.append(f"/dev/fd/{os.open('/box', os.O_RDONLY)}")
got = []
for start in starts:
    for up in ("", "/..", "/../.."):
        for name in OTHERS:
            path = start + up + "/" + name
            for flags in (os.O_RDONLY, os.O_PATH, os.O_PATH | os.O_NOFOLLOW):
                try: os.open(path, flags)
                except OSError: continue
                got.append(path)
for fd in range(3, 64):
    for name in ("..", "../mem", "../environ", "../../1/fd/0"):
        try: found = os.open(name, os.O_RDONLY, dir_fd=fd)
        except OSError: continue
        if os.fstat(found).st_dev == os.stat("/dev/fd").st_dev: got.append((fd, name))
print(got)
"""
WALK = """
import os
proc = os.stat("/dev/fd").st_dev
found = []
for folder, names, files in os.walk("/", onerror=lambda error: None):
    if folder.startswith(("/usr", "/etc")): names.clear()
    for name in (*names, *files):
        try: here = os.lstat(os.path.join(folder, name))
        except OSError: continue
        if here.st_dev == proc and not folder.startswith("/dev/fd"): found.append(os.path.join(folder, name))
print(found)
"""
NUMBERS = """
import os
kinds = {}
for name in os.listdir("/dev/fd"):
    try: kinds[name] = os.readlink("/dev/fd/" + name).partition(":")[0]
    except OSError: pass  # that of the list itself
got = []
for number in range(1024):
    try: fd = os.open(f"/dev/fd/{number}", os.O_RDWR | os.O_NONBLOCK)
    except OSError: continue
    got.append(number)
print(sorted(kinds.items()), got)
"""
BY_A_CHILD = """
import os, signal
secret = os.open("secret", os.O_RDWR | os.O_CREAT, 0o600)
os.write(secret, b"secret"); os.unlink("secret")
ready, begin = os.pipe()
child = os.fork()
if child == 0:
    os.close(secret); os.close(begin)
    os.setsid()
    got = []
    for path in (f"/dev/fd/{secret}", f"/proc/self/fd/{secret}", f"/dev/fd/{begin}"):
        for flags in (os.O_RDONLY, os.O_WRONLY):
            try: os.open(path, flags | os.O_NONBLOCK); got.append(path)
            except OSError: pass
    try: got += os.listdir("/dev/fd")
    except OSError: pass
    print(got, flush=True)
    os._exit(0)
os.wait()
"""
AFTER_ITS_END = """
import os, time
if os.fork() == 0:
    parent = os.getppid()
    while os.getppid() == parent: time.sleep(0.01)
    os._exit(0)
print("left")
"""
COVERED = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
got = [libc.umount2(path, flags) for path in (b"/box", b"/dev/fd", b"/box/proc") for flags in (0, 1, 2, 8)]
got += [libc.unshare(flags) for flags in (0x00020000, 0x10000000, 0x10020000)]
got += [libc.mount(b"/dev/fd", b"/box/work", None, 0x1000, None), libc.mount(b"proc", b"/box/work", b"proc", 0, None)]
try: os.rename("/box/work", "/box/proc"); os.listdir("/box/proc/self")
except OSError: got.append(-1)
print(set(got))
"""

DESCRIPTORS = (
    attack("climbs out of its descriptors", CLIMB, End.EXITED, says="[]"),
    attack("looks for a procfs everywhere", WALK, End.EXITED, says="['/dev/fd']"),
    attack(
        "every descriptor there could be", NUMBERS, End.EXITED, says="[('0', 'pipe'), ('1', 'pipe'), ('2', 'pipe')] []"
    ),
    attack("a child looks at its parent's descriptors", BY_A_CHILD, End.EXITED, says="[]"),
    attack("a child that outlives the folder's process", AFTER_ITS_END, End.EXITED, says="left"),
    attack("uncovers what lies under the box", COVERED, End.EXITED, says="{-1}"),
)


@pytest.mark.parametrize("tier", [Tier.JAIL], indirect=True)
@pytest.mark.parametrize("row", DESCRIPTORS, ids=lambda row: row.name)
def test_attack(row: Attack, tier_sandbox: Sandbox) -> None:
    suffer(tier_sandbox, row, sees=True)
