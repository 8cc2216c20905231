"""Attacks on the kernel's doors: forbidden system calls, networks, namespaces, rights, and other runs."""

from sandboxes.interface import Behaviour, End
from tests.adversarial.box.attack import CTYPES, attack

FORBIDDEN = {
    # name: (x86_64, aarch64)
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "bpf": (321, 280), "userfaultfd": (323, 282), "perf_event_open": (298, 241), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142),
    "kexec_load": (246, 104), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "acct": (163, 89), "quotactl": (179, 60), "sethostname": (170, 161), "setdomainname": (171, 162),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "syslog": (103, 116),
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "fanotify_init": (300, 262), "lookup_dcookie": (212, 18),
    "setns": (308, 268), "vhangup": (153, 58), "move_pages": (279, 239),
    "migrate_pages": (256, 238), "pidfd_getfd": (438, 438),
}  # fmt: skip
"""Calls that no honest program of a submission makes, and that must bring nothing."""

NETWORK = (Behaviour.NETWORK,)
SYSCALL = (Behaviour.SYSCALL,)

KERNEL = (
    attack(
        "forbidden calls",
        CTYPES
        + f"""
import ctypes
FORBIDDEN = {FORBIDDEN!r}
page = ctypes.create_string_buffer(4096)
got = []
for name, numbers in FORBIDDEN.items():
    for arguments in ((0,) * 6, (1,) * 6, (page,) * 6, (-1,) * 6):
        if name == "ptrace" and arguments[0] == 0: continue  # TRACEME of itself does nothing to others
        if call(numbers[ARM], *arguments) >= 0: got.append(name)
print(sorted(set(got)))
""",
        End.EXITED,
        says="[]",
        evidence=SYSCALL,
    ),
    attack(
        "every call there is",
        CTYPES
        + """
import time
ENDS = {93, 94} if ARM else {60, 231}
SLEEPS = {72, 73, 101, 115, 129, 130, 131, 132, 133, 134, 135, 137, 139} if ARM else {7, 13, 14, 15, 23, 34, 35, 61, 62, 128, 130, 200, 202, 230, 234, 247, 270, 271}
for number in range(600):
    if number in ENDS | SLEEPS: continue
    child = os.fork()
    if child == 0:
        libc.alarm(1)
        call(number, 0, 0, 0, 0, 0, 0)
        os._exit(0)
    for _ in range(200):
        if os.waitpid(child, os.WNOHANG)[0]: break
        time.sleep(0.001)
    else:
        os.kill(child, 9); os.waitpid(child, 0)
print("done")
""",
        End.EXITED,
        End.CPU_TIMEOUT,
        cpu_seconds=20,
        wall_seconds=60,  # 580 processes: gVisor takes 20 to 25 seconds on a busy machine
    ),
    attack(
        "calls of another architecture",
        """
        import ctypes, mmap
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")  # mov eax, 20; int 0x80; ret: getpid of i386
        print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))() > 0)
        """,
        End.SIGNALLED,
        # gVisor has no such calls at all: -ENOSYS
        End.EXITED,
    ),
    attack(
        "calls of x32",
        CTYPES + "print([n for n in range(0, 600) if call(0x40000000 + n, -1, 0, 0, 0, 0, 0) >= 0])",
        End.SIGNALLED,
        End.EXITED,
    ),
    attack(
        "namespaces",
        CTYPES
        + """
got = []
for name, flag in {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x8000000, "uts": 0x4000000, "cgroup": 0x2000000, "time": 0x80}.items():
    for flags in (flag, flag | 0x10000000):
        if call(97 if ARM else 272, flags) >= 0: got.append(("unshare", name))
        if name != "time":  # its bit is part of the signal's number there
            child = call(220 if ARM else 56, flags | 17, 0, 0, 0, 0)
            if child == 0: os._exit(0)
            if child > 0: got.append(("clone", name)); os.waitpid(child, 0)
        child = call(435, ctypes.byref((ctypes.c_uint64 * 11)(flags, 0, 0, 0, 17)), 88)
        if child == 0: os._exit(0)
        if child > 0: got.append(("clone3", name)); os.waitpid(child, 0)
print(got)
""",
        End.EXITED,
        says="[]",
        evidence=SYSCALL,
    ),
    attack(
        "more rights",
        CTYPES
        + """
import grp
got = []
for way in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0]), lambda: os.seteuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setreuid(1, 1), lambda: os.setresgid(0, 0, 0), lambda: os.chown("/tmp", 0, 0)):
    try: way(); got.append(way.__code__.co_names)
    except OSError: pass
if libc.prctl(24, 21, 0, 0, 0) == 0: got.append("capbset")  # PR_CAPBSET_DROP needs a right itself
if libc.prctl(47, 2, 21, 0, 0) == 0: got.append("ambient")
if libc.prctl(38, 0, 0, 0, 0) == 0: got.append("no_new_privs off")
if libc.prctl(39, 0, 0, 0, 0) != 1: got.append("no_new_privs was off")
header, wanted = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xffffffff] * 6)
if call(91 if ARM else 126, ctypes.byref(header), ctypes.byref(wanted)) == 0: got.append("capset")
print(got)
""",
        End.EXITED,
        says="[]",
    ),
    attack(
        "programs with rights of their own",
        """
        import os, stat
        got = []
        for folder in ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/local/bin", "/opt"):
            for parent, _, names in os.walk(folder):
                for name in names:
                    try: mode = os.lstat(os.path.join(parent, name)).st_mode
                    except OSError: continue
                    if stat.S_ISREG(mode) and mode & (stat.S_ISUID | stat.S_ISGID): got.append(name)
        print(got)
        """,
        End.EXITED,
        says="[]",
    ),
    attack(
        "a filter of its own",
        CTYPES
        + """
class Filter(ctypes.Structure): _fields_ = (("size", ctypes.c_uint16), ("program", ctypes.c_void_p))
allow = ctypes.create_string_buffer(bytes([6, 0, 0, 0, 0, 0, 0xff, 0x7f]))
program = Filter(1, ctypes.addressof(allow))
number = 277 if ARM else 317
for flags in (0, 1, 2, 4):
    call(number, 1, flags, ctypes.byref(program))
call(number, 0, 0, 0)  # strict mode: from here on only read, write, exit
os.write(1, b"alive")
""",
        End.SIGNALLED,
        End.EXITED,
    ),
    attack(
        "a listener of its own",
        CTYPES
        + """
class Filter(ctypes.Structure): _fields_ = (("size", ctypes.c_uint16), ("program", ctypes.c_void_p))
notify = ctypes.create_string_buffer(bytes([6, 0, 0, 0, 0, 0, 0xc0, 0x7f]))
program = Filter(1, ctypes.addressof(notify))
got = call(277 if ARM else 317, 1, 8, ctypes.byref(program))
os._exit(0)
""",
        End.EXITED,
        End.WALL_TIMEOUT,
        wall_seconds=1.5,
    ),
    attack(
        "another personality",
        CTYPES
        + """
import mmap
call(92 if ARM else 135, 0x0040000 | 0x0100000 | 0x0400000)  # no random addresses, page 0, all that is readable is executable
print("mapped" if libc.mmap(0, 4096, 3, 0x32, -1, 0) == 0 else "held")
""",
        End.EXITED,
        says="held",
    ),
    attack(
        "traces process 1 and its parent",
        CTYPES
        + """
page = ctypes.create_string_buffer(64)
got = []
own = [os.readlink(f"/proc/self/fd/{fd}") for fd in range(3)]
def is_open_to_all(fd, flags):
    # gVisor lets everybody follow /proc/1/fd, and judges what is opened as if it were opened by its name
    name = os.readlink(f"/proc/self/fd/{fd}")
    if name in own: return True  # process 1 holds the other ends of this program's own streams
    try: os.open(name, flags)
    except FileNotFoundError: return name.startswith("/proc/")  # of a process that has ended since
    except OSError: return False
    return True
for pid in {1, os.getppid()} - {0, os.getpid()}:
    for request in (16, 0x4206):  # ATTACH, SEIZE
        if call(117 if ARM else 101, request, pid, 0, 0) >= 0: got.append(("ptrace", pid))
    piece = (ctypes.c_uint64 * 2)(ctypes.addressof(page), 64)
    far = (ctypes.c_uint64 * 2)(0x400000, 64)
    if call(270 if ARM else 310, pid, ctypes.byref(piece), 1, ctypes.byref(far), 1, 0) > 0: got.append(("read", pid))
    fd = call(434, pid, 0)
    if fd >= 0:
        for other in range(10):
            if call(438, fd, other, 0) >= 0: got.append(("fd", pid, other))
    for name in ("mem", "cwd/", "root/", "map_files", "stack", "syscall", *(f"fd/{fd}" for fd in range(64))):
        for flags in (os.O_RDONLY, os.O_WRONLY):
            try: fd = os.open(f"/proc/{pid}/{name}", flags | os.O_NONBLOCK)
            except OSError: continue
            if not is_open_to_all(fd, flags): got.append((pid, name))
print(got)
""",
        End.EXITED,
        says="[]",
        evidence=SYSCALL,
    ),
    attack(
        "every kind of socket",
        """
        import socket
        got = []
        for family in range(0, 46):
            if family == socket.AF_UNIX: continue
            for kind in (1, 2, 3, 4, 5, 6, 10):
                for protocol in (0, 1, 6, 17, 58, 132, 255, 3):
                    try: s = socket.socket(family, kind, protocol)
                    except OSError: continue
                    for address in (("192.0.2.1", 80), ("2001:db8::1", 80), (2, 1), "x", (0, 0)):
                        try: s.connect(address); s.send(b"x"); got.append((family, kind, address))
                        except (OSError, TypeError, ValueError, OverflowError): pass
                    s.close()
        print(got[:5])
        """,
        End.EXITED,
        says="[]",
        evidence=NETWORK,
        cpu_seconds=20,
    ),
    attack(
        "the outside",
        """
        import socket
        got = []
        for address in (("192.0.2.1", 80), ("93.184.216.34", 443), ("169.254.169.254", 80), ("172.17.0.1", 22), ("10.0.0.1", 53), ("255.255.255.255", 9)):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                try:
                    s = socket.socket(socket.AF_INET, kind)
                    s.settimeout(0.5)
                    s.connect(address)
                    got.append(address)
                except OSError: pass
                try: socket.socket(socket.AF_INET, kind).sendto(b"x", address); got.append(address)
                except OSError: pass
        try: got.append(socket.getaddrinfo("example.org", 80))
        except OSError: pass
        print(got)
        """,
        End.EXITED,
        says="[]",
        evidence=NETWORK,
    ),
    attack(
        "the host by local sockets",
        """
        import os, socket
        got = []
        for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/systemd/private", "/run/dbus/system_bus_socket", "/dev/log", "/tmp/.X11-unix/X0",
                     "\\0/tmp/.X11-unix/X0", "\\0/containerd-shim", "\\0assay", "/run/assay"):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET):
                try: socket.socket(socket.AF_UNIX, kind).connect(path); got.append(path)
                except OSError: pass
        for folder, _, names in os.walk("/run"): got += [f"{folder}/{n}" for n in names if "sock" in n]
        try:
            for line in list(open("/proc/net/unix"))[1:]:
                if len(line.split()) > 7: got.append(line.split()[7])
        except OSError: pass
        print(got)
        """,
        End.EXITED,
        says="[]",
    ),
    attack(
        "another run",
        """
        import os, socket
        secret, seen = "s3cr3t", []
        def look(path):
            try: data = os.read(os.open(path, os.O_RDONLY | os.O_NONBLOCK), 1 << 20)
            except OSError: return
            if b"neighbour-" + secret.encode() in data: seen.append(path)
        for top in ("/box", "/tmp", "/dev", "/var", "/run", "/home", "/root", "/mnt", "/opt", "/etc", "/srv"):
            for folder, _, names in os.walk(top):
                for name in names: look(os.path.join(folder, name))
        for pid in range(1, 5000):
            for name in ("environ", "cmdline", "mem", "root/box/work/mine", "cwd/mine"):
                if pid != os.getpid() and os.path.isdir("/proc"): look(f"/proc/{pid}/{name}")
        print(seen)
        """,
        End.EXITED,
        says="[]",
        cpu_seconds=20,
    ),
    attack(
        "more of itself than it may know",
        """
        import os
        got = []
        for path in ("/proc/kcore", "/proc/kmsg", "/proc/keys", "/proc/kallsyms", "/proc/timer_list", "/proc/sched_debug", "/sys/kernel/debug", "/sys/firmware/efi", "/proc/acpi", "/proc/scsi"):
            try: data = os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(4096)
            except OSError: continue
            if path == "/proc/kallsyms": data = [row for row in data.splitlines()[:-1] if int(row.split()[0], 16)]
            if data: got.append(path)
        print(got)
        """,
        End.EXITED,
        says="[]",
    ),
    attack(
        "what is mounted",
        """
        import os
        try: places = {row.split()[1] for row in open("/proc/self/mounts")}
        except OSError: places = {"/", "/dev", "/usr", "/etc", "/sys", "/harness"}
        got = []
        for place in places - {"/box", "/tmp", "/dev/shm", "/dev/mqueue", "/sys/fs/cgroup"}:  # the last is gVisor's own, and nobody's counter
            for way in (lambda p: open(p + "/x", "w"), lambda p: os.mkdir(p + "/y")):
                try: way(place); got.append(place)
                except OSError: pass
        print(got)
        """,
        End.EXITED,
        says="[]",
    ),
    attack(
        "is spared when memory runs out",
        """
        import os
        for pid in ("self", "1"):
            for value in ("-1000", "-17", "0"):
                try: open(f"/proc/{pid}/oom_score_adj", "w").write(value)
                except OSError: pass
        x = []
        while True: x.append(bytearray(1 << 20))
        """,
        End.OUT_OF_MEMORY,
    ),
    attack(
        "refused calls without an end",
        CTYPES + "while True: call(117 if ARM else 101, 16, 1, 0, 0)",
        End.CPU_TIMEOUT,
        End.WALL_TIMEOUT,
        cpu_seconds=1,
        wall_seconds=4,
        evidence=SYSCALL,
    ),
    attack(
        "refused calls from many",
        """
        import os, socket, threading
        def knock():
            while True:
                try: socket.create_connection(("192.0.2.1", 80), timeout=0.1)
                except OSError: pass
        for _ in range(4):
            if os.fork() == 0: break
        for _ in range(3): threading.Thread(target=knock).start()
        """,
        End.CPU_TIMEOUT,
        End.WALL_TIMEOUT,
        End.EXITED,
        cpu_seconds=1,
        wall_seconds=3,
        evidence=NETWORK,
    ),
    attack(
        "dies in a refused call",
        """
        import os, signal, socket, threading, time
        def knock():
            while True:
                try: socket.create_connection(("192.0.2.1", 80), timeout=0.1)
                except OSError: pass
        for _ in range(6): threading.Thread(target=knock, daemon=True).start()
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        End.SIGNALLED,
    ),
    attack(
        "keeps its observer busy from many threads",
        """
        import ctypes, threading
        libc = ctypes.CDLL(None)
        def ask():
            while True: libc.ptrace(0, 0, 0, 0)
        for _ in range(16): threading.Thread(target=ask).start()
        """,
        End.CPU_TIMEOUT,
    ),
    attack(
        "lies about its paths",
        CTYPES
        + """
for pointer in (0, 1, 0xdeadbeef, (1 << 47) - 4097, -1):
    for number in ((56,) if ARM else (257, 2)):
        call(number, -100, pointer, 0o101, 0o600)
    call(221 if ARM else 59, pointer, pointer, pointer)
    call(203 if ARM else 42, 1, pointer, 16)
page = ctypes.create_string_buffer(b"/" + b"x/../" * 900, 5000)
call(56 if ARM else 257, -100, ctypes.byref(page), 0o101, 0o600)
try: open("/etc/\\x1b[2J\\n\\udcff\\u202e" + "x" * 200, "w")
except OSError: pass
print("done")
""",
        End.EXITED,
        says="done",
    ),
)
