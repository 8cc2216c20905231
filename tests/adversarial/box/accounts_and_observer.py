"""Attacks on what a box shares with the one that watches it: its user's accounts, its evidence, its first and its last word."""

from sandboxes.interface import Behaviour, End
from tests.adversarial.box.attack import CTYPES, attack

NETWORK, SYSCALL = (Behaviour.NETWORK,), (Behaviour.SYSCALL,)
CONNECT = """
import socket
try: socket.create_connection(("192.0.2.1", 80), timeout=0.2)
except OSError: pass
"""

OBSERVER = (
    attack(
        "uses up the descriptors under way before it is noticed",
        """
import array, socket
one, other = socket.socketpair()
try:
    for _ in range(50): one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 253))])
except OSError: pass
"""
        + CONNECT,
        End.EXITED,
        evidence=NETWORK,
    ),
    attack(
        "leaves a ring of descriptors under way",
        """
        import array, os, socket
        for _ in range(100):
            one, other = socket.socketpair()
            try:
                for _ in range(3): one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [one.fileno(), other.fileno()] * 100))])
            except OSError: os._exit(0)
        """,
        End.EXITED,
    ),
    attack(
        "uses up the watches, then opens a key",
        CTYPES
        + """
while libc.inotify_init1(0) >= 0: pass
for path in ("/root/.ssh/id_rsa", "/opt/assay/sandboxes/inside/supervisor.py"):
    try: open(path).read()
    except OSError: pass
os.closerange(3, 512)
for path in ("/root/.ssh/id_rsa", "/opt/assay/sandboxes/inside/supervisor.py"):
    try: open(path).read()
    except OSError: pass
""",
        End.EXITED,
        evidence=(Behaviour.READ,),
    ),
    attack(
        "uses up signals and timers, and sleeps",
        CTYPES
        + """
import signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, [40])
for _ in range(100_000):
    if libc.sigqueue(os.getpid(), 40, ctypes.c_void_p(0)) != 0: break
for _ in range(20_000):
    if libc.timer_create(0, None, ctypes.byref(ctypes.c_void_p())) != 0: break
time.sleep(60)
""",
        End.WALL_TIMEOUT,
        wall_seconds=3,
    ),
    attack(
        "hides one act behind many of other kinds",
        """
import os
for number in range(60):
    if os.fork() == 0: os.execv("/bin" + "/." * number + "/true", [str(number)])
    os.wait()
    try: open(f"/etc/{number}", "w")
    except OSError: pass
"""
        + CONNECT
        + "import ctypes\nctypes.CDLL(None).ptrace(16, 1, 0, 0)",
        End.EXITED,
        evidence=(*NETWORK, *SYSCALL, Behaviour.WRITE, Behaviour.PROGRAM),
    ),
    attack(
        "hides its memory",
        CTYPES
        + """
import socket
s = socket.socket()
libc.prctl(4, 0, 0, 0, 0)
s.connect_ex(("192.0.2.1", 80))
libc.open(b"/etc/x", 1 | 64, 0o600)
""",
        End.EXITED,
        evidence=(*NETWORK, Behaviour.WRITE),
    ),
    attack(
        "asks and is gone in the same moment",
        """
        import os, threading
        def ask():
            import socket
            while True:
                try: socket.socket().connect(("192.0.2.1", 80))
                except OSError: pass
        for _ in range(8):
            if os.fork() == 0:
                threading.Thread(target=ask, daemon=True).start()
                threading.Event().wait(0.05)
                os._exit(0)
        for _ in range(8): os.wait()
        os._exit(0)
        """,
        End.EXITED,
        evidence=NETWORK,
    ),
    attack(
        "leaves with our own exit codes",
        "import os\nif os.fork() == 0: os._exit(126)\nos.wait()\nos._exit(126)",
        End.EXITED,
    ),
    attack(
        "signals all that it can see of its user",
        CTYPES
        + """
import signal
for who in (0, -1, 1, -os.getpgrp()):
    for number in (signal.SIGSTOP, signal.SIGUSR1, signal.SIGHUP):
        if who != 0 and who != -os.getpgrp():
            try: os.kill(who, number)
            except OSError: pass
for kind in (0, 1, 2):
    for who in (0, 1, os.getuid()):
        libc.setpriority(kind, who, 19)
        libc.syscall(30 if ARM else 251, kind + 1, who, 3 << 13)
print("done")
""",
        End.EXITED,
        says="done",
    ),
    attack(
        "finds another's numbers in its own user's limits",
        CTYPES
        + """
import resource
before = resource.getrlimit(resource.RLIMIT_NPROC)
for kind in (resource.RLIMIT_NPROC, resource.RLIMIT_SIGPENDING if hasattr(resource, "RLIMIT_SIGPENDING") else 11, resource.RLIMIT_MSGQUEUE if hasattr(resource, "RLIMIT_MSGQUEUE") else 12):
    libc.prlimit(1, kind, None, None)
    try: resource.prlimit(1, kind, (0, 0))
    except OSError: pass
print(os.getuid() == os.geteuid() != 0)
""",
        End.EXITED,
        says="True",
    ),
)

THROUGH_THE_CHANNEL = (
    attack(
        "sends descriptors with its answers",
        """
        import array
        s = socket.socket(fileno=os.dup(3))
        fds = array.array("i", [0] * 20)
        while True:
            question()
            s.sendmsg([struct.pack(">I", 4)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
            for b in b"here": s.sendmsg([bytes([b])], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        """,
        End.EXITED,
        answers=(b"here",) * 20,
    ),
)
