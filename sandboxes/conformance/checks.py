"""The promises of every sandbox, as checks that ship with the port: one suite for all tiers and every future adapter.

Each check is a function of a `Session`; `CHECKS` holds them all. They use the port only, so all adapters that pass them are
interchangeable. `tests/conformance/` runs them on the real adapters.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from textwrap import dedent
from zlib import crc32

from sandboxes.interface import AHEAD, Command, Conversation, End, Execution, Harness, Limits, Session

Check = Callable[[Session], None]
CHECKS: list[Check] = []

SMALL = Limits(wall_seconds=10, cpu_seconds=5, memory_mib=128, processes=24, disk_mib=16, output_kib=64)
HUNG_SECONDS = 30.0
"""If a program ends later than this, its wall limit did not end it. A busy host is late by less; the program sleeps for longer."""

ECHO = """
import os, struct
def read(size):
    data = b""
    while len(data) < size:
        part = os.read(3, size - len(data))
        if not part:
            os._exit(0)
        data += part
    return data
def questions():
    while True:
        yield read(struct.unpack(">I", read(4))[0])
def answer(data):
    data = struct.pack(">I", len(data)) + data
    while data:
        data = data[os.write(3, data):]
"""
"""The start of a program that talks over the channel."""
SET_ORDER = "*{str(number) for number in range(50)}"
"""Fifty strings in an order that depends on the interpreter's hash seed."""


def _check(check: Check) -> Check:
    CHECKS.append(check)
    return check


def python(code: str, **changes: object) -> Command:
    """A command that runs this code, with small limits."""
    return replace(Command(argv=("python3", "-c", dedent(code)), limits=SMALL), **changes)  # type: ignore[arg-type]


def _run(session: Session, code: str, **changes: object) -> Execution:
    return session.run(python(code, **changes))


def limited(**changes: float) -> Limits:
    return replace(SMALL, **changes)  # type: ignore[arg-type]


def _says(execution: Execution, text: str) -> None:
    assert execution.end is End.EXITED and execution.exit_code == 0, execution
    assert execution.stdout.decode().strip() == text, execution


# --- ends ---------------------------------------------------------------------------------------------------------------


@_check
def a_program_that_exits_well(session: Session) -> None:
    _says(_run(session, "print('hello')"), "hello")


@_check
def exit_codes_are_told(session: Session) -> None:
    execution = _run(session, "raise SystemExit(7)")
    assert (execution.end, execution.exit_code, execution.signal) == (End.EXITED, 7, None)


@_check
def signals_are_told(session: Session) -> None:
    execution = _run(session, "import os; os.kill(os.getpid(), 11)")
    assert (execution.end, execution.exit_code, execution.signal) == (End.SIGNALLED, None, 11)


@_check
def a_program_that_does_not_exist_is_its_own_failure(session: Session) -> None:
    execution = session.run(Command(argv=("no-such-program",), limits=SMALL))
    assert execution.end is End.EXITED and execution.exit_code == 127


@_check
def sleeping_ends_at_the_wall_limit(session: Session) -> None:
    execution = _run(session, "import time; time.sleep(60)", limits=limited(wall_seconds=0.5))
    assert execution.end is End.WALL_TIMEOUT and 0.5 <= execution.wall_seconds < HUNG_SECONDS, execution


@_check
def spinning_ends_at_the_cpu_limit(session: Session) -> None:
    execution = _run(session, "while True: pass", limits=limited(wall_seconds=120, cpu_seconds=0.5))
    assert execution.end is End.CPU_TIMEOUT and execution.cpu_seconds >= 0.5, execution


@_check
def cpu_time_of_children_counts(session: Session) -> None:
    code = """
        import os, time
        for _ in range(3):
            if os.fork() == 0:
                while True: pass
        time.sleep(60)
    """
    assert _run(session, code, limits=limited(wall_seconds=120, cpu_seconds=0.5)).end is End.CPU_TIMEOUT


@_check
def the_limit_behind_the_cpu_limit_says_what_it_was(session: Session) -> None:
    code = """
        import resource
        soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
        assert soft < hard, (soft, hard)
        resource.setrlimit(resource.RLIMIT_CPU, (1, hard - soft + 1))  # the same, sooner than anybody looks
        while True: pass
    """
    execution = _run(session, code, limits=limited(wall_seconds=120))
    assert execution.end is End.CPU_TIMEOUT and execution.cpu_seconds < SMALL.cpu_seconds, execution


@_check
def threads_that_wait_for_a_processor_use_none(session: Session) -> None:
    code = """
        import hashlib, threading, time
        until = time.monotonic() + 1
        def work():
            while time.monotonic() < until: hashlib.pbkdf2_hmac("sha256", b"", b"", 10_000)  # without Python's lock
        threads = [threading.Thread(target=work) for _ in range(20)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        print("all of them")
    """
    processors = os.cpu_count() or 1
    execution = _run(session, code, limits=limited(cpu_seconds=processors + 1))
    _says(execution, "all of them")
    assert execution.cpu_seconds <= execution.wall_seconds * processors + 0.1, execution


@_check
def too_much_memory_is_out_of_memory(session: Session) -> None:
    execution = _run(session, "x = [bytearray(1 << 20) for _ in range(1000)]")
    assert execution.end is End.OUT_OF_MEMORY and execution.peak_memory_mib <= SMALL.memory_mib + 1, execution


@_check
def memory_of_children_counts(session: Session) -> None:
    code = """
        import os, time
        for _ in range(8):
            if os.fork() == 0:
                x = bytearray(b"x" * (40 << 20))
                time.sleep(60)
        raise SystemExit(any(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(8)))
    """
    assert _run(session, code).end is End.OUT_OF_MEMORY


@_check
def a_flood_of_output_is_cut(session: Session) -> None:
    execution = _run(session, "import sys\nwhile True: sys.stdout.write('x' * 65536)")
    assert execution.end is End.OUTPUT_LIMIT and execution.truncated, execution
    assert len(execution.stdout) <= SMALL.output_kib << 10


@_check
def stdout_and_stderr_share_the_output_limit(session: Session) -> None:
    execution = _run(session, "import sys\nwhile True: sys.stderr.write('e' * 999); sys.stdout.write('o' * 999)")
    assert execution.end is End.OUTPUT_LIMIT
    assert len(execution.stdout) + len(execution.stderr) <= SMALL.output_kib << 10


@_check
def a_full_disk_is_the_disk_limit(session: Session) -> None:
    code = "f = open('big', 'wb')\nfor _ in range(64): f.write(bytes(1 << 20)); f.flush()"
    assert _run(session, code).end is End.DISK_LIMIT


@_check
def files_that_do_not_fit_are_the_disk_limit(session: Session) -> None:
    execution = _run(session, "print('never')", files={"big": bytes(SMALL.disk_mib + 1 << 20)})
    assert execution.end is End.DISK_LIMIT and not execution.stdout, execution


@_check
def inodes_are_limited(session: Session) -> None:
    limits = limited(wall_seconds=60, cpu_seconds=30)  # each new file is asked about (sandboxes/inside/watch.py)
    code = "for n in range(1_000_000): open(str(n), 'w').close()"
    assert _run(session, code, limits=limits).end is End.DISK_LIMIT


@_check
def shared_memory_is_limited(session: Session) -> None:
    code = "f = open('/dev/shm/big', 'wb')\nfor _ in range(64): f.write(bytes(1 << 20)); f.flush()"
    assert _run(session, code).end in (End.DISK_LIMIT, End.OUT_OF_MEMORY)


@_check
def too_many_processes_are_refused(session: Session) -> None:
    code = """
        import os, time
        for _ in range(200):
            if os.fork() == 0:
                time.sleep(60)
    """
    assert _run(session, code).end is End.PROCESS_LIMIT


@_check
def too_many_threads_are_refused(session: Session) -> None:
    code = "import threading, time\nfor _ in range(200): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    assert _run(session, code).end is End.PROCESS_LIMIT


@_check
def a_fork_bomb_ends(session: Session) -> None:
    code = """
        import os
        while True:
            try: os.fork()
            except OSError: pass
    """
    execution = _run(session, code, limits=limited(cpu_seconds=1))
    assert execution.end in (End.CPU_TIMEOUT, End.WALL_TIMEOUT, End.PROCESS_LIMIT, End.OUT_OF_MEMORY), execution


@_check
def ignored_signals_do_not_help(session: Session) -> None:
    code = """
        import os, signal, time
        for number in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        if os.fork() == 0: os.setsid()
        while True: time.sleep(1)
    """
    execution = _run(session, code, limits=limited(wall_seconds=0.5))
    assert execution.end is End.WALL_TIMEOUT and execution.wall_seconds < HUNG_SECONDS


@_check
def killing_everything_in_reach_is_a_signal(session: Session) -> None:
    code = """
        import os
        for pid in (1, os.getppid() or 1):  # 0 where the parent is out of sight
            try: os.kill(pid, 9)
            except OSError: pass
        os.kill(os.getpid(), 9)
    """
    execution = _run(session, code)
    assert execution.end is End.SIGNALLED and execution.signal == 9, execution


@_check
def a_daemon_left_behind_does_not_hold_the_end_up(session: Session) -> None:
    started = time.monotonic()
    code = """
        import os, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0: time.sleep(60)
            os._exit(0)
        print("done")
    """
    _says(_run(session, code), "done")
    assert time.monotonic() - started < SMALL.wall_seconds


# --- what goes in and comes out -----------------------------------------------------------------------------------------


@_check
def files_lie_in_the_working_directory(session: Session) -> None:
    files = {"a.txt": b"\x00\xff", "deep/er/b.txt": "ü".encode()}
    _says(
        _run(session, "print(open('a.txt','rb').read(), open('deep/er/b.txt').read())", files=files), r"b'\x00\xff' ü"
    )


@_check
def stdin_is_given_and_then_ends(session: Session) -> None:
    data = bytes(range(256)) * 2000
    _says(_run(session, "import sys, zlib; print(zlib.crc32(sys.stdin.buffer.read()))", stdin=data), str(crc32(data)))


@_check
def unread_stdin_is_no_failure(session: Session) -> None:
    _says(_run(session, "print('ok')", stdin=bytes(5 << 20)), "ok")


@_check
def stdout_and_stderr_are_bytes_and_apart(session: Session) -> None:
    execution = _run(session, "import os; os.write(1, b'\\xff\\x00out'); os.write(2, b'\\xfeerr')")
    assert (execution.stdout, execution.stderr) == (b"\xff\x00out", b"\xfeerr")


@_check
def what_is_still_in_a_buffer_at_the_end_is_written(session: Session) -> None:
    code = """
        import io, os, sys
        class Last:
            def __del__(self): print(word, file=sys.__stdout__)
        word, last, out = "last", Last(), open(os.dup(1), "w")
        last.itself = last
        def put(text): out.write(text + " ")
        put("first")
        sys.__stdout__.write("second ")
        sys.stdout = io.StringIO()
        print("lost")
    """
    words = _run(session, code).stdout.decode().split()
    assert sorted(words) == ["first", "last", "second"], words


@_check
def the_standard_streams_have_names(session: Session) -> None:
    code = """
        with open("/dev/stdin") as first, open("/dev/stdout", "w") as out, open("/proc/self/fd/2", "a") as err:
            out.write(first.read())
            err.write("told")
    """
    execution = _run(session, code, stdin=b"given")
    assert (execution.exit_code, execution.stdout, execution.stderr) == (0, b"given", b"told"), execution
    assert not execution.evidence, execution


@_check
def integers_of_any_length_are_read_and_printed(session: Session) -> None:
    code = "import os, sys\nprint(len(str(10 ** 6000)), int('7' * 6000) % 9, flush=True)\nos.execvp('python3', ['python3', '-c', 'print(len(str(10 ** 5000)))'])"
    assert _run(session, code).stdout.split() == [b"6001", b"6", b"5001"]


@_check
def the_environment_is_ours_and_small(session: Session) -> None:
    execution = _run(session, "import os, json; print(json.dumps(dict(os.environ)))", environment={"EXTRA": "1"})
    environment = json.loads(execution.stdout)
    assert environment["EXTRA"] == "1"
    ours = {"PATH", "HOME", "TMPDIR", "LANG", "PYTHONHASHSEED", "PYTHONINTMAXSTRDIGITS", "EXTRA", "LC_CTYPE", "PWD"}
    assert set(environment) <= ours, environment


@_check
def every_box_orders_a_set_alike(session: Session) -> None:
    code = f"print({SET_ORDER})"
    by_shell = Command(argv=("sh", "-c", f"exec python3 -c '{code}'"), limits=SMALL)
    executions = [_run(session, code), _run(session, code), session.run(by_shell)]
    assert len(executions[0].stdout.split()) == 50, executions[0]
    assert len({execution.stdout for execution in executions}) == 1, "the order of a set differs from box to box"


@_check
def a_command_may_ask_for_another_hash_seed(session: Session) -> None:
    seeds = ("", "1", "2", "1")
    orders = [
        _run(session, f"print({SET_ORDER})", environment={"PYTHONHASHSEED": seed} if seed else {}).stdout
        for seed in seeds
    ]
    assert len(set(orders)) == 3 and orders[1] == orders[3], orders


@_check
def usage_is_measured(session: Session) -> None:
    execution = _run(
        session,
        "x = b'x' * (50 << 20)\nimport time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass",
    )
    assert 0.25 <= execution.cpu_seconds < 3 and 50 <= execution.peak_memory_mib <= 128, execution


# --- what is out of reach -----------------------------------------------------------------------------------------------


@_check
def nothing_survives_to_the_next_execution(session: Session) -> None:
    write = """
        import os
        for path in ("/tmp/left", "/dev/shm/left", "left", os.environ["HOME"] + "/left"):
            open(path, "w").write("x")
        if os.fork() == 0:
            os.setsid()
            while True: pass
    """
    look = """
        import os
        places = ("/tmp", "/dev/shm", ".", os.environ["HOME"])
        def there(pid):
            try: os.kill(pid, 0)
            except ProcessLookupError: return False
            except OSError: return True
            return True
        others = [pid for pid in range(2, 300) if there(pid) and pid not in (os.getpid(), os.getppid())]
        print([n for p in places for n in os.listdir(p) if "left" in n], others)
    """
    session.run(python(write))
    _says(_run(session, look), "[] []")


@_check
def there_is_no_network(session: Session) -> None:
    code = """
        import socket
        for family, address in ((socket.AF_INET, ("192.0.2.1", 80)), (socket.AF_INET6, ("2001:db8::1", 80))):
            try:
                socket.create_connection(address, timeout=2) if family == socket.AF_INET else socket.socket(family).connect(address)
                print("connected")
            except OSError:
                pass
        try: print(sorted(name for _, name in socket.if_nameindex() if name != "lo"))
        except OSError: print([])
    """
    _says(_run(session, code), "[]")


@_check
def the_system_is_read_only(session: Session) -> None:
    code = """
        import os
        for path in ("/etc/passwd", "/usr/lib/python3/x", "/x", "/opt/assay/sandboxes/inside/supervisor.py", "/sys/x", "/proc/sys/kernel/hostname"):
            try: open(path, "w"); print("wrote", path)
            except OSError: pass
    """
    _says(_run(session, code), "")


@_check
def the_program_is_nobody_in_particular(session: Session) -> None:
    code = """
        import ctypes, os
        libc = ctypes.CDLL(None)
        libc.capget((ctypes.c_uint32 * 2)(0x20080522, 0), rights := (ctypes.c_uint32 * 6)())
        print(os.getuid() != 0, os.getgid() != 0, list(rights), libc.prctl(39, 0, 0, 0, 0))
    """
    _says(_run(session, code), "True True [0, 0, 0, 0, 0, 0] 1")


@_check
def privileged_calls_are_refused(session: Session) -> None:
    code = """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        calls = {
            "mount": lambda: libc.mount(b"none", b"/box", b"tmpfs", 0, None), "chroot": lambda: libc.chroot(b"/box"),
            "ptrace": lambda: libc.ptrace(16, 1, 0, 0), "setuid": lambda: libc.setuid(0), "reboot": lambda: libc.reboot(0),
            "sethostname": lambda: libc.sethostname(b"x", 1), "mknod": lambda: libc.mknod(b"/box/dev", 0o20600, 0x101),
        }
        print([name for name, call in calls.items() if call() != -1])
    """
    _says(_run(session, code), "[]")


@_check
def the_supervisor_is_out_of_reach(session: Session) -> None:
    code = """
        import os
        for name in ("mem", "environ", "fd", "maps", "cwd", "root", "exe"):
            try:
                path = "/proc/1/" + name
                print(name, os.listdir(path) if name == "fd" else os.readlink(path) if name in ("cwd", "root", "exe") else open(path).read(1))
            except OSError: pass
    """
    _says(_run(session, code), "")


@_check
def only_the_standard_streams_are_open(session: Session) -> None:
    code = """
        import os
        def is_open(fd):
            try: os.fstat(fd)
            except OSError: return False
            return True
        print([fd for fd in range(1024) if is_open(fd)])
    """
    _says(_run(session, code), "[0, 1, 2]")


@_check
def no_engine_and_no_host_in_sight(session: Session) -> None:
    code = """
        import os, socket
        print(os.path.exists("/var/run/docker.sock"), socket.gethostname())
    """
    _says(_run(session, code), "False box")


@_check
def core_files_are_not_written(session: Session) -> None:
    _says(_run(session, "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"), "(0, 0)")


@_check
def a_harness_is_importable_and_apart(session: Session) -> None:
    harness = Harness(files=(("ours/thing.py", b"WORD = 'ours'"), ("ours/__init__.py", b"")), preload=("ours.thing",))
    code = "import os; from ours.thing import WORD, __file__; print(WORD, __file__, os.listdir())"
    _says(_run(session, code, harness=harness), "ours /harness/ours/thing.py []")


# --- conversations ------------------------------------------------------------------------------------------------------


def _converse(session: Session, code: str, talk: Callable[[Conversation], None], **changes: object) -> Execution:
    with session.converse(python(ECHO + dedent(code), **changes)) as conversation:
        talk(conversation)
        return conversation.finish()


@_check
def questions_are_answered_one_at_a_time(session: Session) -> None:
    def talk(conversation: Conversation) -> None:
        for question in (b"a", b"", b"b" * 300_000):
            assert conversation.ask(question, seconds=5) == question[::-1]

    execution = _converse(session, "for q in questions(): answer(q[::-1])", talk)
    assert (execution.end, execution.exit_code) == (End.EXITED, 0)


@_check
def many_questions_are_answered_in_order(session: Session) -> None:
    taken = heard = 0

    def questions() -> Iterator[tuple[bytes, float]]:
        nonlocal taken
        for number in range(500):
            taken += 1
            yield str(number).encode(), 5

    with session.converse(python(ECHO + "for q in questions(): answer(q[::-1])")) as conversation:
        for heard, answer in enumerate(conversation.ask_each(questions())):
            assert answer == str(heard).encode()[::-1]
            assert taken <= heard + 1 + AHEAD, (taken, heard)
        assert (taken, heard) == (500, 499)
        assert conversation.ask(b"x", seconds=5) == b"x"
        assert conversation.finish().end is End.EXITED


@_check
def large_questions_go_alone(session: Session) -> None:
    questions = [bytes([number]) * 300_000 for number in range(8)]
    with session.converse(python(ECHO + "for q in questions(): answer(q)")) as conversation:
        assert list(conversation.ask_each((question, 8) for question in questions)) == questions


@_check
def all_that_was_answered_before_the_end_counts(session: Session) -> None:
    code = "for n, q in enumerate(questions()):\n if n == 20: os._exit(3)\n answer(q * 20_000)"
    with session.converse(python(ECHO + code)) as conversation:
        answers = list(conversation.ask_each((b"%d" % number, 8) for number in range(60)))
        assert answers == [b"%d" % number * 20_000 for number in range(20)]
        execution = conversation.finish()
    assert (execution.end, execution.exit_code) == (End.EXITED, 3)


@_check
def the_slow_one_of_many_is_a_wall_timeout(session: Session) -> None:
    code = "import time\nfor n, q in enumerate(questions()):\n if n == 20: time.sleep(60)\n answer(q)"
    with session.converse(python(ECHO + code)) as conversation:
        assert len(list(conversation.ask_each((b"x", 1) for _ in range(60)))) == 20
        assert conversation.finish().end is End.WALL_TIMEOUT


@_check
def a_conversation_may_print(session: Session) -> None:
    def talk(conversation: Conversation) -> None:
        assert conversation.ask(b"x", seconds=5) == b"x"

    execution = _converse(session, "for q in questions():\n print('noise', flush=True)\n answer(q)", talk)
    assert execution.stdout == b"noise\n"


@_check
def a_slow_answer_is_none_and_a_wall_timeout(session: Session) -> None:
    def talk(conversation: Conversation) -> None:
        assert conversation.ask(b"x", seconds=0.5) is None
        assert conversation.ask(b"x", seconds=0.5) is None

    assert _converse(session, "import time\nfor q in questions(): time.sleep(60)", talk).end is End.WALL_TIMEOUT


@_check
def who_is_kept_from_computing_has_more_time(session: Session) -> None:
    """What a busy machine does to a program, the program does itself: it computes for less than half of the time."""
    code = """
    import time
    for q in questions():
        end = time.monotonic() + 4
        while time.monotonic() < end:
            until = time.process_time() + 0.04
            while time.process_time() < until: pass
            time.sleep(0.08)
        answer(q)
    """
    long = limited(wall_seconds=60)  # an interpreter may take seconds to start on a busy host
    with session.converse(python(ECHO + dedent(code), limits=long)) as conversation:
        assert conversation.ask(b"x", seconds=3) == b"x"
    with session.converse(
        python(ECHO + "import time\nfor q in questions(): time.sleep(9); answer(q)", limits=long)
    ) as conversation:
        assert conversation.ask(b"x", seconds=2) is None
    with session.converse(python(ECHO + "for q in questions():\n while True: pass", limits=long)) as conversation:
        assert conversation.ask(b"x", seconds=2) is None
        assert conversation.finish().end is End.WALL_TIMEOUT
    stopped = """
    import time
    for q in questions():
        time.sleep(1.2)
        until = time.process_time() + 0.4
        while time.process_time() < until: pass
        time.sleep(9)
        answer(q)
    """
    with session.converse(python(ECHO + dedent(stopped), limits=long)) as conversation:
        assert conversation.ask(b"x", seconds=2) is None, "it computed for a while, but does so no more"


@_check
def an_exit_instead_of_an_answer_is_none(session: Session) -> None:
    def talk(conversation: Conversation) -> None:
        assert conversation.ask(b"x", seconds=5) is None

    execution = _converse(session, "for q in questions(): os._exit(3)", talk)
    assert (execution.end, execution.exit_code) == (End.EXITED, 3)


@_check
def the_wall_limit_holds_over_the_whole_conversation(session: Session) -> None:
    def talk(conversation: Conversation) -> None:
        while conversation.ask(b"x", seconds=5) is not None:
            pass

    code = "import time\nfor q in questions(): time.sleep(0.05); answer(q)"
    execution = _converse(session, code, talk, limits=limited(wall_seconds=1))
    assert execution.end is End.WALL_TIMEOUT and execution.wall_seconds < HUNG_SECONDS


@_check
def an_answer_before_its_question_ends_the_program(session: Session) -> None:
    def talk(conversation: Conversation) -> None:
        first = conversation.ask(b"x", seconds=5)
        assert first is None or conversation.ask(b"y", seconds=5) is None

    # Both in one write: of two, the second may arrive after the next question, and is then its answer.
    code = "for q in questions(): os.write(3, struct.pack('>I', 1) + b'1' + struct.pack('>I', 1) + b'2')"
    execution = _converse(session, code, talk)
    assert execution.evidence and execution.end is End.EXITED, execution


@_check
def an_answer_too_many_ends_the_program(session: Session) -> None:
    # Both in one write, for the same reason.
    code = "for n, q in enumerate(questions()): os.write(3, (struct.pack('>I', 1) + q) * (1 + (n == 9)))"
    with session.converse(python(ECHO + code)) as conversation:
        assert len(list(conversation.ask_each((b"%d" % number, 5) for number in range(10)))) == 9
        execution = conversation.finish()
    assert execution.evidence, execution


@_check
def an_endless_message_ends_the_program(session: Session) -> None:
    def talk(conversation: Conversation) -> None:
        assert conversation.ask(b"x", seconds=5) is None

    execution = _converse(session, "for q in questions(): os.write(3, struct.pack('>I', 2**32 - 1) + b'x')", talk)
    assert execution.evidence, execution


@_check
def an_unfinished_message_is_no_answer(session: Session) -> None:
    def talk(conversation: Conversation) -> None:
        assert conversation.ask(b"x", seconds=1) is None

    _converse(session, "for q in questions(): os.write(3, struct.pack('>I', 10) + b'x')", talk)


@_check
def a_closed_channel_is_no_answer(session: Session) -> None:
    def talk(conversation: Conversation) -> None:
        assert conversation.ask(b"x", seconds=1) is None

    _converse(session, "import time\nfor q in questions(): os.close(3); time.sleep(60)", talk)


@_check
def a_flood_during_a_conversation_is_the_output_limit(session: Session) -> None:
    def talk(conversation: Conversation) -> None:
        assert conversation.ask(b"x", seconds=8) is None

    execution = _converse(session, "for q in questions():\n while True: os.write(1, b'x' * 65536)", talk)
    assert execution.end is End.OUTPUT_LIMIT


@_check
def a_program_that_will_not_leave_is_ended(session: Session) -> None:
    def talk(conversation: Conversation) -> None:
        assert conversation.ask(b"x", seconds=5) == b"x"

    code = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\nfor q in questions(): answer(q)"
    code = code.replace("for q in questions(): answer(q)", "answer(next(questions()))\ntime.sleep(60)")
    execution = _converse(session, code, talk)
    assert execution.end is End.EXITED and execution.wall_seconds < SMALL.wall_seconds, execution


@_check
def finish_says_the_same_twice(session: Session) -> None:
    with session.converse(python(ECHO + "answer(next(questions()))")) as conversation:
        assert conversation.ask(b"x", seconds=5) == b"x"
        assert conversation.finish() == conversation.finish()
