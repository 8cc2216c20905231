/* The life of every program of tier jail, from the host's message to the report. Loaded by zygote.py, which explains the design.
 *
 * In C, because an interpreter touches memory with each step it takes, and after a fork each touched page must be
 * copied: in Python, the same steps took 300 page faults a program, which was more than all of the isolation.
 *
 * `serve` goes on from program to program and returns only in the child, which is to become the program. The process that
 * forks it runs no Python between programs and never sees what a program wrote, asked for or printed: all that is in its memory
 * is in the memory of every later program. Another process handles the acts of programs: observer.py.
 *
 * Every failure before the program begins is ours. The child itself reports to the host that it begins (`begin`). A program that
 * never began did nothing, however its process ended.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MOST_FDS 8
#define POLL_MILLISECONDS 50 /* the interval at which the CPU time of the whole tree is checked */
#define STACK_BYTES 16384
#define ROUNDING_BYTES (4L << 20) /* the kernel counts in steps, and refuses a large request before the last of them */
#define GROWTH_BYTES (16L << 20)  /* a slot that holds this much more than before its first program is in doubt */
#define OWN_PROCESSES 2           /* process 1 of the container and this one, while no program runs */
#define TEXT_BYTES 512
#define REPORT_BYTES 4096
#define ASKED (-1)           /* stands for a descriptor among events: the filter's listener has a question */

/* The interpreter's own part of a fork. */
void PyOS_BeforeFork(void);
void PyOS_AfterFork_Parent(void);
void PyOS_AfterFork_Child(void);

/* The head of its objects, and the functions on them that are needed here. */
struct object {
    int64_t references;
    const void *type;
};
extern char PyDict_Type;
int PyObject_GC_IsTracked(struct object *object);
ssize_t PyList_Size(struct object *list);
struct object *PyList_GetItem(struct object *list, ssize_t place);
int PyList_Append(struct object *list, struct object *item);

enum event { GONE, PROGRAM };

struct counter { /* a file of the control group; fd -1 if it is missing */
    int32_t fd;
    char key[20]; /* of the line that holds the number; empty if the file is one number */
};

struct level { /* the state of the counters */
    double cpu_seconds;
    int64_t memory, peak, limit_hits, oom_kills, forks_refused, processes, last_process;
};

struct slot { /* the same in jail.py */
    /* set by Python, once */
    int32_t control, proc, own_pid_namespace, loadavg, from_child, tripwires, observer, listeners;
    int32_t events, counted, to_parent, to_observer; /* numbers that are the same here and in a child */
    uint32_t uid, gid;
    struct counter cpu, memory, peak, limit, limit_hits, oom_kills, forks_refused, processes;
    double cpu_unit; /* seconds */
    int64_t inodes, pid_max, reserved_numbers;
    const void *filters[2]; /* struct sock_fprog: for a kernel with listeners, and for one without */
    uint32_t filter_flags[2];
    const void *landlock_attributes;
    uint64_t landlock_size, landlock_folders; /* size 0: this kernel has none */
    int64_t memory_bytes; /* in use when nothing runs */
    /* for Python, while a program runs */
    const char *words; /* the request without its files; NULs between the words */
    uint64_t words_size;
    int32_t becomes_python;
    /* our own */
    int32_t init, pid, ended, box, account, streams, fitting, has_listener, noticed;
    uint32_t disk_mib;
    int32_t processor; /* the one that the program stays on; -1 for any */
    double cpu_limit, look_at_cpu;
    int64_t memory_limit;
    char stopped[16], problem[TEXT_BYTES], doubt[TEXT_BYTES];
    cpu_set_t cpus;
    struct level level;
};

static char paused_stack[STACK_BYTES] __attribute__((aligned(16)));

/* --- small things ------------------------------------------------------------------------------------------------------ */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int64_t count(const struct counter *counter) {
    char text[4096];
    ssize_t size = counter->fd < 0 ? -1 : pread(counter->fd, text, sizeof text - 1, 0);
    if (size <= 0)
        return 0;
    text[size] = 0;
    size_t length = strlen(counter->key);
    for (char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (length == 0 || (strncmp(line, counter->key, length) == 0 && line[length] == ' ')) {
            line += length ? length + 1 : 0;
            return strncmp(line, "max", 3) == 0 ? INT64_MAX : strtoll(line, NULL, 10);
        }
    }
    return 0;
}

/* Nothing runs between programs: the end of one is the start of the next. */
static struct level read_level(const struct slot *slot) {
    char text[256] = "";
    ssize_t size = pread(slot->loadavg, text, sizeof text - 1, 0);
    const char *last = size > 0 ? strrchr(text, ' ') : NULL;
    return (struct level){
        .cpu_seconds = (double)count(&slot->cpu) * slot->cpu_unit,
        .memory = count(&slot->memory),
        .peak = count(&slot->peak),
        .limit_hits = count(&slot->limit_hits),
        .oom_kills = count(&slot->oom_kills),
        .forks_refused = count(&slot->forks_refused),
        .processes = count(&slot->processes),
        /* the number given out last, in this namespace or in one below */
        .last_process = last ? strtoll(last, NULL, 10) : 0,
    };
}

static ssize_t receive(int from, char *text, size_t size, int *fds, int *count_fds, int flags) {
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int) * MOST_FDS)];
    } control;
    struct iovec part = {text, size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t got;
    do
        got = recvmsg(from, &message, flags | MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    *count_fds = 0;
    struct cmsghdr *head = got < 0 ? NULL : CMSG_FIRSTHDR(&message);
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
        *count_fds = (int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(head), sizeof(int) * (size_t)*count_fds);
    }
    return got;
}

/* --- the child: locked in, step by step ---------------------------------------------------------------------------------- */

static void give_up(const struct slot *slot, const char *step) {
    char text[TEXT_BYTES];
    int size = snprintf(text, sizeof text, "problem %s: %s", step, strerror(errno));
    send(slot->to_parent, text, (size_t)size, MSG_NOSIGNAL);
    _exit(126); /* the host never hears that it began, so this is not the program's exit code */
}

static void give_up_for(const struct slot *slot, int error, const char *step) {
    errno = error;
    give_up(slot, step);
}

static void must(const struct slot *slot, int result, const char *step) {
    if (result < 0)
        give_up(slot, step);
}

static void write_text(const struct slot *slot, const char *path, const char *text) {
    int fd = openat(slot->proc, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        give_up(slot, path);
    close(fd);
}

static void keep_own_ids(const struct slot *slot) {
    char map[64];
    write_text(slot, "self/setgroups", "deny");
    snprintf(map, sizeof map, "%u %u 1", slot->uid, slot->uid);
    write_text(slot, "self/uid_map", map);
    snprintf(map, sizeof map, "%u %u 1", slot->gid, slot->gid);
    write_text(slot, "self/gid_map", map);
}

static void read_exactly(const struct slot *slot, int fd, char *into, size_t size, off_t from) {
    while (size) {
        ssize_t got = pread(fd, into, size, from);
        if (got <= 0)
            give_up(slot, "reading the request");
        into += got;
        from += got;
        size -= (size_t)got;
    }
}

/* There is not enough room, or the names exclude one another. The files are the program's, so the failure is its own. */
static int does_not_fit(void) {
    return errno == ENOSPC || errno == ENAMETOOLONG || errno == ENOTDIR || errno == EISDIR;
}

/* Write a file below the working directory, by a path without `..`, and make its folders. Returns 0 if it does not fit. */
static int place_file(const struct slot *slot, char *path, int request, off_t from, size_t size) {
    char part[65536];
    if (*path == '/' || strcmp(path, "..") == 0 || strncmp(path, "../", 3) == 0 || strstr(path, "/../"))
        give_up_for(slot, EPERM, "a file that leads out of the working directory");
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0777) < 0 && does_not_fit())
            return 0;
        *slash = '/';
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 && does_not_fit())
        return 0;
    must(slot, fd, "a file of the program");
    while (size) {
        size_t now_size = size < sizeof part ? size : sizeof part;
        read_exactly(slot, request, part, now_size, from);
        if (write(fd, part, now_size) != (ssize_t)now_size)
            return 0;
        from += (off_t)now_size;
        size -= now_size;
    }
    close(fd);
    return 1;
}

static char *word_after(char *word, const char *end) {
    word += strlen(word) + 1;
    return word < end ? word : NULL;
}

/* Place the files of a request, whose form program.py describes. Its words are kept for Python to read. */
static void take_request(struct slot *slot, int request) {
    uint32_t length;
    read_exactly(slot, request, (char *)&length, 4, 0);
    length = be32toh(length);
    char *words = malloc(length + 1);
    if (!words)
        give_up(slot, "memory for the request");
    read_exactly(slot, request, words, length, 4);
    words[length] = 0;
    slot->words = words;
    slot->words_size = length;
    const char *end = words + length + 1;
    char *word = words;
    for (int list = 0; list < 2; list++) { /* the command line, the environment: a count and that many words */
        long left = word ? strtol(word, NULL, 10) : -1;
        for (word = word ? word_after(word, end) : NULL; left > 0 && word; left--)
            word = word_after(word, end);
    }
    slot->fitting = 1;
    for (off_t from = 4 + (off_t)length; word && slot->fitting;) {
        char *size_word = word_after(word, end);
        if (!size_word)
            give_up_for(slot, EINVAL, "the request's files");
        size_t size = strtoull(size_word, NULL, 10);
        slot->fitting = place_file(slot, word, request, from, size);
        from += (off_t)size;
        word = word_after(size_word, end);
    }
}

static void set_limits(const struct slot *slot) {
    rlim_t seconds = (rlim_t)slot->cpu_limit + 2; /* behind the poll of the whole tree's time, which is exact */
    rlim_t bytes = (rlim_t)slot->disk_mib << 20;
    /* first by SIGXCPU, which shows the cause */
    must(slot, setrlimit(RLIMIT_CPU, &(struct rlimit){seconds, seconds + 1}), "limit of CPU time");
    must(slot, setrlimit(RLIMIT_FSIZE, &(struct rlimit){bytes, bytes}), "limit of file size");
    must(slot, setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}), "limit of core files");
}

static void drop_rights(const struct slot *slot) {
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    must(slot, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges");
    must(slot, (int)syscall(SYS_capset, &head, none), "giving up capabilities");
}

static void restrict_files(const struct slot *slot) {
    static const char *writable[] = {"/box", "/dev"};
    if (!slot->landlock_size)
        return;
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, slot->landlock_attributes, slot->landlock_size, 0);
    must(slot, ruleset, "Landlock");
    for (size_t i = 0; i < sizeof writable / sizeof *writable; i++) {
        struct __attribute__((packed)) {
            uint64_t rights;
            int32_t place;
        } rule = {slot->landlock_folders, open(writable[i], O_PATH | O_CLOEXEC)};
        must(slot, rule.place, writable[i]);
        must(slot, (int)syscall(SYS_landlock_add_rule, ruleset, 1, &rule, 0), "a rule of Landlock");
        close(rule.place);
    }
    must(slot, (int)syscall(SYS_landlock_restrict_self, ruleset, 0), "Landlock's restriction");
    close(ruleset);
}

/* If the named processor is not available, any will do: one processor only makes two programs that talk faster. */
static void settle_on_processor(const struct slot *slot) {
    cpu_set_t one;
    CPU_ZERO(&one);
    if (slot->processor >= 0)
        CPU_SET((size_t)slot->processor, &one);
    if (slot->processor < 0 || sched_setaffinity(0, sizeof one, &one) < 0)
        sched_setaffinity(0, sizeof slot->cpus, &slot->cpus);
}

/* /dev/fd: the program's descriptors, for /dev/stdin and its kind. The program sees only this folder of the container's /proc, because
 * the box's file system covers the rest in the next step. The folder is that of this very process, and is looked up while the process is
 * not dumpable. So it belongs to no user of this namespace, and the kernel opens it only to threads of this process. A process that the
 * program starts finds it closed; otherwise it would see the descriptors of another process. */
static void show_descriptors(const struct slot *slot) {
    must(slot, mount("/box/proc/self/fd", "/dev/fd", NULL, MS_BIND, NULL), "its descriptors");
}

static void enter_namespaces(const struct slot *slot) {
    must(slot, unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS), "namespaces");
}

static void mount_box(const struct slot *slot) {
    char options[96];
    snprintf(options, sizeof options, "size=%um,nr_inodes=%lld,mode=1777", slot->disk_mib, (long long)slot->inodes);
    must(slot, mount("tmpfs", "/box", "tmpfs", MS_NOSUID | MS_NODEV, options), "the box's file system");
    if (mkdir("/box/work", 0777) < 0 || mkdir("/box/tmp", 0777) < 0 || mkdir("/box/shm", 0777) < 0 || chdir("/box/work") < 0)
        give_up(slot, "the box's folders");
}

/* After the mounts, so that the program's user namespace owns none of them. */
static void enter_user_namespace(const struct slot *slot) {
    must(slot, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "dumpable"); /* or its own files in /proc would not be its own */
    must(slot, unshare(CLONE_NEWUSER), "user namespace");
    keep_own_ids(slot);
}

/* When the slot runs out of memory, the kernel ends the program before anything of ours. */
static void be_killed_first(const struct slot *slot) {
    write_text(slot, "self/oom_score_adj", "1000");
}

static void open_account(const struct slot *slot) {
    int account = openat(slot->proc, "self/io", O_RDONLY | O_CLOEXEC);
    must(slot, account < 0 ? account : dup3(account, slot->counted, O_CLOEXEC), "its account");
}

/* The program gets its own descriptors, from 0 on; beside them only those stay that `begin` needs. */
static void adopt_descriptors(struct slot *slot, const int *fds, int count_fds) {
    for (int i = 1; i < count_fds; i++)
        must(slot, dup2(fds[i], i - 1), "its streams");
    slot->streams = count_fds - 1;
    close_range((unsigned)slot->streams, (unsigned)slot->events - 1, 0);
    close_range((unsigned)slot->to_observer + 1, (unsigned)slot->control - 1, 0);
    close_range((unsigned)slot->control + 1, ~0U, 0);
}

/* `fds`: the request, then the program's own descriptors. */
static void lock_in(struct slot *slot, const int *fds, int count_fds) {
    setsid();
    settle_on_processor(slot);
    enter_namespaces(slot);
    show_descriptors(slot);
    mount_box(slot);
    enter_user_namespace(slot);
    be_killed_first(slot);
    open_account(slot);
    take_request(slot, fds[0]);
    set_limits(slot);
    adopt_descriptors(slot, fds, count_fds);
    drop_rights(slot);
    restrict_files(slot);
}

static void hand(const struct slot *slot, int to, const char *text, const int *fds, int count_fds) {
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int) * MOST_FDS)];
    } control = {.head = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    control.head.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count_fds);
    memcpy(CMSG_DATA(&control.head), fds, sizeof(int) * (size_t)count_fds);
    struct iovec part = {(void *)(uintptr_t)text, strlen(text)};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count_fds),
    };
    must(slot, (int)sendmsg(to, &message, MSG_NOSIGNAL), "handing over its descriptors");
}

/* Put the filter on this process. Returns its listener, -1 if this kernel has none. */
static int install_filter(const struct slot *slot) {
    for (int i = 0; i < 3; i++) {
        uint32_t flags = i < 2 ? slot->filter_flags[i] : 0;
        if (i < 2 && !flags)
            continue;
        int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, slot->filters[!flags]);
        if (listener >= 0)
            return flags ? listener : -1;
        if (errno != EINVAL)
            break;
    }
    give_up(slot, "the filter of system calls");
    return -1;
}

/* The last step, in the child: the filter, and the message to the host. Python has read the request meanwhile. */
EXPORT void begin(struct slot *slot) {
    int handed[2] = {open("/box", O_RDONLY | O_CLOEXEC), slot->counted};
    must(slot, handed[0], "the box");
    int listener = install_filter(slot);
    if (listener >= 0) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLET | EPOLLONESHOT, .data.fd = ASKED};
        must(slot, epoll_ctl(slot->events, EPOLL_CTL_ADD, listener, &event), "its listener");
        hand(slot, slot->to_observer, slot->becomes_python ? "python" : "exec", &listener, 1);
    }
    hand(slot, slot->to_parent, listener >= 0 ? "listener" : "none", handed, 2);
    must(slot, (int)send(slot->control, "B", 1, MSG_NOSIGNAL), "reporting that it begins");
    int fitting = slot->fitting;
    close_range((unsigned)slot->streams, ~0U, 0);
    if (!fitting) {
        static const char text[] = "assay: the files do not fit into the box\n";
        (void)!write(2, text, sizeof text - 1); /* the program fails even if this is not read */
        _exit(1);
    }
}

/* --- the parent ---------------------------------------------------------------------------------------------------------- */

static int sleep_for_ever(void *unused) {
    (void)unused;
    for (;;)
        pause();
    return 0;
}

/* Process 1 of a new pid namespace. It shares our memory, so that nothing is copied, and our descriptors, so that none is kept
 * open; it only sleeps, on a stack of its own. It inherits SIGCHLD ignored, so the kernel reaps its orphans. It also inherits
 * every signal blocked: the program may send it signals, and a handler of the interpreter (SIGINT has one) would run in our memory. */
static int start_init(void) {
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET((size_t)sched_getcpu(), &here);
    sched_setaffinity(0, sizeof here, &here); /* on one processor with us, its name in our memory costs no interrupts */
    if (unshare(CLONE_NEWPID) < 0)
        return -1;
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    signal(SIGCHLD, SIG_IGN);
    int init = clone(sleep_for_ever, paused_stack + STACK_BYTES, CLONE_VM | CLONE_FILES | SIGCHLD, NULL);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return init;
}

/* Fork the program. Returns 0 in the child, which is locked in by then. */
static int start(struct slot *slot, const int *fds, int count_fds) {
    slot->init = start_init();
    if (slot->init < 0)
        return -1;
    PyOS_BeforeFork();
    slot->pid = fork();
    if (slot->pid == 0) {
        memset(&slot->level, 0, sizeof slot->level); /* the program must not see what earlier ones used */
        lock_in(slot, fds, count_fds);
        PyOS_AfterFork_Child();
        return 0;
    }
    PyOS_AfterFork_Parent();
    if (slot->pid < 0 || setns(slot->own_pid_namespace, CLONE_NEWPID) < 0)
        return -1;
    for (int i = 0; i < count_fds; i++)
        close(fds[i]);
    slot->ended = (int)syscall(SYS_pidfd_open, slot->pid, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = slot->ended};
    return slot->ended < 0 || epoll_ctl(slot->events, EPOLL_CTL_ADD, slot->ended, &event) < 0 ? -1 : slot->pid;
}

/* Take the child's message from before it became the program: it has locked itself in, or why it could not. */
static void hear(struct slot *slot) {
    char text[TEXT_BYTES];
    int fds[MOST_FDS], count_fds;
    if (slot->box >= 0 || *slot->problem)
        return;
    ssize_t size = receive(slot->from_child, text, sizeof text - 1, fds, &count_fds, MSG_DONTWAIT);
    if (size < 0)
        return; /* it has not got that far */
    text[size] = 0;
    if (count_fds < 2) {
        snprintf(slot->problem, sizeof slot->problem, "%s", strncmp(text, "problem ", 8) ? text : text + 8);
        return;
    }
    slot->box = fds[0];
    slot->account = fds[1];
    slot->has_listener = strcmp(text, "listener") == 0;
}

/* The observer takes the listener itself, out of the queue that the child has put it in: the kernel limits the descriptors that a
 * user has under way, and by now the program may have used them up. */
static void call_observer(struct slot *slot) {
    hear(slot);
    slot->noticed = send(slot->observer, "W", 1, MSG_NOSIGNAL) == 1;
}

/* Nothing was noticed, so the listener is not needed. One may be there even if the program never got as far as beginning. */
static void drop_listener(const struct slot *slot) {
    char text[16];
    int fds[MOST_FDS], count_fds;
    while (receive(slot->listeners, text, sizeof text, fds, &count_fds, MSG_DONTWAIT) > 0)
        for (int i = 0; i < count_fds; i++)
            close(fds[i]);
}

static void asked_to_stop(struct slot *slot) {
    char text[64];
    int fds[MOST_FDS], count_fds;
    ssize_t size = receive(slot->control, text, sizeof text - 1, fds, &count_fds, 0);
    text[size > 0 ? size : 0] = 0;
    for (int i = 0; i < count_fds; i++)
        close(fds[i]);
    snprintf(slot->stopped, sizeof slot->stopped, "%s", size > 1 && strlen(text + 1) < 16 ? text + 1 : "killed");
}

/* Wait until the program has ended by itself, or is to be ended. */
static void follow(struct slot *slot) {
    for (int over = 0; !over && !*slot->stopped;) {
        struct epoll_event events[4];
        int ready = epoll_wait(slot->events, events, 4, POLL_MILLISECONDS);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == ASKED && events[i].events & EPOLLIN) /* and not only the hang-up of an ended program */
                call_observer(slot);
            over |= events[i].data.fd == slot->ended;
            if (events[i].data.fd == slot->control)
                asked_to_stop(slot);
        }
        if (!over && !*slot->stopped && now() > slot->look_at_cpu) {
            slot->look_at_cpu = now() + POLL_MILLISECONDS * 1e-3;
            if ((double)count(&slot->cpu) * slot->cpu_unit - slot->level.cpu_seconds > slot->cpu_limit)
                strcpy(slot->stopped, "cpu");
        }
    }
}

/* Returns the bytes that the program, and the children that it waited for, passed to write(2) and its kin. Read while the program is
 * dead but not reaped. 0 if it has hidden itself. */
static int64_t written(struct slot *slot) {
    char text[1024];
    if (slot->account < 0)
        return 0;
    ssize_t size = read(slot->account, text, sizeof text - 1);
    text[size > 0 ? size : 0] = 0;
    close(slot->account);
    const char *line = strstr(text, "wchar:");
    return line ? strtoll(line + 6, NULL, 10) : 0;
}

struct account {
    int status, disk_full;
    int64_t written, largest;
};

/* End everything in the namespace: when its process 1 ends, the kernel ends all others. */
static struct account end_everything(struct slot *slot) {
    struct account account = {0};
    struct rusage used;
    close(slot->ended);
    hear(slot);
    account.written = written(slot);
    kill(slot->init, SIGKILL);
    while (wait4(slot->pid, &account.status, 0, &used) < 0 && errno == EINTR)
        ;
    while (waitpid(slot->init, NULL, 0) < 0 && errno == EINTR)
        ;
    account.largest = (int64_t)used.ru_maxrss << 10;
    sched_setaffinity(0, sizeof slot->cpus, &slot->cpus);
    hear(slot); /* its last message must not be left for the next program */
    if (slot->box >= 0) {
        struct statvfs room;
        account.disk_full = fstatvfs(slot->box, &room) == 0 && (room.f_bavail == 0 || room.f_favail == 0);
        close(slot->box);
    }
    return account;
}

static void find_doubt(struct slot *slot, const struct level *level) {
    *slot->doubt = 0;
    if (level->processes > OWN_PROCESSES)
        snprintf(slot->doubt, sizeof slot->doubt, "%lld processes are left over", (long long)level->processes - OWN_PROCESSES);
    else if (level->memory > slot->memory_bytes + GROWTH_BYTES)
        snprintf(slot->doubt, sizeof slot->doubt, "%lld MiB are left over", (long long)(level->memory - slot->memory_bytes) >> 20);
}

static void plain(char *text) { /* replace characters that JSON would escape */
    for (; *text; text++)
        if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
            *text = '?';
}

/* The same as `started` in counters.py, less the sleeping process 1, which is ours. */
static int64_t started(const struct slot *slot, int64_t before, int64_t after) {
    int64_t more = after - before - 1 + (after < before ? slot->pid_max - slot->reserved_numbers : 0);
    return more > 0 ? more : 0;
}

/* Returns how often the slot met its memory limit. If the kernel does not count that (version 1): 1 if the peak shows that it did, else
 * 0; -1 if the kernel keeps no peak either. */
static int64_t limit_hits(const struct slot *slot, const struct level *before, const struct level *after) {
    if (slot->limit_hits.fd >= 0)
        return after->limit_hits - before->limit_hits;
    return slot->peak.fd < 0 ? -1 : slot->memory_limit > 0 && after->peak > slot->memory_limit - ROUNDING_BYTES;
}

/* Exact if this program used more than any before it. Otherwise the most that its largest process held at once, which includes pages that
 * it shares with this process. A host that may reset the counter of the control group (slot.py) always uses its own exact figure. */
static int64_t peak_bytes(const struct slot *slot, const struct level *before, const struct level *after, int64_t largest) {
    if (slot->peak.fd >= 0 && after->peak > before->peak)
        return after->peak - before->memory;
    int64_t most = (slot->peak.fd >= 0 ? after->peak : slot->memory_limit) - before->memory;
    return largest < most ? largest : most;
}

static int readable(int fd) {
    return fd >= 0 && poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) > 0;
}

/* Returns whether the observer was asked for a socket; 1 if that is unknown. By its answer the observer has taken the listener. */
static int asked_for_socket(struct slot *slot) {
    char answer = '1';
    if (!slot->has_listener)
        return 1;
    if (!slot->noticed)
        return 0;
    if (send(slot->observer, "S", 1, MSG_NOSIGNAL) < 0 || recv(slot->observer, &answer, 1, 0) < 1)
        return 1;
    return answer == '1';
}

/* Returns the length of the report, which is cut if it is not below `size`. */
static int write_report(const struct slot *slot, const struct account *account, const struct level *before, char *text, size_t size) {
    const struct level *after = &slot->level;
    int64_t peak = peak_bytes(slot, before, after, account->largest);
    char code[16] = "null", number[16] = "null", hits[24] = "null";
    if (WIFEXITED(account->status))
        snprintf(code, sizeof code, "%d", WEXITSTATUS(account->status));
    if (WIFSIGNALED(account->status))
        snprintf(number, sizeof number, "%d", WTERMSIG(account->status));
    int64_t met = limit_hits(slot, before, after);
    if (met >= 0)
        snprintf(hits, sizeof hits, "%lld", (long long)met);
    return snprintf(
        text, size,
        "{\"exit_code\":%s,\"signal\":%s,\"stopped\":\"%s\",\"cpu_seconds\":%.9f,\"peak_bytes\":%lld,\"oom_kills\":%lld,"
        "\"forks_refused\":%lld,\"limit_hits\":%s,\"disk_full\":%s,\"processes\":%lld,\"written_bytes\":%lld,"
        "\"memory_before\":%lld,\"problem\":\"%s\",\"doubt\":\"%s\",\"evidence\":[]}",
        code, number, slot->stopped, after->cpu_seconds - before->cpu_seconds, (long long)(peak > 0 ? peak : 0),
        (long long)(after->oom_kills - before->oom_kills), (long long)(after->forks_refused - before->forks_refused), hits,
        account->disk_full ? "true" : "false",
        (long long)started(slot, before->last_process, after->last_process),
        (long long)account->written, (long long)before->memory, slot->problem, slot->doubt);
}

/* What the program may have left in the network namespace, or in the observer's queue, is not for the next. */
static void clean_up(struct slot *slot) {
    if (asked_for_socket(slot))
        unshare(CLONE_NEWNET);
    if (!slot->noticed)
        drop_listener(slot);
}

/* Send the report to the host, by way of the observer if that has evidence to add. No trace of it stays in our memory. */
static int report(struct slot *slot, const struct account *account) {
    char text[REPORT_BYTES];
    struct level before = slot->level;
    slot->level = read_level(slot);
    if (!slot->memory_limit)
        slot->memory_limit = count(&slot->limit); /* the host sets it after we have reported our own need */
    find_doubt(slot, &slot->level);
    plain(slot->problem);
    plain(slot->stopped);
    int size = write_report(slot, account, &before, text, sizeof text);
    int to = slot->noticed || readable(slot->tripwires) ? slot->observer : slot->control;
    int sent = size < (int)sizeof text && send(to, text, (size_t)size, MSG_NOSIGNAL) == size;
    explicit_bzero(text, sizeof text);
    return sent ? 0 : -1;
}

/* Take the host's next message. Returns 1 if a program is to be started, 0 if the host has hung up. */
static int await_program(struct slot *slot, int *fds, int *count_fds) {
    for (;;) {
        char text[256];
        ssize_t size = receive(slot->control, text, sizeof text, fds, count_fds, 0);
        if (size <= 0)
            return 0;
        if (text[0] == 'R' && size == 17 && *count_fds >= 4) {
            uint64_t seconds;
            uint32_t disk_mib, processor;
            memcpy(&seconds, text + 1, 8);
            memcpy(&disk_mib, text + 9, 4);
            memcpy(&processor, text + 13, 4);
            seconds = be64toh(seconds);
            slot->disk_mib = be32toh(disk_mib);
            slot->processor = (int32_t)be32toh(processor);
            memcpy(&slot->cpu_limit, &seconds, 8);
            return 1;
        }
        for (int i = 0; i < *count_fds; i++) /* a K that came too late */
            close(fds[i]);
    }
}

/* The slot's description in C, by which jail.py checks its own: each field's name and offset, and the size at the end. */
struct field {
    const char *name;
    size_t offset;
};

#define FIELD(name) {#name, offsetof(struct slot, name)}
#define COUNTER(name) FIELD(name.fd), FIELD(name.key)

EXPORT const struct field slot_fields[] = {
    FIELD(control), FIELD(proc), FIELD(own_pid_namespace), FIELD(loadavg), FIELD(from_child), FIELD(tripwires),
    FIELD(observer), FIELD(listeners), FIELD(events), FIELD(counted), FIELD(to_parent), FIELD(to_observer),
    FIELD(uid), FIELD(gid),
    COUNTER(cpu), COUNTER(memory), COUNTER(peak), COUNTER(limit), COUNTER(limit_hits), COUNTER(oom_kills),
    COUNTER(forks_refused), COUNTER(processes),
    FIELD(cpu_unit), FIELD(inodes), FIELD(pid_max), FIELD(reserved_numbers), FIELD(filters), FIELD(filter_flags),
    FIELD(landlock_attributes), FIELD(landlock_size), FIELD(landlock_folders), FIELD(memory_bytes),
    FIELD(words), FIELD(words_size), FIELD(becomes_python),
    FIELD(init), FIELD(pid), FIELD(ended), FIELD(box), FIELD(account), FIELD(streams), FIELD(fitting),
    FIELD(has_listener), FIELD(noticed), FIELD(disk_mib), FIELD(processor), FIELD(cpu_limit), FIELD(look_at_cpu),
    FIELD(memory_limit), FIELD(stopped), FIELD(problem), FIELD(doubt), FIELD(cpus),
    FIELD(level.cpu_seconds), FIELD(level.memory), FIELD(level.peak), FIELD(level.limit_hits), FIELD(level.oom_kills),
    FIELD(level.forks_refused), FIELD(level.processes), FIELD(level.last_process),
    {"", sizeof(struct slot)},
};

/* Read the counters before the first program: the memory in use then is the slot's own. */
EXPORT void settle(struct slot *slot) {
    sched_getaffinity(0, sizeof slot->cpus, &slot->cpus);
    slot->level = read_level(slot);
    slot->memory_bytes = slot->level.memory;
}

/* Serve one program after the other. Returns GONE if the host has hung up, PROGRAM in the child, -1 if something of ours failed. */
EXPORT int serve(struct slot *slot) {
    for (;;) {
        int fds[MOST_FDS], count_fds;
        if (!await_program(slot, fds, &count_fds))
            return GONE;
        memset(slot->stopped, 0, sizeof slot->stopped);
        memset(slot->problem, 0, sizeof slot->problem);
        slot->box = slot->account = -1;
        slot->has_listener = slot->noticed = 0;
        slot->look_at_cpu = now() + POLL_MILLISECONDS * 1e-3;
        int pid = start(slot, fds, count_fds);
        if (pid <= 0)
            return pid < 0 ? -1 : PROGRAM;
        follow(slot);
        struct account account = end_everything(slot);
        clean_up(slot);
        if (report(slot, &account) < 0)
            return -1;
    }
}

/* --- before the first program: immortal.py ------------------------------------------------------------------------------ */

/* Give the count `forever` to those of `found` that lack it, and append them to `made`.
 *
 * Dicts that the collector does not follow yet are left out. Once such a dict holds something that may be part of a cycle, the collector
 * must follow it, but it skips immortal objects. Then `gc.get_referrers`, which Hypothesis uses, would not find the dict. */
EXPORT void make_immortal(struct object *found, struct object *made, int64_t forever) {
    for (ssize_t place = 0; place < PyList_Size(found); place++) {
        struct object *object = PyList_GetItem(found, place);
        if (object->references == forever || (object->type == &PyDict_Type && !PyObject_GC_IsTracked(object)))
            continue;
        object->references = forever;
        if (PyList_Append(made, object) < 0)
            return; /* with the interpreter's exception */
    }
}
