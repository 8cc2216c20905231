"""What the kernel counts by user, and how a program uses it up. Used by the tests beside this and by benchmarks/neighbours.py."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    uses_up: str
    """Python that takes all there is and keeps it; it sets `full` to True where it met a limit. It ends where there is none."""
    needs: str
    """Python that takes a little of it, and raises where that is refused."""


ACCOUNTS = {
    "descriptors under way": Account(
        """
        import array, socket
        kept = [socket.socketpair()]
        try:
            for _ in range(100):
                kept[0][0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 253))])
        except OSError: full = True
        """,
        """
        import array, socket
        one, other = socket.socketpair()
        for _ in range(2): one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 250))])
        """,
    ),
    "pages of pipes": Account(
        """
        import fcntl, os
        kept = []
        try:
            while len(kept) < 240:
                kept.append(os.pipe())
                fcntl.fcntl(kept[-1][0], 1031, 1 << 20)  # F_SETPIPE_SZ
        except OSError: full = True
        """,
        """
        import fcntl, os
        for _ in range(20): assert fcntl.fcntl(os.pipe()[0], 1032) == 65536  # F_GETPIPE_SZ: a poor user gets less
        """,
    ),
    "signals that wait": Account(
        """
        import ctypes, os, signal
        libc = ctypes.CDLL(None, use_errno=True)
        signal.pthread_sigmask(signal.SIG_BLOCK, [40])
        for _ in range(200_000):
            if libc.sigqueue(os.getpid(), 40, ctypes.c_void_p(0)) != 0: full = True; break
        """,
        """
        import ctypes, os, signal
        libc = ctypes.CDLL(None, use_errno=True)
        signal.pthread_sigmask(signal.SIG_BLOCK, [40])
        for _ in range(1000): assert libc.sigqueue(os.getpid(), 40, ctypes.c_void_p(0)) == 0
        """,
    ),
    "inotify instances": Account(
        """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        for _ in range(1000):
            if libc.inotify_init1(0) < 0: full = True; break
        """,
        """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        for _ in range(20): assert libc.inotify_init1(0) >= 0
        """,
    ),
    "watches on files": Account(
        """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        for number in range(8000): os.mkdir(f"{number}")
        watchers = [libc.inotify_init1(0) for _ in range(20)]
        for watcher in watchers:
            for number in range(8000):
                if libc.inotify_add_watch(watcher, f"{number}".encode(), 2) < 0: full = True; break
        """,
        """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        watcher = libc.inotify_init1(0)
        assert libc.inotify_add_watch(watcher, b".", 2) >= 0
        """,
    ),
    "watches on descriptors": Account(
        """
        import os, select
        pipes = [os.pipe() for _ in range(100)]
        kept = []
        try:
            while True:
                kept.append(select.epoll())
                for pipe in pipes:
                    for end in pipe: kept[-1].register(end)
        except OSError: full = True
        """,
        """
        import os, select
        watcher = select.epoll()
        for _ in range(50): watcher.register(os.pipe()[0])
        """,
    ),
    "timers": Account(
        """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        for _ in range(200_000):
            if libc.timer_create(0, None, ctypes.byref(ctypes.c_void_p())) != 0: full = True; break
        """,
        """
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        for _ in range(100): assert libc.timer_create(0, None, ctypes.byref(ctypes.c_void_p())) == 0
        """,
    ),
}
"""Each as far as a program in a box gets: its descriptors and its memory are limited as well."""
