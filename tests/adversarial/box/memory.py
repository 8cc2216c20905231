"""Attacks on memory, the kernel's own included, and on what the kernel counts for a user."""

from sandboxes.interface import End
from tests.adversarial.box.attack import CTYPES, attack

FULL = (End.OUT_OF_MEMORY,)

MEMORY = (
    attack("a list", "x = []\nwhile True: x.append(bytearray(1 << 20))", *FULL),
    attack(
        "swallows the lack of memory",
        "x = []\nwhile True:\n try: x.append(bytearray(1 << 20))\n except MemoryError: pass",
        *FULL,
    ),
    attack("one huge piece", "try: bytearray(1 << 45)\nexcept MemoryError: print('refused')", End.EXITED, *FULL),
    attack(
        "its children",
        """
        import os, time
        for _ in range(8):
            if os.fork() == 0:
                x = bytearray(b"x" * (40 << 20))
                time.sleep(60)
        raise SystemExit(any(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(8)))
        """,
        *FULL,
    ),
    attack(
        "copies of its pages",
        """
        import os, time
        x = bytearray(b"x" * (30 << 20))
        for _ in range(8):
            if os.fork() == 0:
                for n in range(0, len(x), 4096): x[n] = 1
                time.sleep(60)
        raise SystemExit(any(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(8)))
        """,
        *FULL,
    ),
    attack("memfd", "import os\nf = os.memfd_create('x')\nwhile True: os.write(f, bytes(1 << 20))", *FULL, End.EXITED),
    attack(
        "many memfds",
        """
        import os
        while True:
            f = os.memfd_create("x")
            for _ in range(4): os.write(f, bytes(1 << 20))
        """,
        *FULL,
    ),
    attack(
        "memfds in flight",
        """
        import os, socket
        x = []
        while True:
            left, right = socket.socketpair()
            x += (left, right)
            f = os.memfd_create("x")
            os.write(f, bytes(2 << 20))
            socket.send_fds(left, [b"x"], [f])
            os.close(f)
        """,
        *FULL,
    ),
    attack(
        "shared pages",
        "import mmap\nx = []\nwhile True:\n m = mmap.mmap(-1, 4 << 20); m.write(bytes(4 << 20)); x.append(m)",
        *FULL,
    ),
    attack(
        "huge pages",
        CTYPES
        + """
import mmap
x = []
while True:
    m = mmap.mmap(-1, 8 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    m.madvise(mmap.MADV_HUGEPAGE)
    for n in range(0, 8 << 20, 4096): m[n] = 1
    x.append(m)
""",
        *FULL,
    ),
    attack(
        "page tables",
        """
        import mmap
        x = mmap.mmap(-1, 1 << 40, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_NORESERVE, mmap.PROT_READ)
        x.madvise(mmap.MADV_NOHUGEPAGE)
        for n in range(0, 1 << 40, 2 << 20): x[n]
        """,
        *FULL,
        End.CPU_TIMEOUT,
        # gVisor keeps such pages in tables of its own, and is too busy with them to be asked for the CPU time often
        End.EXITED,
        End.WALL_TIMEOUT,
    ),
    attack(
        "locked pages",
        CTYPES
        + """
import mmap
libc.mlockall(7)
x = []
while True: m = mmap.mmap(-1, 4 << 20); libc.mlock(ctypes.byref(ctypes.c_char.from_buffer(m)), 4 << 20); m.write(bytes(4 << 20)); x.append(m)
""",
        *FULL,
    ),
    attack(
        "SysV shared memory",
        CTYPES
        + """
libc.shmat.restype = ctypes.c_void_p
got = 0
while True:
    key = libc.shmget(0, 8 << 20, 0o1600)
    if key == -1: break
    at = libc.shmat(key, None, 0)
    if at in (None, ctypes.c_void_p(-1).value): break
    ctypes.memset(at, 1, 8 << 20)
    got += 1
print("held" if got < 100 else got)
""",
        End.EXITED,
        *FULL,
    ),
    attack(
        "SysV semaphores and queues",
        CTYPES
        + """
for _ in range(40000):
    if libc.semget(0, 200, 0o1600) == -1 and libc.msgget(0, 0o1600) == -1: break
print("done")
""",
        End.EXITED,
        *FULL,
        End.CPU_TIMEOUT,
    ),
    attack(
        "POSIX message queues",
        CTYPES
        + """
libc.mq_open.restype = ctypes.c_int
got = 0
for n in range(2000):
    if libc.mq_open(b"/q%d" % n, os.O_CREAT | os.O_RDWR, 0o600, None) == -1: break
    got += 1
print("held" if got < 500 else got)
""",
        End.EXITED,
        says="held",
    ),
    attack(
        "shared memory files",
        "f = open('/dev/shm/x', 'wb', 0)\nwhile True: f.write(bytes(1 << 20))",
        *FULL,
        End.DISK_LIMIT,
    ),
    attack(
        "shared memory files and memory",
        """
        import os
        def fill(path):
            f = open(path, "wb", 0)
            try:
                while True: f.write(bytes(1 << 20))
            except OSError: pass
        fill("/dev/shm/x"); fill("/tmp/x")
        x = []
        while True: x.append(bytearray(1 << 20))
        """,
        *FULL,
    ),
    attack(
        "full pipes",
        """
        import fcntl, os
        x = []
        while True:
            try: r, w = os.pipe2(os.O_NONBLOCK)
            except OSError: break
            try: fcntl.fcntl(w, fcntl.F_SETPIPE_SZ, 1 << 20)
            except OSError: pass
            try:
                while True: os.write(w, bytes(1 << 16))
            except BlockingIOError: pass
        raise SystemExit("no descriptor left")
        """,
        End.EXITED,
        *FULL,
    ),
    attack(
        "full sockets",
        """
        import socket
        x = []
        while True:
            try: pair = socket.socketpair()
            except OSError: break
            x.append(pair)
            for side in pair:
                side.setblocking(False)
                side.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 30)
                try:
                    while True: side.send(bytes(1 << 16))
                except OSError: pass
        raise SystemExit("no descriptor left")
        """,
        End.EXITED,
        *FULL,
    ),
    attack(
        "every descriptor",
        """
        import os
        got = []
        try:
            while True: got.append(os.open("/dev/null", os.O_RDONLY))
        except OSError: pass
        print("held" if len(got) < 1024 else len(got))
        """,
        End.EXITED,
        says="held",
    ),
    attack(
        "descriptors of every kind",
        CTYPES
        + """
import select
kinds = {"epoll": lambda: select.epoll(), "eventfd": lambda: os.eventfd(0), "inotify": lambda: libc.inotify_init1(0),
         "timerfd": lambda: libc.timerfd_create(0, 0), "signalfd": lambda: libc.signalfd(-1, (ctypes.c_uint64 * 16)(), 0)}
for kind, make in kinds.items():
    kept = []
    try:
        for _ in range(5000):
            one = make()
            if one == -1: break
            kept.append(one)
        else: print(kind)
    except OSError: pass
    for one in kept: os.close(one) if isinstance(one, int) else one.close()
print("done")
""",
        End.EXITED,
        says="done",
    ),
    attack(
        "watches on everything",
        CTYPES
        + """
import select
watch = libc.inotify_init1(0)
for n in range(15000):
    try: os.mkdir(f"d{n}")
    except OSError: break
    if libc.inotify_add_watch(watch, f"d{n}".encode(), 0xfff) == -1: break
print("done")
""",
        End.EXITED,
        *FULL,
        End.CPU_TIMEOUT,
        says=None,
    ),
    attack(
        "POSIX timers",
        CTYPES
        + """
timer = ctypes.c_void_p()
for n in range(1000000):
    if libc.timer_create(0, None, ctypes.byref(timer)) == -1: break
print("done")
""",
        End.EXITED,
        *FULL,
        End.CPU_TIMEOUT,
    ),
    attack(
        "file locks",
        """
        import fcntl, os
        f = os.open("x", os.O_CREAT | os.O_RDWR)
        for n in range(2000000): fcntl.lockf(f, fcntl.LOCK_EX, 1, n * 2)
        """,
        *FULL,
        End.CPU_TIMEOUT,
        End.WALL_TIMEOUT,
        End.EXITED,
        cpu_seconds=2,
    ),
    attack(
        "names that do not exist",
        """
        import os
        n = 0
        while True:
            n += 1
            try: os.stat(f"{n:0200}")
            except OSError: pass
        """,
        End.CPU_TIMEOUT,
        *FULL,
        cpu_seconds=2,
    ),
    attack(
        "huge arguments",
        """
        import os, sys
        for size in (1 << 17, 1 << 21, 1 << 24):
            try: os.execve(sys.executable, [sys.executable, "-c", "print('ran')"], {"X" * 9: "x" * size})
            except OSError as error: print("refused")
        """,
        End.EXITED,
        says="refused\nrefused\nrefused",
    ),
    attack(
        "many arguments",
        """
        import os, sys
        try: os.execv(sys.executable, [sys.executable, "-c", "print('ran')", *["x" * 1000] * 40000])
        except (OSError, MemoryError): print("refused")
        """,
        End.EXITED,
        says="refused",
    ),
    attack(
        "keys",
        CTYPES
        + """
got = 0
for n in range(3000):
    if call(217 if ARM else 248, b"user", b"k%d" % n, b"x" * 1000, 1000, -2) >= 0: got += 1
print(got)
""",
        End.EXITED,
        says="0",
    ),
    attack(
        "mappings",
        """
        import mmap
        x = []
        try:
            while True: x.append(mmap.mmap(-1, 4096, mmap.MAP_PRIVATE, mmap.PROT_READ if len(x) % 2 else mmap.PROT_READ | mmap.PROT_WRITE))
        except (OSError, MemoryError): pass
        """,
        End.EXITED,
        *FULL,
        End.CPU_TIMEOUT,
        End.WALL_TIMEOUT,
        End.SIGNALLED,  # SIGSEGV by gVisor, for which the host makes only vm.max_map_count of them
    ),
)
