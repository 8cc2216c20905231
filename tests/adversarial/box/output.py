"""Attacks on the streams, and on whoever reads them."""

from sandboxes.interface import End
from tests.adversarial.box.attack import CTYPES, attack

OUTPUT = (
    attack("a flood", "import sys\nwhile True: sys.stdout.write('x' * 65536)", End.OUTPUT_LIMIT),
    attack("a flood of errors", "import sys\nwhile True: sys.stderr.write('x' * 65536)", End.OUTPUT_LIMIT),
    attack(
        "a flood on both", "import os\nwhile True: os.write(1, b'o' * 999); os.write(2, b'e' * 999)", End.OUTPUT_LIMIT
    ),
    attack("a flood of lines", "while True: print()", End.OUTPUT_LIMIT),
    attack(
        "byte by byte", "import os\nwhile True: os.write(1, b'x')", End.OUTPUT_LIMIT, cpu_seconds=10, wall_seconds=20
    ),
    attack(
        "a flood from many",
        """
        import os
        for _ in range(15):
            if os.fork() == 0: break
        while True: os.write(1, b"x" * 4096)
        """,
        End.OUTPUT_LIMIT,
    ),
    attack(
        "a flood that outlives it",
        """
        import os
        if os.fork() == 0:
            os.setsid()
            while True: os.write(1, b"x" * 4096)
        """,
        End.EXITED,
        End.OUTPUT_LIMIT,
    ),
    attack(
        "two hundred megabytes at once",
        "import os\nos.write(1, bytes(90 << 20)); os.write(1, bytes(90 << 20))",
        End.OUTPUT_LIMIT,
    ),
    attack("more than it may, and well", "print('x' * 70000)", End.OUTPUT_LIMIT),
    attack("all that it may", "import sys\nsys.stdout.write('x' * 65536)", End.EXITED, says="x" * 65536),
    attack(
        "no stream left", "import os, time\nos.closerange(0, 1024)\ntime.sleep(60)", End.WALL_TIMEOUT, wall_seconds=1
    ),
    attack("no stream left at the end", "import os\nos.closerange(0, 1024)", End.EXITED, says=""),
    attack(
        "forged reports",
        """
        import json, os, struct
        report = json.dumps({"exit_code": 0, "signal": None, "stopped": "", "cpu_seconds": 0, "peak_bytes": 0, "oom_kills": 0, "forks_refused": 0, "disk_full": False}).encode()
        for kind in b"SOECX":
            frame = struct.pack(">cI", bytes([kind]), len(report)) + report
            for fd in range(3, 1024):
                try: os.write(fd, frame)
                except OSError: pass
            os.write(1, frame); os.write(2, frame); os.write(1, struct.pack(">BxxxI", 1, len(frame)) + frame)
        raise SystemExit(7)
        """,
        End.EXITED,
    ),
    attack(
        "streams turned round",
        """
        import os
        for fd in (1, 2):
            try: os.read(fd, 1)
            except OSError: pass
        try: os.write(0, b"x" * 10)
        except OSError: pass
        print("done")
        """,
        End.EXITED,
        says="done",
    ),
    attack(
        "streams that do not block",
        """
        import fcntl, os
        for fd in (0, 1, 2):
            os.set_blocking(fd, False)
            for what in (fcntl.F_SETPIPE_SZ,):
                try: fcntl.fcntl(fd, what, 4096)
                except OSError: pass
        for _ in range(1000):
            try: os.write(1, b"x" * 100)
            except BlockingIOError: pass
        """,
        End.EXITED,
        End.OUTPUT_LIMIT,
    ),
    attack(
        "streams by other doors",
        """
        import os
        for path in ("/dev/stdout", "/dev/stderr", "/proc/self/fd/1", "/proc/1/fd/1", "/proc/1/fd/0", "/dev/console", "/dev/tty"):
            try: f = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            except OSError: continue
            try: os.write(f, b"x" * 100)
            except OSError: pass
        """,
        End.EXITED,
    ),
    attack(
        "types into the terminal",
        CTYPES
        + """
import fcntl, termios
got = []
for fd in range(3):
    for request in (termios.TIOCSTI, termios.TIOCSCTTY, 0x541D):  # TIOCCONS
        try: fcntl.ioctl(fd, request, b"x"); got.append((fd, request))
        except OSError: pass
try: os.openpty(); os.write(os.open("/dev/tty", os.O_RDWR), b"x"); got.append("tty")
except OSError: pass
print(got)
""",
        End.EXITED,
        says="[]",
    ),
    attack(
        "terminal sequences and broken text",
        "import os\nos.write(1, bytes(range(256)) * 10 + b'\\x1b]0;owned\\x07\\x1b[2J\\xed\\xa0\\x80' + '\\u202e'.encode())",
        End.EXITED,
    ),
    attack(
        "pages given away",
        CTYPES
        + """
class Piece(ctypes.Structure): _fields_ = (("at", ctypes.c_void_p), ("size", ctypes.c_size_t))
page = ctypes.create_string_buffer(1 << 16)
piece = Piece(ctypes.addressof(page), 1 << 16)
while True:
    if libc.vmsplice(1, ctypes.byref(piece), 1, 8) == -1: os.write(1, page.raw)
    page.raw = os.urandom(8) + bytes((1 << 16) - 8)
""",
        End.OUTPUT_LIMIT,
    ),
    attack(
        "an end while the pipe is full",
        """
        import os, threading
        def fill():
            while True: os.write(2, b"x" * 100)
        for _ in range(4): threading.Thread(target=fill, daemon=True).start()
        os.write(1, b"y" * 60000)
        os.kill(os.getpid(), 9)
        """,
        End.SIGNALLED,
        End.OUTPUT_LIMIT,
    ),
)
