"""What the box refuses and notices, in real boxes: each attempt is made by a real program, and found in its `Execution`."""

from collections import Counter
from textwrap import dedent

import pytest
from docker import DockerClient

from sandboxes.engine import images
from sandboxes.engine.hardening import host_config
from sandboxes.engine.seccomp_profile import profile
from sandboxes.inside.watch import MOST
from sandboxes.interface import Behaviour, Command, End, Execution, Limits, Observation, Sandbox, Tier
from sandboxes.tiers import Tiers

NETWORK, PROGRAM, WRITE, SYSCALL = Behaviour.NETWORK, Behaviour.PROGRAM, Behaviour.WRITE, Behaviour.SYSCALL
LIMITS = Limits(wall_seconds=20, cpu_seconds=10, memory_mib=256, processes=32, disk_mib=32)


@pytest.fixture(params=[Tier.JAIL, Tier.CONTAINER], ids=str)
def tier(request: pytest.FixtureRequest) -> Tier:
    return request.param


@pytest.fixture
def box(tier: Tier, tiers: Tiers) -> Sandbox:
    """gVisor's kernel answers its programs by itself and tells nobody."""
    return tiers.at_least(tier)


def run(box: Sandbox, code: str, **limits: float) -> Execution:
    changed = Limits(**{field: getattr(LIMITS, field) for field in Limits.__slots__} | limits)
    with box.session() as session:
        return session.run(Command(argv=("python3", "-c", dedent(code)), limits=changed))


def found(execution: Execution) -> set[tuple[Behaviour, str, bool]]:
    return {(one.behaviour, one.detail, one.refused) for one in execution.evidence}


SOCKETS = """
import socket
def attempt(way):
    try: way()
    except OSError as error: print(error.errno, end=" ")
    else: print("done", end=" ")
"""


def test_an_address_is_told(box: Sandbox) -> None:
    execution = run(
        box,
        SOCKETS
        + """
attempt(lambda: socket.create_connection(("93.184.216.34", 80), timeout=5))
attempt(lambda: socket.socket(socket.AF_INET6).connect(("2606:2800:220:1::1", 443)))
attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"question", ("8.8.8.8", 53)))
attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(("1.1.1.1", 53)))
attempt(lambda: socket.socket().bind(("0.0.0.0", 8080)))
attempt(lambda: socket.socket().connect_ex(("10.0.0.1", 22)))
""",
    )
    assert execution.stdout.decode().split() == ["101", "101", "101", "101", "13", "done"]
    assert found(execution) == {
        (NETWORK, "socket AF_INET SOCK_STREAM", True),
        (NETWORK, "socket AF_INET6 SOCK_STREAM", True),
        (NETWORK, "socket AF_INET SOCK_DGRAM", True),
        (NETWORK, "connect 93.184.216.34:80", True),
        (NETWORK, "connect [2606:2800:220:1::1]:443", True),
        (NETWORK, "sendto 8.8.8.8:53", True),
        (NETWORK, "connect 1.1.1.1:53", True),
        (NETWORK, "bind 0.0.0.0:8080", True),
        (NETWORK, "connect 10.0.0.1:22", True),
    }


def test_other_families_are_refused(box: Sandbox) -> None:
    execution = run(
        box,
        SOCKETS
        + """
for family in (16, 17, 40, 38, 21, 31337): attempt(lambda: socket.socket(family, socket.SOCK_RAW))
attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW))
attempt(lambda: socket.socketpair(socket.AF_INET))
""",
    )
    assert execution.stdout.decode().split() == ["97"] * 6 + ["1", "97"]
    assert {
        (NETWORK, "socket AF_NETLINK SOCK_RAW", True),
        (NETWORK, "socket AF_PACKET SOCK_RAW", True),
        (NETWORK, "socket AF_VSOCK SOCK_RAW", True),
        (NETWORK, "socket AF_ALG SOCK_RAW", True),
        (NETWORK, "socket family 31337 SOCK_RAW", True),
        (NETWORK, "socket AF_INET SOCK_RAW", True),
        (NETWORK, "socketpair AF_INET", True),
    } <= found(execution)


def test_programs_and_writes_are_noticed(box: Sandbox) -> None:
    execution = run(
        box,
        """
        import os, subprocess
        for _ in range(2): assert subprocess.run(["/bin/ls"], capture_output=True).returncode == 0
        subprocess.run("exit 0", shell=True)
        try: subprocess.run(["no-such-program"])
        except FileNotFoundError: pass
        for path in ("/etc/x", "/usr/bin/env", "../../etc/y", "a/../../../etc/w", "/box/work/../../etc/z", "/harness/h"):
            try: open(path, "w")
            except OSError: pass
        try: os.rename("/etc/passwd", "taken")
        except OSError: pass
        open("mine", "w").write("x")
        os.rename("mine", "still mine")
        """,
    )
    assert execution.exit_code == 0, execution
    expected = {
        (PROGRAM, "/bin/ls", False),
        (PROGRAM, "/bin/sh", False),
        (WRITE, "openat /etc/x", False),
        (WRITE, "openat /usr/bin/env", False),
        (WRITE, "openat /etc/y", False),
        (WRITE, "openat /etc/z", False),
        (WRITE, "openat /etc/w", False),
        (WRITE, "openat /harness/h", False),
    }
    # rename is renameat on newer architectures
    told = {(one[0], one[1].replace("renameat", "rename"), one[2]) for one in found(execution)}
    # /harness is a link in tier container
    assert {
        (kind, detail.replace("/box/harness", "/harness"), refused) for kind, detail, refused in told
    } == expected | {(WRITE, "rename /etc/passwd", False)}
    assert next(one.times for one in execution.evidence if one.detail == "/bin/ls") == 2


def test_forbidden_calls_are_refused(box: Sandbox) -> None:
    execution = run(
        box,
        """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        seccomp = 277 if os.uname().machine == "aarch64" else 317
        got = [
            libc.ptrace(16, 1, 0, 0), libc.mount(b"none", b"/box", b"tmpfs", 0, None), libc.unshare(0x20000),
            libc.chroot(b"/box"), libc.shmget(1, 4096, 0o1600), libc.personality(0x40000), libc.syscall(seccomp, 1, 8, 0),
            libc.setns(0, 0),
        ]
        print(got, libc.personality(0xFFFFFFFF))
        """,
    )
    assert execution.stdout.decode().strip() == f"{[-1] * 8} 0"
    names = {"ptrace", "mount", "unshare", "chroot", "shmget", "personality", "seccomp", "setns"}
    assert found(execution) == {(SYSCALL, name, True) for name in names}


def test_reading_what_is_nobodys_is_noticed(box: Sandbox, tier: Tier) -> None:
    path = {Tier.JAIL: "/root/.ssh/id_rsa", Tier.CONTAINER: "/opt/assay/sandboxes/inside/supervisor.py"}[tier]
    execution = run(box, f"open({path!r}).read()")
    assert found(execution) == {(Behaviour.READ, path, False)}
    assert not run(box, "open('/etc/passwd').read()").evidence


def test_a_flood_is_counted_and_ends_by_its_limits(box: Sandbox) -> None:
    many = run(
        box,
        """
        import ctypes, socket
        libc = ctypes.CDLL(None)
        for port in range(40):
            try: socket.socket().connect(("192.0.2.1", port))
            except OSError: pass
        for _ in range(1000): libc.chroot(b"/")
        """,
    )
    assert (SYSCALL, "chroot", True) in found(many), "what came last is told as well"
    assert sum(one.times for one in many.evidence if one.detail.startswith("connect")) == 40
    assert [one.times for one in many.evidence if one.left_out] == [40 - MOST]
    endless = run(
        box, "import ctypes\nlibc = ctypes.CDLL(None)\nwhile True: libc.chroot(b'/')", cpu_seconds=1, wall_seconds=5
    )
    assert endless.end in (End.CPU_TIMEOUT, End.WALL_TIMEOUT)
    (flood,) = endless.evidence
    assert (flood.behaviour, flood.detail, flood.refused) == (SYSCALL, "chroot", True)
    assert flood.times > 1000


def test_one_kind_of_act_hides_no_other(box: Sandbox) -> None:
    """Nor do many spellings of one path make many acts of one."""
    execution = run(
        box,
        SOCKETS
        + """
import ctypes, os
for number in range(20):
    if os.fork() == 0: os.execv("/bin" + "/." * number + "/true", ["true"])
    os.wait()
    try: open("/" + "/" * number + f"etc/./x{number % 2}", "w")
    except OSError: pass
    if os.fork() == 0: os._exit(0)
    os.symlink("/bin/true", f"own{number}")
    if os.fork() == 0: os.execv(f"./own{number}", ["true"])
    os.wait(), os.wait()
attempt(lambda: socket.create_connection(("192.0.2.1", 80), timeout=0.3))
ctypes.CDLL(None).ptrace(16, 1, 0, 0)
""",
    )
    times = {one.detail: one.times for one in execution.evidence if not one.left_out}
    assert times["/bin/true"] == 20 and times["openat /etc/x0"] == times["openat /etc/x1"] == 10
    assert (NETWORK, "connect 192.0.2.1:80", True) in found(execution) and (SYSCALL, "ptrace", True) in found(execution)
    programs = [one for one in execution.evidence if one.behaviour is PROGRAM]
    assert len(programs) == MOST + 1 and sum(one.times for one in programs) == 40


def test_who_hides_what_it_names_is_told(box: Sandbox) -> None:
    """A program may close its memory to its observer. Then what it did is not known, but that it did something is."""
    execution = run(
        box,
        SOCKETS
        + """
import ctypes, os
sock = socket.socket()
path, program = b"/etc/x", b"/bin/true"
libc = ctypes.CDLL(None)
assert libc.prctl(4, 0, 0, 0, 0) == 0  # PR_SET_DUMPABLE
libc.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
sock.connect_ex(("192.0.2.1", 80))
if os.fork() == 0: os.execv(program, ["true"])
os.wait()
libc.open(None, os.O_WRONLY)
""",
    )
    assert {
        (WRITE, "openat something that it hides", False),
        (NETWORK, "connect something that it hides", False),
        (PROGRAM, "something that it hides", False),
    } <= found(execution)
    assert not run(box, "import ctypes\nctypes.CDLL(None).open(None, 1)").evidence, "a wrong address hides nothing"


def test_dying_in_a_question_hurts_nobody(box: Sandbox) -> None:
    """Threads are in notified calls while the program is ended: by itself, by a signal, by the host."""
    knocking = """
import os, socket, threading, time, signal
def knock():
    while True:
        try: socket.socket().connect(("192.0.2.1", 1))
        except OSError: pass
for _ in range(6): threading.Thread(target=knock, daemon=True).start()
time.sleep(0.2)
"""
    left = run(box, knocking + "os._exit(3)")
    assert (left.end, left.exit_code) == (End.EXITED, 3)
    killed = run(box, knocking + "os.kill(os.getpid(), signal.SIGKILL)")
    assert (killed.end, killed.signal) == (End.SIGNALLED, 9)
    timed_out = run(box, knocking + "time.sleep(60)", wall_seconds=1)
    assert timed_out.end in (End.WALL_TIMEOUT, End.CPU_TIMEOUT)
    for execution in (left, killed, timed_out):
        assert (NETWORK, "connect 192.0.2.1:1", True) in found(execution)
    assert run(box, "print('next')").stdout == b"next\n"


def test_wild_arguments(box: Sandbox) -> None:
    """Pointers into nothing, strings without an end, lengths that lie, memory that may not be looked at."""
    execution = run(
        box,
        r"""
        import ctypes, mmap, os, socket
        libc = ctypes.CDLL(None, use_errno=True)
        page = mmap.mmap(-1, 4096)
        page.write(b"/" + b"x" * 4095)
        end = ctypes.addressof(ctypes.c_char.from_buffer(page))
        fd = socket.socket().fileno()
        for pointer in (0, 1, 2**63, 2**64 - 1, end, end + 4090):
            pointer = ctypes.c_void_p(pointer)
            libc.open(pointer, 1)
            libc.execve(pointer, None, None)
            for length in (0, 1, 2, 15, 16, 2**31 - 1, -1):
                libc.connect(fd, pointer, length)
                libc.bind(fd, pointer, length)
        libc.prctl(4, 0)
        try: open("/etc/\x1b[31m\u202eé", "w")
        except OSError: pass
        try: socket.socket().connect(("192.0.2.9", 9))
        except OSError as error: print("refused")
        os.closerange(3, 1000)
        libc.chroot(b"/")
        """,
    )
    assert (execution.exit_code, execution.stdout) == (0, b"refused\n"), execution
    assert (SYSCALL, "chroot", True) in found(execution)
    assert all(one.detail.isascii() and one.detail.isprintable() for one in execution.evidence)


HONEST = """
import asyncio, concurrent.futures, ctypes, mmap, multiprocessing, os, pathlib, signal, socket, sqlite3, tempfile, threading
import multiprocessing.connection
import numpy
pathlib.Path("notes.txt").write_text("mine")
with tempfile.TemporaryDirectory() as folder:
    pathlib.Path(folder, "a").write_text("b")
with tempfile.NamedTemporaryFile() as file: file.write(b"x")
threads = [threading.Thread(target=sum, args=([1],)) for _ in range(5)]
for thread in threads: thread.start()
for thread in threads: thread.join()
async def main(): return sum(await asyncio.gather(*(asyncio.sleep(0, i) for i in range(10))))
assert asyncio.run(main()) == 45
with multiprocessing.get_context("fork").Pool(2) as pool: assert pool.map(abs, [-1, -2]) == [1, 2]
with concurrent.futures.ThreadPoolExecutor() as pool: assert list(pool.map(abs, [-1])) == [1]
with multiprocessing.get_context("fork").Lock(): pass
assert sqlite3.connect("a.db").execute("create table t(x)").fetchall() == []
assert numpy.ones((200, 200)).dot(numpy.ones((200, 200))).sum() == 8e6
assert mmap.mmap(-1, 4096, prot=3)[:1] == b"\\0"
signal.signal(signal.SIGALRM, lambda *_: None); signal.setitimer(signal.ITIMER_REAL, 0.01); signal.pause()
here, there = socket.socketpair(); here.send(b"x"); assert there.recv(1) == b"x"
with multiprocessing.connection.Listener(family="AF_UNIX") as listener:
    with multiprocessing.connection.Client(listener.address) as client: pass
assert os.path.expanduser("~") and os.cpu_count()
print("honest")
"""


def test_an_honest_program_leaves_no_evidence(box: Sandbox) -> None:
    execution = run(box, HONEST)
    assert (execution.stdout, execution.stderr) == (b"honest\n", b"")
    assert execution.evidence == ()


def test_processes_and_bytes_are_counted(box: Sandbox, tier: Tier) -> None:
    small = run(box, "print('x')")
    assert small.processes == 1
    large = run(
        box,
        """
        import os, threading
        for _ in range(5):
            if os.fork() == 0:
                open(f"f{os.getpid()}", "wb").write(bytes(100_000)); os._exit(0)
            os.wait()
        for _ in range(3):
            thread = threading.Thread(target=int); thread.start(); thread.join()
        """,
    )
    assert large.processes == 9
    if tier is Tier.CONTAINER:
        assert 2 <= small.written_bytes < 100
        assert 500_000 <= large.written_bytes < 510_000


def test_more_processes_than_allowed_is_told(box: Sandbox) -> None:
    execution = run(
        box,
        """
        import os, time
        try:
            while True:
                if os.fork() == 0: time.sleep(30)
        except OSError: print("refused", flush=True)
        os._exit(0)
        """,
        processes=8,
    )
    assert execution.stdout == b"refused\n"
    counts = Counter(one.behaviour for one in execution.evidence)
    assert counts == {Behaviour.PROCESSES: 1}
    assert all(isinstance(one, Observation) and one.refused for one in execution.evidence)


# --- the outer filter ---------------------------------------------------------------------------------------------------


def under_profile(client: DockerClient, code: str, *, namespaces: bool) -> str:
    """What a program prints that runs under the container's own filter alone."""
    api = client.api
    config = api.create_container_config(
        image=images.ensure(client, print),
        command=["-c", code],
        entrypoint=["python3"],
        host_config=host_config(api, memory_mib=256, processes=64, disk_mib=16, seccomp=profile(namespaces=namespaces)),
    )
    config["HostConfig"]["LogConfig"] = {"Type": "json-file"}
    container = client.containers.get(api.create_container_from_config(config)["Id"])
    try:
        container.start()
        container.wait()
        return container.logs().decode()
    finally:
        container.remove(force=True)


CALLS = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def attempt(number, *arguments):
    ctypes.set_errno(0)
    return "done" if libc.syscall(number, *arguments) >= 0 else ctypes.get_errno()
import os
arm = os.uname().machine == "aarch64"
"""


def test_only_the_zygote_may_make_namespaces(client: DockerClient) -> None:
    code = CALLS + "print(attempt(97 if arm else 272, 0x10000000), attempt(435, 0, 0))"
    assert under_profile(client, code, namespaces=False).split() == ["1", "38"]
    assert under_profile(client, code, namespaces=True).split() == ["done", "38"]


@pytest.mark.parametrize("namespaces", [False, True])
def test_the_wide_doors_are_shut(client: DockerClient, namespaces: bool) -> None:
    """bpf, io_uring_setup, userfaultfd, keyctl, add_key, perf_event_open, init_module, kexec_load."""
    numbers = {False: (321, 425, 323, 250, 248, 298, 175, 246), True: (280, 425, 282, 219, 217, 241, 105, 104)}
    code = CALLS + f"print(*(attempt(number, 0, 0, 0, 0, 0) for number in {numbers!r}[arm]))"
    assert under_profile(client, code, namespaces=namespaces).split() == ["1"] * 8
