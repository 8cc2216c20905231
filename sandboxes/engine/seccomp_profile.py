"""The outer filter of system calls, for everything in a box, our own processes included. In Docker's JSON.

It is an allow-list by name: the calls that programs in Python, C, C++, Java, Go, JavaScript, Rust, Ruby, PHP, Perl and Lua need, and
nothing else. The engine skips names that the kernel or an older libseccomp does not know.
Calls of another architecture (32-bit code on a 64-bit kernel) end the program.

The program's own filter (`sandboxes/inside/seccomp.py`) takes away more, and reports each attempt to the observer. But the
kernel runs both filters and obeys the stricter, so a call that is refused here is refused unseen. `ATTEMPTS` are
therefore allowed here: the kernel refuses each of them to a process without rights before it does anything, or Docker's
default allows it as well. Some calls have been a way into the kernel by their mere entry (bpf, io_uring, userfaultfd, keys,
perf_event_open, modules, kexec, by default also new user namespaces). For these the refusal here is worth more than the evidence:
it holds for our own processes too, in case one of them is ever taken over.
"""

import json

FILES = """
access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64 fallocate
fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat
fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init inotify_init1
inotify_rm_watch ioctl lchown lgetxattr link linkat listxattr llistxattr lremovexattr lseek lsetxattr lstat mkdir mkdirat
mknod mknodat newfstatat open openat openat2 pipe pipe2 pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readahead
readlink readlinkat readv removexattr rename renameat renameat2 rmdir sendfile setxattr splice stat statfs statx symlink
symlinkat sync_file_range syncfs tee truncate umask unlink unlinkat utime utimensat utimes vmsplice write writev
"""
MEMORY = """
brk madvise membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap mseal msync munlock munlockall munmap
pkey_alloc pkey_free pkey_mprotect remap_file_pages
"""
PROCESSES = """
arch_prctl capget capset execve execveat exit exit_group fork futex futex_requeue futex_wait futex_waitv futex_wake
get_robust_list getcpu getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getpriority getresgid getresuid
getrlimit getrusage getsid gettid getuid ioprio_get ioprio_set kill landlock_add_rule landlock_create_ruleset
landlock_restrict_self pidfd_open pidfd_send_signal prctl prlimit64 rseq sched_get_priority_max sched_get_priority_min
sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr
sched_setparam sched_setscheduler sched_yield seccomp set_robust_list set_tid_address setfsgid setfsuid setgid setgroups
setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid sysinfo tgkill times tkill uname vfork
wait4 waitid getrandom
"""
SIGNALS_AND_TIME = """
alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep pause restart_syscall rt_sigaction
rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo setitimer
sigaltstack signalfd signalfd4 time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create
timerfd_gettime timerfd_settime
"""
WAITING = """
epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 poll
ppoll pselect6 select
"""
SOCKETS = """
accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg sendmsg sendto
setsockopt shutdown socket socketpair
"""
ATTEMPTS = """
ptrace process_vm_readv process_vm_writev pidfd_getfd personality setns chroot pivot_root mount umount2 mount_setattr open_tree
move_mount fsopen fsconfig fsmount fspick shmget shmat shmctl shmdt semget semop semctl semtimedop msgget msgsnd msgrcv msgctl
acct quotactl swapon swapoff reboot sethostname setdomainname settimeofday clock_settime syslog vhangup iopl ioperm
open_by_handle_at fanotify_init
"""
"""Allowed here, so that the program's own filter refuses them and the observer hears of it."""

_CLONE_NEWUSER = 0x10000000
_ENOSYS = 38


def profile(*, namespaces: bool) -> str:
    """Return the JSON for Docker's security option `seccomp=`.

    With `namespaces` a process may make a user namespace, and with its rights in there all other kinds, as tier
    jail's zygote does for each program. Without it the only namespaces are the container's.
    """
    names = f"{FILES} {MEMORY} {PROCESSES} {SIGNALS_AND_TIME} {WAITING} {SOCKETS} {ATTEMPTS}".split()
    if namespaces:
        calls = [_allow(sorted([*names, "clone", "unshare"]))]
    else:
        no_user_namespace = {"index": 0, "value": _CLONE_NEWUSER, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}
        calls = [_allow(sorted(names)), {**_allow(["clone", "unshare"]), "args": [no_user_namespace]}]
    return json.dumps(
        {
            "defaultAction": "SCMP_ACT_ERRNO",
            "archMap": [
                {"architecture": f"SCMP_ARCH_{name}", "subArchitectures": []} for name in ("X86_64", "AARCH64")
            ],
            "syscalls": [
                *calls,
                # its flags are in memory, which a filter cannot read; libc then uses clone
                {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": _ENOSYS},
            ],
        }
    )


def _allow(names: list[str]) -> dict[str, object]:
    return {"names": names, "action": "SCMP_ACT_ALLOW"}
