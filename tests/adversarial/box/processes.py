"""Attacks with processes, threads and signals."""

from sandboxes.interface import Behaviour, End
from tests.adversarial.box.attack import CTYPES, attack

BOMB = (End.CPU_TIMEOUT, End.WALL_TIMEOUT, End.PROCESS_LIMIT, End.OUT_OF_MEMORY)
"""A bomb meets several limits at once; which of them first is the kernel's choice."""

PROCESSES = (
    attack(
        "fork bomb",
        """
        import os
        while True:
            try: os.fork()
            except OSError: pass
        """,
        *BOMB,
        cpu_seconds=0.7,
    ),
    attack(
        "fork bomb that sleeps",
        """
        import os, time
        while True:
            try: os.fork()
            except OSError: time.sleep(0.001)
        """,
        *BOMB,
        cpu_seconds=0.7,
        wall_seconds=3,
    ),
    attack(
        "raw clone bomb",
        CTYPES + "while True: call(220 if ARM else 56, 17, 0, 0, 0, 0)",
        *BOMB,
        cpu_seconds=0.7,
    ),
    attack(
        "raw clone3 bomb",
        CTYPES
        + "arguments = (ctypes.c_uint64 * 11)(0, 0, 0, 0, 17)\nwhile True: call(435, ctypes.byref(arguments), 88)",
        *BOMB,
        cpu_seconds=0.7,
    ),
    attack(
        "vfork and exec chain",
        """
        import os, sys
        source = "import os, sys\\nwhile True:\\n try: os.posix_spawn(sys.executable, [sys.executable, 'me.py'], os.environ)\\n except OSError: pass"
        open("me.py", "w").write(source)
        exec(source)
        """,
        *BOMB,
        cpu_seconds=1.5,
        evidence=(Behaviour.PROGRAM,),
    ),
    attack(
        "exec without an end",
        """
        import os, sys
        open("me.py", "w").write("import os, sys\\nos.execv(sys.executable, [sys.executable, 'me.py'])")
        os.execv(sys.executable, [sys.executable, "me.py"])
        """,
        End.CPU_TIMEOUT,
        End.WALL_TIMEOUT,
        cpu_seconds=1,
        evidence=(Behaviour.PROGRAM,),
    ),
    attack(
        "thread bomb",
        """
        import _thread, time
        while True:
            try: _thread.start_new_thread(time.sleep, (60,))
            except RuntimeError: pass
        """,
        *BOMB,
        cpu_seconds=0.7,
    ),
    attack(
        "threads until it hurts",
        """
        import threading, time
        while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        """,
        End.PROCESS_LIMIT,
    ),
    attack(
        "busy threads",
        """
        import threading
        def spin():
            while True: pass
        for _ in range(20): threading.Thread(target=spin).start()
        """,
        End.CPU_TIMEOUT,
        End.WALL_TIMEOUT,
        cpu_seconds=0.7,
    ),
    attack(
        "threads and forks at exit",
        """
        import atexit, os, threading, time
        def nest(depth):
            if depth == 0: return
            atexit.register(nest, depth - 1)
            try:
                threading.Thread(target=time.sleep, args=(0.01,), daemon=True).start()
                os.fork()
            except (OSError, RuntimeError): pass
        nest(100)
        """,
        End.EXITED,
        *BOMB,
        cpu_seconds=1,
        wall_seconds=4,
    ),
    attack(
        "exit while threads print",
        """
        import os, threading
        def shout():
            while True: os.write(1, b"x")
        for _ in range(8): threading.Thread(target=shout).start()
        os._exit(0)
        """,
        End.EXITED,
        End.OUTPUT_LIMIT,
    ),
    attack(
        "ignored signals, own session, stopped",
        """
        import os, signal
        for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
                os.kill(os.getpid(), signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        """,
        End.WALL_TIMEOUT,
        End.EXITED,  # under gVisor it may go on: where a child leaves its group after it has stopped
        wall_seconds=1,
    ),
    attack(
        "stops its siblings",
        """
        import os, signal, time
        children = []
        for _ in range(10):
            child = os.fork()
            if child == 0:
                while True: time.sleep(60)
            children.append(child)
        for child in children: os.kill(child, signal.SIGSTOP)
        for child in children: os.waitpid(child, 0)
        """,
        End.WALL_TIMEOUT,
        wall_seconds=1,
    ),
    attack("sleeps for ever", "import signal\nwhile True: signal.pause()", End.WALL_TIMEOUT, wall_seconds=1),
    attack("busy loop", "while True: pass", End.CPU_TIMEOUT, cpu_seconds=0.5),
    attack(
        "traces itself",
        "import sys\nsys.settrace(trace := lambda *a: trace)\nsys.setprofile(lambda *a: None)\ndef f(): pass\nwhile True: f()",
        End.CPU_TIMEOUT,
        cpu_seconds=0.5,
    ),
    attack(
        "swallows every exception",
        """
        import time
        class Sticky:
            def __del__(self):
                while True:
                    try: time.sleep(60)
                    except BaseException: pass
        Sticky()
        """,
        End.WALL_TIMEOUT,
        wall_seconds=1,
    ),
    attack(
        "a daemon holds stdout",
        """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                while True: time.sleep(60)
            os._exit(0)
        os.wait()
        print("done")
        """,
        End.EXITED,
        says="done",
    ),
    attack(
        "a daemon under a name of its own",
        CTYPES
        + """
import time
libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
libc.prctl(15, b"zygote", 0, 0, 0)  # PR_SET_NAME
libc.prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
if os.fork() == 0:
    libc.prctl(1, 0, 0, 0, 0)  # PR_SET_PDEATHSIG
    os.setsid()
    if os.fork() == 0:
        while True: time.sleep(60)
    os._exit(0)
print("done")
""",
        End.EXITED,
        says="done",
    ),
    attack(
        "its death is a signal to others",
        CTYPES
        + """
for signal in range(1, 65): libc.prctl(1, signal, 0, 0, 0)
print("done")
""",
        End.EXITED,
        says="done",
    ),
    attack(
        "kills all",
        """
        import os, signal
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
            try: os.kill(-1, number)
            except ProcessLookupError: pass
        print("alive")
        """,
        End.EXITED,
        says="alive",
    ),
    attack(
        "kills process 1 and its parent",
        """
        import os, signal
        for pid in {1, os.getppid()} - {0}:
            for _ in range(50):
                for number in signal.valid_signals():
                    try: os.kill(pid, number)
                    except OSError: pass
        os.kill(0, signal.SIGKILL)
        """,
        End.SIGNALLED,
    ),
    attack(
        "limits process 1 and its parent",
        """
        import os, resource, time
        for pid in {1, os.getppid()} - {0}:
            for name in ("CPU", "FSIZE", "NPROC", "NOFILE", "AS", "DATA", "STACK", "SIGPENDING"):
                try: resource.prlimit(pid, getattr(resource, "RLIMIT_" + name), (0, 0))
                except (ValueError, OSError): pass
        end = time.monotonic() + 1.2
        while time.monotonic() < end: os.write(1, b".")
        time.sleep(60)
        """,
        # where process 1 belongs to the program alone, it dies with it
        End.WALL_TIMEOUT,
        End.OUTPUT_LIMIT,
        End.SIGNALLED,
        wall_seconds=3,
    ),
    attack(
        "signals every number",
        """
        import os, signal
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(number, signal.SIG_IGN)
        got = 0
        for pid in range(2, 40000):
            if pid in (os.getpid(), os.getpgrp()): continue
            try: os.kill(pid, signal.SIGKILL)
            except OSError: continue
            got += 1
        print(got)
        """,
        End.EXITED,
        says="0",
    ),
    attack(
        "signal storm",
        """
        import os, signal
        signal.signal(signal.SIGUSR1, lambda *_: None)
        me = os.getpid()
        for _ in range(8):
            if os.fork() == 0:
                while True: os.kill(me, signal.SIGUSR1)
        while True: signal.pause()
        """,
        End.CPU_TIMEOUT,
        End.WALL_TIMEOUT,
        cpu_seconds=0.7,
    ),
    attack(
        "queued signals",
        CTYPES
        + """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {40})
information = (ctypes.c_int * 32)(40, 0, -1)
count = 0
while count < 300000 and call(138 if ARM else 129, os.getpid(), 40, ctypes.byref(information)) == 0: count += 1
print("done")
""",
        End.EXITED,
        End.OUT_OF_MEMORY,
    ),
    attack(
        "leaves zombies",
        """
        import os, time
        for _ in range(15):
            if os.fork() == 0: os._exit(0)
        print("done")
        """,
        End.EXITED,
        says="done",
    ),
    attack(
        "a comet of orphans",
        """
        import os
        for _ in range(4):
            if os.fork() == 0:
                while True:
                    try:
                        if os.fork(): os._exit(0)
                    except OSError: pass
        print("done")
        """,
        End.EXITED,
        says="done",
    ),
    attack(
        "a comet of orphans that is waited for",
        """
        import os, time
        for _ in range(4):
            if os.fork() == 0:
                while True:
                    try:
                        if os.fork(): os._exit(0)
                    except OSError: pass
        time.sleep(60)
        """,
        *BOMB,
        cpu_seconds=1,
        wall_seconds=3,
    ),
    attack(
        "kills itself while others work",
        """
        import os, signal, time
        for _ in range(10):
            if os.fork() == 0:
                while True: pass
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        End.SIGNALLED,
    ),
    attack(
        "aborts with a core",
        """
        import os, resource
        for limit in (resource.RLIM_INFINITY, 1 << 20):
            try: resource.setrlimit(resource.RLIMIT_CORE, (limit, limit)); print("raised")
            except (ValueError, OSError): pass
        x = bytearray(20 << 20)
        os.abort()
        """,
        End.SIGNALLED,
        says="",
    ),
    attack(
        "overflows the stack",
        """
        import sys, threading
        sys.setrecursionlimit(1 << 30)
        threading.stack_size(32768)  # the interpreter counts calls, not bytes
        def f(): return max([1], key=lambda _: f())
        thread = threading.Thread(target=f)
        thread.start()
        thread.join()
        """,
        End.SIGNALLED,
    ),
    attack(
        "raises its limits",
        """
        import resource
        got = []
        for name in ("CPU", "FSIZE", "CORE", "NPROC", "NOFILE", "MEMLOCK", "AS", "DATA", "STACK", "MSGQUEUE", "NICE", "RTPRIO", "SIGPENDING"):
            kind = getattr(resource, "RLIMIT_" + name)
            hard = resource.getrlimit(kind)[1]
            if hard == resource.RLIM_INFINITY: continue
            for wanted in (hard + 1, resource.RLIM_INFINITY):
                try: resource.setrlimit(kind, (hard, wanted)); got.append(name)
                except (ValueError, OSError): pass
        print(got)
        """,
        End.EXITED,
        says="[]",
    ),
    attack(
        "lowers its limits to nothing",
        """
        import os, resource
        for name in ("FSIZE", "NPROC", "MEMLOCK", "AS", "DATA", "STACK", "MSGQUEUE", "SIGPENDING", "NOFILE"):
            try: resource.setrlimit(getattr(resource, "RLIMIT_" + name), (0, 0))
            except (ValueError, OSError): pass
        os.write(1, b"done")
        os._exit(0)
        """,
        End.EXITED,
        says="done",
    ),
    attack(
        "lets the kernel take its CPU time away",
        """
        import resource
        resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
        while True: pass
        """,
        End.CPU_TIMEOUT,
        End.SIGNALLED,
        cpu_seconds=5,
    ),
    attack(
        "wants to go first",
        """
        import os
        got = []
        for policy in (os.SCHED_FIFO, os.SCHED_RR):
            try: os.sched_setscheduler(0, policy, os.sched_param(50)); got.append(policy)
            except OSError: pass
        for pid in {1, os.getppid()} - {0}:  # may succeed, and must harm nobody
            for way in (lambda: os.setpriority(os.PRIO_PROCESS, 0, -20), lambda: os.setpriority(os.PRIO_PROCESS, pid, 19), lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)), lambda: os.sched_setaffinity(pid, {0})):
                try: way()
                except OSError: pass
        try: os.setpriority(os.PRIO_USER, os.getuid(), 0)
        except OSError: pass
        print(got)
        """,
        End.EXITED,
        says="[]",
    ),
)
