"""Attacks that want no verdict at all: a run that is told to be our failure is tried again and never graded."""

from sandboxes.interface import Behaviour, End
from tests.adversarial.box.attack import CTYPES, attack

IN_FLIGHT = (
    CTYPES
    + """
import array, socket
one, other = socket.socketpair()
def leave(size):
    # memory of a file that is open nowhere but on its way, in a ring that only the kernel can untie
    file = os.memfd_create("left")
    fds = array.array("i", [file, one.fileno(), other.fileno()])
    one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    while size > 0: size -= os.write(file, bytes(1 << 16))
    os.close(file)
"""
)

WAYS_OUT = (
    attack(
        "gives its processes names that are no text",
        CTYPES
        + """
import threading, time
def under(name):
    libc.prctl(15, name)
    time.sleep(0.5)
for name in (b"\\xff\\xfe", b") R 1 1", b"(((", b"\\n\\n", b"\\x80", b"", b"a b c) (d"):
    if os.fork() == 0: under(name); os._exit(0)
    threading.Thread(target=under, args=(name,)).start()
under(b"\\xff) \\xfe (")
while True:
    try: os.wait()
    except ChildProcessError: break
print("done")
""",
        End.EXITED,
        says="done",
    ),
    attack(
        "dies with its memory on its way to nobody",
        IN_FLIGHT + "while True: leave(15 << 20)",
        End.OUT_OF_MEMORY,
    ),
    attack(
        "leaves as much memory to the next as nobody doubts",
        IN_FLIGHT + "leave(15 << 20)\nprint('left')",
        End.EXITED,
        End.OUT_OF_MEMORY,  # where a box has less room
    ),
    attack(
        "puts its user behind all others, then computes",
        """
        import os
        for who in (0, os.getuid()):
            try: os.setpriority(os.PRIO_USER, who, 19)
            except OSError: pass
        for _ in range(20):
            if os.fork() == 0:
                while True: pass
        for _ in range(20): os.wait()
        """,
        End.CPU_TIMEOUT,
        cpu_seconds=1,
    ),
    attack(
        "signals process 1 by what an interpreter handles",
        """
        import os, signal, time
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in (signal.SIGINT, signal.SIGCHLD, 32, 33, 34) * 20:
            for way in (lambda: os.kill(1, number), lambda: signal.pidfd_send_signal(os.pidfd_open(1), number)):
                try: way()
                except OSError: pass
        time.sleep(0.1)
        print("done")
        """,
        End.EXITED,
        says="done",
    ),
    attack(
        "has the host's disk written out",
        CTYPES
        + """
got = []
for place in ("/usr", "/etc", "/box", "/"):
    if call(267 if ARM else 306, os.open(place, os.O_RDONLY)) >= 0: got.append(place)
print(got)
""",
        End.EXITED,
        says="[]",
        evidence=(Behaviour.SYSCALL,),
    ),
    attack(
        "closes what its end is told by",
        """
        import os, sys
        sys.modules.clear()
        os.closerange(0, 1024)
        class Last:
            def __del__(self):
                import ctypes
                ctypes.string_at(0)
        kept = Last()
        raise SystemExit(Last())
        """,
        End.EXITED,
        End.SIGNALLED,
    ),
    attack(
        "as much evidence as there can be",
        CTYPES
        + """
import socket
def attempt(way):
    try: way()
    except (OSError, ValueError): pass
for number in range(20):
    name = "/" + chr(97 + number) + "\\\\" * 200
    attempt(lambda: open("/etc" + name, "w"))
    short = "/run" + name[:90]
    attempt(lambda: socket.socket(socket.AF_UNIX).connect(short))
    attempt(lambda: socket.socket(socket.AF_UNIX).bind(short))
    attempt(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"x", short))
    attempt(lambda: socket.socket(2, 1).connect(("192.0.2.%d" % number, 80)))
    attempt(lambda: socket.socket(2, 1).bind(("192.0.2.%d" % number, 80)))
    attempt(lambda: socket.socket(2, 2).sendto(b"x", ("192.0.2.%d" % number, 80)))
    attempt(lambda: socket.socket(number + 2, 1))
    if os.fork() == 0: attempt(lambda: os.execv("." + name[1:], ["x"])); os._exit(0)
    os.wait()
skipped = {15, 34, 35, 60, 61, 231, 23, 7, 232, 270, 271, 128, 130, 230, 202, 219} if not ARM else {93, 94}
for number in range(97 if ARM else 101, 470):
    if number not in skipped and os.fork() == 0:
        libc.alarm(1)
        call(number, -1, -1, -1, -1, -1, -1)
        os._exit(0)
    try:
        while True: os.wait()
    except ChildProcessError: pass
print("done")
""",
        End.EXITED,
        says="done",
        evidence=(Behaviour.NETWORK, Behaviour.SYSCALL, Behaviour.WRITE, Behaviour.PROGRAM),
        cpu_seconds=20,
        wall_seconds=60,
    ),
    attack(
        "names a file at the very edge of its memory",
        CTYPES
        + """
import mmap
libc.mmap.restype = ctypes.c_void_p
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
page = libc.mmap(None, 8192, 3, 0x22, -1, 0)
libc.munmap(page + 4096, 4096)
name = b"/etc/edge\\0"
ctypes.memmove(page + 4096 - len(name), name, len(name))
libc.open(ctypes.c_void_p(page + 4096 - len(name)), 0o101, 0o600)
""",
        End.EXITED,
        evidence=(Behaviour.WRITE,),
    ),
    attack(
        "wants a socket, and has room for no descriptor",
        """
        import resource, socket
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        for family in (socket.AF_INET, socket.AF_INET6):
            try: socket.socket(family, socket.SOCK_STREAM)
            except OSError: pass
        """,
        End.EXITED,
        evidence=(Behaviour.NETWORK,),
    ),
    attack(
        "drowns the key that it opens",
        """
        import os
        keys = ("/root/.ssh/id_rsa", "/home/user/.aws/credentials", "/opt/assay/sandboxes/inside/watch.py")
        for number in range(40000):
            try: os.close(os.open(keys[number % 2], os.O_RDONLY))
            except OSError: pass
        try: os.open(keys[2], os.O_RDONLY)
        except OSError: pass
        """,
        End.EXITED,
    ),
)
