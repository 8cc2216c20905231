"""A plugin that tries to harm the service where it is imported, and tells afterwards what came of it.

What it does is its module's own name: the test installs it under several. One that ends badly does so only when the file `now`
lies beside it, so that a service that starts before finds nothing wrong.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from graders.interface import Context, Example, Grader, Signal

NAME = __name__
NOW = Path(__file__).with_name("now").exists()
GOT: list[str] = []


def attempt(what: str, act: Callable[[], object]) -> None:
    try:
        act()
    except OSError:
        return
    GOT.append(what)


def reaches() -> None:
    """For all that the service has and the plugin does not."""
    home, package = Path(os.environ["ASSAY_HOME"]), Path(os.environ["ASSAY_TEST_PACKAGE"])
    if os.getuid() < 1_900_000_000:
        GOT.append("the user of the service")
        return
    attempt("another user", partial(os.setuid, 0))
    attempt("another group", partial(os.setgroups, [0]))
    attempt("a file in the service's folder", partial((home / "mine").write_text, "x"))
    attempt("the database", partial((home / "assay.sqlite3").read_bytes))
    attempt("a hidden package", partial((package / "task.toml").read_bytes))
    attempt("the engine", partial(Path("/var/run/docker.sock").open, "rb"))
    if "ASSAY_TOKEN" in os.environ:
        GOT.append("the token")
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) not in (1, os.getpid()):
            attempt(f"signal to {folder.name}", partial(os.kill, int(folder.name), 0))
            attempt(f"memory of {folder.name}", partial((folder / "mem").open, "rb"))
            attempt(f"environment of {folder.name}", partial((folder / "environ").read_bytes))
            attempt(f"files of {folder.name}", partial(os.listdir, folder / "fd"))
    for name in ("tmp", "var/tmp", "dev/shm"):
        with suppress(OSError):
            Path("/", name, "left-by-a-plugin").write_text("x")


def daemon() -> None:
    """Two of them: one as daemons are made, one that is also stopped and in a group of its own."""
    for stopped in (False, True):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.closerange(0, 100)
                if stopped and os.fork() != 0:
                    os.kill(os.getpid(), signal.SIGSTOP)
                os.execv("/bin/sleep", ["sleep", "1000.75"])
            os._exit(0)


def daemon_and_exits() -> None:
    """In a process that ends nobody any more."""
    sys.modules["service.plugins.process"].__dict__["_end_all_that_is_left"] = lambda: None
    daemon()
    os._exit(7)


def replaces() -> None:
    """What the process that forks later uses, and what others would import."""
    os.environ["PATH"] = "/nowhere"
    os.environ["ASSAY_HOME"] = "/nowhere"
    sys.path[:] = ["/nowhere"]
    for name in [name for name in sys.modules if name.startswith(("service", "graders"))]:
        del sys.modules[name]


def prints() -> None:
    for _ in range(200):
        print("x" * 20_000)
        print("y" * 20_000, file=sys.stderr)


def lies() -> None:
    """That it is another grader, on every connection that it has."""
    word = b'{"ready": {"id": "assay/hidden-tests", "version": "1", "criterion": "best_practices"}, "file": ""}'
    for fd in range(3, 100):
        with suppress(OSError):
            os.write(fd, len(word).to_bytes(4, "big") + word)


def eats() -> None:
    eaten = []
    while True:
        eaten.append(bytearray(1 << 24))


def forks_for_ever() -> None:
    """Every copy goes on; they end where their user has no more processes."""
    while True:
        with suppress(OSError):
            os.fork()


LATER: dict[str, Callable[[], object]] = {
    "exits": lambda: os._exit(7),
    "daemon_and_exits": daemon_and_exits,
    "leaves": lambda: sys.exit(3),
    "hangs": lambda: time.sleep(1000),
    "stops": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "kills": lambda: os.kill(-1, signal.SIGKILL),
    "lies": lies,
    "eats": eats,
    "forks_for_ever": forks_for_ever,
}
AT_ONCE: dict[str, Callable[[], object]] = {
    "reaches": reaches,
    "daemon": daemon,
    "replaces": replaces,
    "prints": prints,
    "honest": lambda: None,
}

if NAME in AT_ONCE:
    AT_ONCE[NAME]()
elif NOW:
    assert os.getuid() > 1_900_000_000, "this is a user that others have as well"
    LATER[NAME]()


@dataclass(frozen=True)
class Hostile(Grader):
    """Reports what it got at when it was imported."""

    id, version, criterion = f"acme/{NAME.replace('_', '-')}", "1", "best_practices"
    examples = (Example("x = 1\n"),)

    def grade(self, context: Context) -> Iterator[Signal]:
        yield self.finding(", ".join(GOT) or "nothing", severity="low")
