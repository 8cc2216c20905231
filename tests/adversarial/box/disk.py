"""Attacks on files: full disks, odd files, and paths that lead elsewhere."""

from sandboxes.interface import Behaviour, End
from tests.adversarial.box.attack import CTYPES, attack

FULL = (End.DISK_LIMIT, End.OUT_OF_MEMORY)
INODES = (*FULL, End.CPU_TIMEOUT, End.WALL_TIMEOUT)
"""gVisor does not count inodes; what they take is memory, and time that is not the program's."""

DISK = (
    attack("a big file", "f = open('x', 'wb', 0)\nwhile True: f.write(bytes(1 << 20))", *FULL),
    attack(
        "many files", "n = 0\nwhile True:\n n += 1\n open(f'/tmp/{n}', 'wb').write(bytes(1 << 18))", *FULL, End.EXITED
    ),
    attack("no inode left", "n = 0\nwhile True:\n n += 1\n open(str(n), 'w').close()", *INODES),
    attack("no inode left, by folders", "import os\nn = 0\nwhile True:\n n += 1\n os.mkdir(f'/tmp/{n}')", *INODES),
    attack("no inode left, by links", "import os\nn = 0\nwhile True:\n n += 1\n os.symlink('x', str(n))", *INODES),
    attack(
        "hard links",
        "import os\nopen('x', 'w').close()\nfor n in range(100000): os.link('x', str(n))",
        *FULL,
        End.EXITED,
        End.CPU_TIMEOUT,
    ),
    attack(
        "a full disk that nobody sees",
        """
        import os
        f = os.open("x", os.O_CREAT | os.O_RDWR)
        os.unlink("x")
        while True: os.write(f, bytes(1 << 20))
        """,
        End.EXITED,
        *FULL,
    ),
    attack(
        "swallows the full disk",
        """
        f = open("x", "wb", 0)
        for _ in range(3000):
            try: f.write(bytes(1 << 20))
            except OSError: pass
        print("done")
        """,
        End.EXITED,
        says="done",
    ),
    attack(
        "several files at once",
        """
        import os
        for n in range(8):
            if os.fork() == 0:
                f = open(str(n), "wb", 0)
                while True: f.write(bytes(1 << 20))
        raise SystemExit(any([os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(8)]))
        """,
        *FULL,
    ),
    attack(
        "a huge sparse file",
        """
        import os
        f = os.open("x", os.O_CREAT | os.O_RDWR)
        for size in (1 << 30, 1 << 40, (1 << 63) - 1):
            try: os.ftruncate(f, size); print("made", size)
            except OSError: print("refused")
            try: os.posix_fallocate(f, 0, size); print("filled", size)
            except OSError: print("refused")
        """,
        End.EXITED,
        says="\n".join(["refused"] * 6),
    ),
    attack(
        "a file past its size, with the signal",
        """
        import os, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        f = os.open("x", os.O_CREAT | os.O_RDWR)
        os.pwrite(f, b"x", 1 << 40)
        """,
        End.DISK_LIMIT,
    ),
    attack(
        "ten thousand levels",
        """
        import os
        for _ in range(10000):
            os.mkdir("d" * 100)
            os.chdir("d" * 100)
        print("done")
        """,
        End.EXITED,
        # Landlock goes up all the levels for each file that is made
        End.CPU_TIMEOUT,
        End.WALL_TIMEOUT,
    ),
    attack(
        "long and odd names",
        r"""
        import os
        for name in ("x" * 255, "\n\t\x1b[2J", "-rf", " ", "*", "...", "\udcff\udcfe", "a\\b", "\u202e", "'; reboot"):
            open(name, "w").write("x"); os.mkdir("d" + name[:250])
        try: open("x" * 256, "w"); print("too long")
        except OSError: pass
        print("done")
        """,
        End.EXITED,
        says="done",
    ),
    attack(
        "nobody may enter",
        """
        import os
        os.makedirs("a/b/c"); open("a/b/c/f", "w").close()
        for path in ("a/b/c/f", "a/b/c", "a/b", "a", "."): os.chmod(path, 0)
        os.umask(0o777)
        try: os.chmod("/tmp", 0)
        except OSError: pass
        print("done")
        """,
        End.EXITED,
        says="done",
    ),
    attack(
        "takes its places away",
        """
        import os, shutil
        os.chdir("/")
        for path in ("/box/work", "/box/tmp", "/dev/shm", "/box/harness", "/harness", "/tmp", "/box"):
            shutil.rmtree(path, ignore_errors=True)
            for way in (lambda: os.rename(path, path + "2"), lambda: os.symlink("/etc", path)):
                try: way()
                except OSError: pass
        print("done")
        """,
        End.EXITED,
        says="done",
    ),
    attack(
        "links that lead elsewhere",
        """
        import os
        for name, target in {"l1": "/etc/passwd", "l2": "/proc/self/mem", "l3": "/", "l4": "l4", "l5": "../../../../..", "l6": "/dev/mem", "l7": "/box/work"}.items():
            os.symlink(target, name)
        os.mkfifo("fifo"); os.mkfifo("/dev/shm/fifo")
        got = []
        for name in ("l1", "l2", "l3/x", "l5/x", "l6"):
            try: os.write(os.open(name, os.O_WRONLY | os.O_CREAT), b"x"); got.append(name)
            except OSError: pass
        print(got)
        """,
        End.EXITED,
        says="[]",
    ),
    attack(
        "devices",
        """
        import os, stat
        got = []
        for kind, name in ((stat.S_IFCHR, "c"), (stat.S_IFBLK, "b")):
            for major, minor in ((1, 1), (1, 3), (1, 9), (5, 0), (7, 0), (8, 0), (10, 229), (254, 0), (259, 0)):
                if (major, minor) in ((1, 3), (1, 9), (5, 0), (10, 229)): continue  # nothing to gain, and gVisor has its own
                try: os.mknod(f"{name}{major}-{minor}", kind | 0o666, os.makedev(major, minor)); os.open(f"{name}{major}-{minor}", os.O_RDWR); got.append((name, major, minor))
                except OSError: pass
        for name in ("mem", "kmem", "port", "kmsg", "sda", "vda", "loop0", "loop-control", "kvm", "vhost-net", "mapper/control", "console", "tty0", "input/event0"):
            try: os.open("/dev/" + name, os.O_RDWR); got.append(name)
            except OSError: pass
        print(got)
        """,
        End.EXITED,
        says="[]",
    ),
    attack(
        "the system's files",
        """
        import os
        got = []
        paths = ["/etc/passwd", "/etc/ld.so.preload", "/usr/bin/python3", "/usr/local/bin/x", "/opt/assay/sandboxes/inside/supervisor.py", "/opt/assay/x",
                 "/x", "/root/x", "/home/x", "/var/x", "/run/x", "/boot/x", "/sys/x", "/proc/x", "/sys/fs/cgroup/x",
                 "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/release_agent",
                 "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches", "/proc/self/oom_adj", "/proc/1/mem", "/proc/1/oom_score_adj"]
        for path in paths:
            for flags in (os.O_WRONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_TRUNC):
                if "cgroup" in path and flags & os.O_CREAT: continue  # under gVisor the folder is its own, and nobody's counter
                try: os.write(os.open(path, flags), b"0"); got.append(path)
                except OSError: pass
        for way in (os.unlink, os.rmdir, lambda p: os.rename(p, "/tmp/x"), lambda p: os.chmod(p, 0o777), lambda p: os.truncate(p, 0), lambda p: os.setxattr(p, "user.x", b"x"), lambda p: os.link(p, "/tmp/y")):
            for path in ("/etc/passwd", "/usr/bin/python3", "/opt/assay/sandboxes/inside/supervisor.py", "/etc", "/"):
                try: way(path); got.append(path)
                except OSError: pass
        print(got)
        """,
        End.EXITED,
        says="[]",
        evidence=(Behaviour.WRITE,),
    ),
    attack(
        "packages that everyone imports",
        """
        import os, site, sys
        got = []
        for folder in {*sys.path, *site.getsitepackages(), site.getusersitepackages(), os.path.dirname(os.__file__)} - {""}:
            if folder.startswith("/box/"): continue
            for name in ("sitecustomize.py", "evil.pth", "json.py", "pytest.py"):
                try: open(f"{folder}/{name}", "w").write("raise SystemExit(0)"); got.append(folder)
                except OSError: pass
        print(got)
        # its own user's folder is its own, and goes with it
        user = site.getusersitepackages()
        os.makedirs(user, exist_ok=True)
        for name in ("sitecustomize.py", "usercustomize.py", "evil.pth"): open(f"{user}/{name}", "w").write("import os; os._exit(9)")
        """,
        End.EXITED,
        says="[]",
    ),
    attack(
        "a file without a name",
        CTYPES
        + """
got = []
for path in ("/", "/etc", "/usr", "/opt/assay", "/var"):
    try: os.open(path, os.O_TMPFILE | os.O_RDWR); got.append(path)
    except OSError: pass
print(got)
""",
        End.EXITED,
        says="[]",
    ),
)
