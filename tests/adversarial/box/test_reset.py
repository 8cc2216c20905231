"""What one run leaves is invisible to the next in its place, and to one that runs beside it."""

import json
from dataclasses import dataclass, replace
from textwrap import dedent

import pytest

from sandboxes.interface import Command, End, Harness, Sandbox, Session, Tier
from tests.adversarial.box.attack import CHANNEL, CTYPES, SMALL


@dataclass(frozen=True)
class Trace:
    leaves: str
    """Python that leaves something behind; what it is not allowed to leave it may fail to."""
    look: str
    """Python that prints what it finds of it: nothing."""


PLACES = ("/box/work", "/box/tmp", "/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/box", "/dev", "/run", "/")

TRACES = {
    "files": Trace(
        f"""
        import os
        for place in {PLACES}:
            for name in ("left", ".left", "lost+left"):
                try: open(f"{{place}}/{{name}}", "w").write("x"); os.makedirs(f"{{place}}/dir-{{name}}")
                except OSError: pass
        """,
        f"""
        import os
        print(*[f"{{p}}/{{n}}" for p in {PLACES} if os.path.isdir(p) and os.access(p, os.R_OK) for n in os.listdir(p) if "left" in n], end="")
        """,
    ),
    "modes of its places": Trace(
        f"""
        import os
        for place in {PLACES}:
            try: os.chmod(place, 0o500)
            except OSError: pass
        """,
        """
        import os
        for place in (".", "/tmp", "/var/tmp", "/dev/shm", os.environ["HOME"]): open(place + "/new", "w").write("x")
        """,
    ),
    "the startup files of its interpreter": Trace(
        """
        import os, site, sys
        user = site.getusersitepackages()
        for folder in (user, "/box/work", "/tmp", os.environ["HOME"], *sys.path):
            try:
                os.makedirs(folder, exist_ok=True)
                for name in ("sitecustomize.py", "usercustomize.py", "json.py", "left.pth", "left_package.py"):
                    open(f"{folder}/{name}", "w").write("import os; os.write(1, b'taken over')")
            except OSError: pass
        """,
        """
        import json
        try: import left_package
        except ImportError: pass
        """,
    ),
    "modules and builtins": Trace(
        """
        import builtins, json, os, sys, types
        sys.modules["left"] = types.ModuleType("left")
        builtins.len = lambda _: "left"; builtins.left = 1; json.loads = lambda _: "left"; os.left = 1
        sys.path.insert(0, "/left"); sys.meta_path.clear(); sys.path_hooks.clear(); sys.path_importer_cache.clear()
        sys.argv = ["left"]; sys.setrecursionlimit(60); sys.setswitchinterval(9); sys.excepthook = sys.displayhook = lambda *_: os.write(1, b"left")
        sys.set_int_max_str_digits(5000); sys.stdout = sys.stderr = None; sys.setprofile(lambda *_: None)
        """,
        """
        import builtins, json, os, sys
        if "left" in sys.modules or hasattr(builtins, "left") or hasattr(os, "left") or len([1]) != 1 or json.loads("[2]") != [2]: print("left")
        if "/left" in sys.path or not sys.meta_path or sys.argv != ["-c"] or sys.getrecursionlimit() != 1000: print("left", sys.path, sys.argv)
        if sys.getswitchinterval() != 0.005 or sys.excepthook is not sys.__excepthook__ or sys.get_int_max_str_digits() != 0: print("left")
        """,
    ),
    "hooks": Trace(
        """
        import atexit, faulthandler, gc, logging, os, sys, threading, tracemalloc, warnings
        atexit.register(os.write, 1, b"left")
        for register in (lambda f: sys.addaudithook(f), lambda f: gc.callbacks.append(f), lambda f: os.register_at_fork(after_in_child=f)): register(lambda *_: None)
        warnings.simplefilter("error"); logging.basicConfig(level=1); faulthandler.enable(); tracemalloc.start(); gc.disable()
        threading.excepthook = None; threading.stack_size(1 << 20)
        """,
        """
        import faulthandler, gc, logging, threading, tracemalloc, warnings
        if gc.callbacks or not gc.isenabled() or logging.root.handlers or faulthandler.is_enabled() or tracemalloc.is_tracing(): print("left", gc.callbacks, gc.isenabled(), logging.root.handlers, faulthandler.is_enabled(), tracemalloc.is_tracing())
        if threading.stack_size() or any(rule[0] == "error" for rule in warnings.filters): print("left")
        """,
    ),
    "environment": Trace(
        "import os\nos.environ.update(LEFT='1', PATH='/left', HOME='/left', TZ='Asia/Tokyo', LANG='left', PYTHONSTARTUP='/left', LD_PRELOAD='/left')",
        "import os\nif sorted(os.environ) != ['HOME', 'LANG', 'PATH', 'PYTHONHASHSEED', 'PYTHONINTMAXSTRDIGITS', 'TMPDIR'] or 'left' in str(os.environ): print(os.environ)",
    ),
    "the process's own state": Trace(
        """
        import os, resource, signal, socket, sys, time
        os.umask(0); os.chdir("/"); os.nice(5)
        for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1, signal.SIGALRM): signal.signal(number, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 60); signal.setitimer(signal.ITIMER_PROF, 60)
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_AS, resource.RLIMIT_NPROC):
            try: resource.setrlimit(kind, (1 << 30, 1 << 30) if kind == resource.RLIMIT_AS else (20, 20))
            except (OSError, ValueError): pass
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        try: socket.sethostname("left")
        except OSError: pass
        """,
        """
        import os, resource, signal, socket
        if os.umask(0) != 0o22 or os.getcwd() != "/box/work" or os.nice(0): print("state")
        if any(signal.getsignal(n) != signal.SIG_DFL for n in (signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1, signal.SIGALRM)): print("handlers")
        if signal.getitimer(signal.ITIMER_REAL)[0] or signal.getitimer(signal.ITIMER_PROF)[0] or signal.pthread_sigmask(signal.SIG_BLOCK, ()): print("signals")
        if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 256 or resource.getrlimit(resource.RLIMIT_AS)[0] == 1 << 30 or resource.getrlimit(resource.RLIMIT_NPROC)[0] == 20: print("limits")
        if socket.gethostname() != "box" or len(os.sched_getaffinity(0)) != os.cpu_count(): print("host")
        """,
    ),
    "locale and time zone": Trace(
        """
        import locale, os, time
        for name in ("C", "C.UTF-8", "POSIX"): locale.setlocale(locale.LC_ALL, name)
        os.environ["TZ"] = "Asia/Tokyo"; time.tzset()
        """,
        """
        import locale, sys, time
        if time.tzname != ("UTC", "UTC") or time.localtime(0).tm_hour: print(time.tzname)
        if locale.setlocale(locale.LC_CTYPE) != "C.UTF-8" or locale.setlocale(locale.LC_NUMERIC) != "C" or sys.getfilesystemencoding() != "utf-8": print(locale.setlocale(locale.LC_ALL))
        """,
    ),
    "processes": Trace(
        """
        import os, signal, time
        for number in range(6):
            if os.fork() == 0:
                os.setsid()
                signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
                if number < 3 or os.fork() == 0:
                    while True: time.sleep(60)
                os._exit(0)
        """,
        """
        import os
        try: os.kill(-1, 0); print("others can be signalled")
        except ProcessLookupError: pass
        if os.path.isdir("/proc/1") and len([n for n in os.listdir("/proc") if n.isdigit()]) > 2: print(os.listdir("/proc"))
        """,
    ),
    "SysV IPC": Trace(
        CTYPES
        + """
libc.shmget(0x1234, 4096, 0o1666); libc.semget(0x1234, 1, 0o1666); libc.msgget(0x1234, 0o1666)
""",
        CTYPES
        + """
for find in (lambda: libc.shmget(0x1234, 0, 0), lambda: libc.semget(0x1234, 0, 0), lambda: libc.msgget(0x1234, 0)):
    if find() != -1: print("left")
for name in ("shm", "sem", "msg"):
    try: rows = open("/proc/sysvipc/" + name).read().splitlines()[1:]
    except OSError: rows = []
    if rows: print(rows)
""",
    ),
    "POSIX message queues and semaphores": Trace(
        CTYPES
        + """
print(libc.mq_open(b"/left", os.O_CREAT | os.O_RDWR, 0o666, None))
from multiprocessing import shared_memory, resource_tracker
resource_tracker.register = lambda *_: None
shared_memory.SharedMemory("left", create=True, size=4096)
libc.sem_open(b"/left", os.O_CREAT, 0o666, 1)
""",
        CTYPES
        + """
libc.sem_open.restype = ctypes.c_void_p
if libc.mq_open(b"/left", os.O_RDWR) != -1 or libc.sem_open(b"/left", 0): print("left")
from multiprocessing import shared_memory
try: shared_memory.SharedMemory("left"); print("left")
except OSError: pass
""",
    ),
    "sockets": Trace(
        """
        import os, socket, time
        made = []
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
            for path in ("\\0left%d" % kind, "/tmp/left%d" % kind, "/dev/shm/left%d" % kind):
                s = socket.socket(socket.AF_UNIX, kind); s.bind(path); made.append(s)
                if kind != socket.SOCK_DGRAM: s.listen(5)
        for port in (8000, 8001):
            try: s = socket.socket(); s.bind(("127.0.0.1", port)); s.listen(5); made.append(s)
            except OSError: pass
        if os.fork() == 0:
            os.setsid()
            while True: time.sleep(60)
        """,
        """
        import socket
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
            for path in ("\\0left%d" % kind, "/tmp/left%d" % kind, "/dev/shm/left%d" % kind):
                try: socket.socket(socket.AF_UNIX, kind).connect(path); print(repr(path))
                except OSError: pass
        for port in (8000, 8001):
            try: socket.socket().connect(("127.0.0.1", port)); print(port)
            except OSError: pass
        """,
    ),
    "locks, leases and keys": Trace(
        CTYPES
        + """
import fcntl, time
for path in ("/usr/bin/python3", "/etc/passwd", os.__file__):
    try:
        f = os.open(path, os.O_RDONLY)
        fcntl.flock(f, fcntl.LOCK_EX); fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError: pass
call(217 if ARM else 248, b"user", b"left", b"x", 1, -5)  # into the session's keyring of this user
if os.fork() == 0:
    while True: time.sleep(60)
""",
        CTYPES
        + """
import fcntl
for path in ("/usr/bin/python3", "/etc/passwd", os.__file__):
    try: fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError: print(path)
if call(218 if ARM else 249, b"user", b"left", 0, -5) >= 0: print("key")
""",
    ),
}


def _run(session: Session, code: str, preload: tuple[str, ...] = ()) -> str:
    harness = Harness(preload=preload)
    execution = session.run(Command(argv=("python3", "-c", dedent(code)), harness=harness, limits=SMALL))
    assert (execution.end, execution.exit_code) == (End.EXITED, 0), execution
    return execution.stdout.decode()


@pytest.mark.parametrize("name", TRACES)
def test_a_run_leaves_nothing_to_another(name: str, tier_sandbox: Sandbox) -> None:
    trace = TRACES[name]
    # the question before the trace, which may spoil what is needed to read it
    staying = (
        CHANNEL + "question()\n" + dedent(trace.leaves) + "\nimport os\nos.write(3, b'\\0\\0\\0\\0')\nos.read(3, 1)\n"
    )
    with tier_sandbox.session() as first, tier_sandbox.session() as second:
        assert _run(second, trace.look) == "", "the look itself finds something in a clean box"
        with first.converse(Command(argv=("python3", "-c", staying), limits=SMALL)) as conversation:
            assert conversation.ask(b"", seconds=10) == b"", conversation.finish()
            assert _run(second, trace.look) == "", "seen from beside"
        assert _run(first, trace.look) == "", "seen by the next"


@pytest.mark.parametrize("preload", [(), ("hypothesis", "numpy", "tempfile", "uuid")], ids=("bare", "preloaded"))
def test_two_runs_draw_other_random_numbers(preload: tuple[str, ...], tier_sandbox: Sandbox) -> None:
    code = """
        import json, os, random, secrets, sys, tempfile, uuid
        import numpy
        print(json.dumps([random.random(), random.SystemRandom().random(), secrets.token_hex(8), str(uuid.uuid4()), str(uuid.uuid1()),
            tempfile.mktemp(), numpy.random.random(), numpy.random.default_rng().random()]))
    """
    with tier_sandbox.session() as session:
        runs = [json.loads(_run(session, code, preload)) for _ in range(4)]
    for number, drawn in enumerate(zip(*runs, strict=True)):
        assert len(set(drawn)) == len(runs), (number, drawn)


def test_a_run_knows_its_own_process(tier_sandbox: Sandbox) -> None:
    """What an interpreter remembers of its process and threads is of this one, not of one that it was forked from."""
    code = """
        import multiprocessing, os, signal, sys, threading, time
        assert multiprocessing.current_process().pid == os.getpid()
        assert threading.get_native_id() == threading.main_thread().native_id == os.getpid()
        assert threading.main_thread().ident == threading.get_ident() and threading.active_count() == 1
        assert __name__ == "__main__" and "__file__" not in globals() and sys.modules["__main__"].__dict__ is globals()
        assert time.process_time() < 3 and sys.stdin.read() == ""
        print(sorted(n for n in globals() if not n.startswith("__")))
    """
    with tier_sandbox.session() as session:
        assert _run(session, code) == "['multiprocessing', 'os', 'signal', 'sys', 'threading', 'time']\n"


def test_a_conversation_has_four_descriptors(tier_sandbox: Sandbox) -> None:
    code = """
        question()
        def is_open(fd):
            try: os.fstat(fd)
            except OSError: return False
            return True
        answer(repr([fd for fd in range(4096) if is_open(fd)]).encode())
    """
    command = Command(argv=("python3", "-c", CHANNEL + dedent(code)), limits=SMALL)
    with tier_sandbox.session() as session, session.converse(command) as conversation:
        assert conversation.ask(b"", seconds=10) == b"[0, 1, 2, 3]"


REUSED = {Tier.JAIL: 300}
"""How often a box is used again; in the other tiers each is used once, and a few show as much."""
START = """
import os, time
for _ in range({most}):
    if os.fork() == 0:
        while True: time.sleep(60)
print("all", flush=True)
"""


def test_zombies_and_daemons_count_against_nobody(tier: Tier, tier_sandbox: Sandbox) -> None:
    leave = """
        import os, time
        for number in range(20):
            if os.fork() == 0:
                os.setsid()
                if number % 2:
                    while True: time.sleep(60)
                os._exit(0)
    """
    with tier_sandbox.session() as session:
        for _ in range(REUSED.get(tier, 5)):
            _run(session, leave)
        assert _run(session, START.format(most=SMALL.processes - 1)) == "all\n"


MOMENTS = tuple(range(0, 60, 3))
"""Milliseconds."""


def test_a_program_may_die_at_any_moment(tier_sandbox: Sandbox) -> None:
    """It is a signal, whenever it comes; and the next one runs."""
    code = """
        import ctypes, os, sys
        timer = (ctypes.c_long * 4)(0, 0, 0, int(sys.argv[1]) * 1000 + 1)
        ctypes.CDLL(None).setitimer(0, timer, None)  # SIGALRM
        while True:
            if os.fork() == 0: os._exit(0)
            os.wait()
    """
    with tier_sandbox.session() as session:
        for moment in MOMENTS:
            execution = session.run(Command(argv=("python3", "-c", dedent(code), str(moment)), limits=SMALL))
            assert (execution.end, execution.signal) == (End.SIGNALLED, 14), (moment, execution)
        assert _run(session, "print('fine')") == "fine\n"


def test_a_conversation_may_be_left_at_any_moment(tier_sandbox: Sandbox) -> None:
    """The caller asks, or does not, and goes: nothing is left running, and the next conversation is right."""
    command = Command(
        argv=("python3", "-c", CHANNEL + "while True: answer(question())"), limits=replace(SMALL, wall_seconds=60)
    )
    with tier_sandbox.session() as session:
        for questions in (0, 1, 2, 0, 5):
            with session.converse(command) as conversation:
                for _ in range(questions):
                    assert conversation.ask(b"here", seconds=10) == b"here"
        with pytest.raises(KeyboardInterrupt), session.converse(command):
            raise KeyboardInterrupt
        assert _run(session, "print('fine')") == "fine\n"
