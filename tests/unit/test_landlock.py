"""Landlock on this kernel: held where there is any, and 0 where there is none."""

import subprocess
import sys
from pathlib import Path

from sandboxes.inside import landlock

PROGRAM = """
import ctypes, os, signal, socket, sys
from sandboxes.inside import landlock
own, other, single = sys.argv[1:]
parent = os.getppid()
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)  # no_new_privs
print(landlock.restrict((own, single)))
def attempt(way):
    try: way()
    except OSError as error: print(error.strerror)
    else: print("done")
open(own + "/new", "w").write("x")
os.mkdir(own + "/folder"); os.rename(own + "/new", own + "/folder/moved"); os.remove(own + "/folder/moved")
open(single, "w").write("x")
attempt(lambda: open(other + "/new", "w"))
attempt(lambda: open(other + "/old", "a"))
attempt(lambda: os.remove(other + "/old"))
attempt(lambda: os.mkdir(other + "/folder"))
attempt(lambda: os.mknod(own + "/device", 0o20666, os.makedev(1, 3)))
attempt(lambda: open(other + "/old").read())
attempt(lambda: os.truncate(other + "/old", 0))
attempt(lambda: os.kill(parent, 0))
listener = socket.socket()
attempt(lambda: listener.bind(("127.0.0.1", 0)))
"""


def test_writing_stays_in_its_places(tmp_path: Path) -> None:
    own, other, single = tmp_path / "own", tmp_path / "other", tmp_path / "single"
    own.mkdir()
    other.mkdir()
    (other / "old").write_text("kept")
    single.write_text("")
    argv = [sys.executable, "-c", PROGRAM, str(own), str(other), str(single)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    abi, *outcomes = done.stdout.splitlines()
    assert int(abi) == landlock.version()
    denied, not_permitted = "Permission denied", "Operation not permitted"
    assert outcomes[5] == "done", "reading stays as it was"
    if landlock.version() == 0:
        return
    assert outcomes[:4] == [denied] * 4
    assert outcomes[4] in (denied, not_permitted)
    if landlock.version() >= 3:
        assert outcomes[6] == denied and (other / "old").read_text() == "kept"
    if landlock.version() >= 4:
        assert outcomes[8] == denied
    if landlock.version() >= 6:
        assert outcomes[7] == not_permitted
