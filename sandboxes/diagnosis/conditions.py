"""Judges from facts which tiers a host can hold. Pure: `sandboxes.diagnosis.facts` collects them, `sandboxes.diagnosis.probing` tries.

Each `Condition` is one thing that tiers depend on, in one of four states. A tier may be tried if nothing that it depends on is
missing. If the facts leave something unknown, a trial decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sandboxes.interface import Tier

ALL = tuple(Tier)
JAIL = (Tier.JAIL,)
OURS = (Tier.JAIL, Tier.CONTAINER)
"""The tiers whose programs talk to the host's own kernel, through our filters."""
GVISOR = (Tier.GVISOR,)

OLDEST_API = (1, 41)
"""Docker 20.10: the first with cgroup v2 and private cgroup namespaces."""
OLDEST_KERNEL = (5, 3)
OLDEST_OBSERVER = (5, 9)
"""From here on the observer can answer a program with a descriptor, instead of only a refusal."""
LEAST_FREE_MIB = 1024
COMFORTABLE_FREE_MIB = 5 * 1024
COMFORTABLE_MEMORY_MIB = 2048
COMFORTABLE_INOTIFY = 128
"""Instances for all boxes of a user at once; each box has one."""
STRICTER = "or set ASSAY_MINIMUM_TIER=container"


class State(StrEnum):
    HELD = "held"
    WEAKER = "weaker"
    """Programs are held, but something else is less than it could be."""
    MISSING = "missing"
    """The tiers named cannot be held."""
    UNKNOWN = "unknown"
    """The facts do not decide it; a trial does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One thing that tiers depend on."""

    name: str
    state: State
    tiers: tuple[Tier, ...]
    """The tiers that depend on it."""
    says: str
    """The finding."""
    remedy: str = ""
    """The step that mends it; empty if there is nothing to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """A Docker engine's report about itself."""

    version: str
    api: tuple[int, ...]
    kernel: str
    architecture: str
    """The architecture as `uname -m` prints it."""
    system: str
    """Such as `Debian GNU/Linux 12 (bookworm)` or `Docker Desktop`."""
    cores: int
    memory_mib: int
    storage_driver: str
    data_folder: str
    log_driver: str
    live_restore: bool
    cgroup_version: int
    limits_memory: bool
    limits_swap: bool
    limits_processes: bool
    security: frozenset[str]
    """Names among `apparmor`, `cgroupns`, `rootless`, `seccomp`, `selinux`, `userns`."""
    runtimes: frozenset[str]
    local: bool
    """Reached over a unix socket, and its kernel is this process's kernel."""
    free_mib: int | None
    """Room in `data_folder`; None if it cannot be seen from here."""
    image: str
    """Id of the box image; empty if it was not built yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelFacts:
    """The abilities of the kernel under this process. It is the boxes' kernel only if the engine is local."""

    swap_mib: int
    controllers: frozenset[str]
    """The cgroup controllers; on v1 with `cpuacct`."""
    user_notification: bool
    """seccomp can ask an observer."""
    user_namespaces: int
    """How many may be made (user.max_user_namespaces)."""
    unprivileged_namespaces: bool
    """False if Debian's kernel.unprivileged_userns_clone is 0."""
    restricted_namespaces: bool
    """True if Ubuntu's kernel.apparmor_restrict_unprivileged_userns is 1."""
    landlock: int
    """Version of its ABI; 0 if the kernel has none."""
    inotify_instances: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    kernel: KernelFacts
    engine: EngineFacts | None
    """None if no engine answers."""
    engine_problem: str = ""
    runtime: str = "assay-runsc"
    """The name under which the engine must know gVisor."""
    runtime_settings: str = ""
    """The JSON that the engine's configuration needs for that; empty if gVisor is not installed here."""


def diagnose(facts: Facts) -> tuple[Condition, ...]:
    """Return what this host has and lacks, in the order in which it is best repaired."""
    engine = facts.engine
    if engine is None:
        return (
            _missing(
                "engine", ALL, f"no Docker engine answers{f': {facts.engine_problem}' if facts.engine_problem else ''}",
                "install and start it; on Debian or Ubuntu as root, `assay serve` does both",
            ),
        )  # fmt: skip
    found = (*_engine(engine), *_limits(engine), *_filters(engine), _runtime(engine, facts))
    kernel = _kernel(facts.kernel, engine) if engine.local else _kernel_unseen()
    return (*found, *kernel)


def lacking(conditions: Sequence[Condition], tier: Tier) -> tuple[Condition, ...]:
    """Return what is missing for that tier; empty if it may be tried."""
    return tuple(each for each in conditions if each.state is State.MISSING and tier in each.tiers)


def _engine(engine: EngineFacts) -> Iterator[Condition]:
    about = f"Docker {engine.version}, API {'.'.join(map(str, engine.api))}, {engine.storage_driver}"
    about += f", {engine.system}, {engine.cores} cores"
    if engine.api < OLDEST_API:
        yield _missing("engine", ALL, about, "upgrade to Docker 20.10 or newer")
    elif engine.storage_driver == "vfs":
        yield _weaker("engine", ALL, about, "use overlay2: vfs copies the image for every box")
    else:
        yield _held("engine", ALL, about)
    yield _place(engine)
    yield _architecture(engine)
    yield _identity(engine)
    live = "boxes outlive a restart of the engine" if engine.live_restore else "a restart of the engine ends all boxes"
    yield _held("restart", ALL, f"{live}; what was under way is run again")
    yield _held("log", ALL, f"boxes keep none (the engine's default is {engine.log_driver})")
    yield _room(engine)
    yield _memory(engine)
    if engine.image:
        yield _held("image", ALL, engine.image[:19])
    else:
        yield Condition(
            name="image", state=State.UNKNOWN, tiers=ALL, says="the box image was not built yet: nothing can be tried",
            remedy="`assay serve` builds it at its start",
        )  # fmt: skip


def _place(engine: EngineFacts) -> Condition:
    if engine.local and engine.free_mib is None:
        # Assay in a container that was given the engine's socket: folders that slots share with it are not the engine's.
        return _unknown("local engine", JAIL, f"on this kernel, but with other files: {engine.data_folder} is not here")
    if engine.local:
        return _held("local engine", JAIL, "over a unix socket, on this kernel")
    return _missing(
        "local engine", JAIL, f"the engine runs elsewhere ({engine.system}, kernel {engine.kernel})",
        f"run Assay beside the engine (on Docker Desktop: in its virtual machine), {STRICTER}",
    )  # fmt: skip


def _architecture(engine: EngineFacts) -> Condition:
    if engine.architecture in ("x86_64", "aarch64"):
        return _held("architecture", ALL, engine.architecture)
    says = f"{engine.architecture}: the system call filter has no numbers for it"
    return _missing("architecture", ALL, says, "use a host with x86_64 or aarch64 (arm64)")


def _identity(engine: EngineFacts) -> Condition:
    """Return whose rights the engine's containers have on the host."""
    if "rootless" in engine.security:
        return Condition(
            name="identity", state=State.UNKNOWN, tiers=ALL, says="a rootless engine; not tested by Assay's authors",
            remedy="look at what `assay doctor` tried below",
        )  # fmt: skip
    if "userns" in engine.security:
        says = "userns-remap: the slots' folder on this host may be closed to their mapped user"
        return Condition(
            name="identity", state=State.UNKNOWN, tiers=JAIL, says=says, remedy=f"switch userns-remap off, {STRICTER}"
        )
    return _held("identity", ALL, "an engine of root; boxes run as a user without rights")


def _room(engine: EngineFacts) -> Condition:
    if engine.free_mib is None:
        return _unknown("disk", ALL, f"{engine.data_folder} cannot be seen from here")
    says = f"{engine.free_mib} MiB free in {engine.data_folder}"
    if engine.free_mib < LEAST_FREE_MIB:
        return _missing(
            "disk", ALL, says, f"make {LEAST_FREE_MIB} MiB of room there; `docker system df` shows who has it"
        )
    if engine.free_mib < COMFORTABLE_FREE_MIB:
        return _weaker("disk", ALL, says, f"an update of the box image wants {COMFORTABLE_FREE_MIB} MiB of room there")
    return _held("disk", ALL, says)


def _memory(engine: EngineFacts) -> Condition:
    says = f"{engine.memory_mib} MiB"
    if engine.memory_mib < COMFORTABLE_MEMORY_MIB:
        return _weaker("memory", ALL, says, "few boxes fit at once: set ASSAY_WORKERS=1")
    return _held("memory", ALL, says)


def _limits(engine: EngineFacts) -> Iterator[Condition]:
    version = f"cgroup v{engine.cgroup_version}"
    wanted = {"memory": engine.limits_memory, "processes": engine.limits_processes}
    lacks = [name for name, has in wanted.items() if not has]
    if lacks:
        remedy = "boot with cgroup_enable=memory"
        if "rootless" in engine.security:
            remedy = "a rootless engine needs cgroup v2 with the controllers cpu, memory and pids delegated by systemd"
        yield _missing("limits", ALL, f"{version} without limits for {' and '.join(lacks)}", remedy)
    else:
        yield _held("limits", ALL, f"{version}: memory and processes")


def _filters(engine: EngineFacts) -> Iterator[Condition]:
    if "seccomp" in engine.security:
        yield _held("seccomp", OURS, "the engine filters system calls")
    else:
        yield _missing("seccomp", OURS, "the engine filters no system calls", "use a kernel and an engine with seccomp")
    # The engine's profile for containers denies mount(2), so slots run without it.
    if "apparmor" in engine.security:
        yield _held("security module", JAIL, "AppArmor is on; a jail leaves the engine's profile for containers off")
    elif "selinux" in engine.security:
        yield _unknown("security module", JAIL, "SELinux is on, and may close the slots' folder to them")
    else:
        yield _held("security module", JAIL, "none that stands in the way")


def _runtime(engine: EngineFacts, facts: Facts) -> Condition:
    if facts.runtime in engine.runtimes:
        return _held("runtime", GVISOR, facts.runtime)
    if not facts.runtime_settings:
        return _missing(
            "runtime", GVISOR, "gVisor is not installed",
            "install it (on Debian: apt-get install runsc); Assay tells an engine that it started of it, and `assay doctor` "
            "says then what to tell another",
        )  # fmt: skip
    return _missing(
        "runtime", GVISOR, f"gVisor is installed, and the engine has no runtime {facts.runtime}",
        f"Assay tells an engine that it started, when it starts itself; tell another in three steps: put "
        f"{facts.runtime_settings} into /etc/docker/daemon.json, beside what is there; have the engine read it with "
        "`systemctl reload docker` (without systemd: `kill -HUP $(cat /var/run/docker.pid)`), which ends no container; "
        f"look whether `docker info` names {facts.runtime}",
    )  # fmt: skip


def _kernel(kernel: KernelFacts, engine: EngineFacts) -> Iterator[Condition]:
    if release(engine.kernel) < OLDEST_KERNEL:
        yield _missing("kernel", JAIL, f"{engine.kernel} has no pidfd_open(2)", f"use Linux 5.3 or newer, {STRICTER}")
    else:
        yield _held("kernel", JAIL, engine.kernel)
    yield _swap(kernel, engine)
    yield _accounting(kernel, engine)
    yield _namespaces(kernel)
    if kernel.user_notification and release(engine.kernel) >= OLDEST_OBSERVER:
        yield _held("evidence", OURS, f"kernel {engine.kernel} tells of what programs try")
    else:
        says = f"kernel {engine.kernel} refuses without telling: no evidence of behaviour"
        yield _weaker("evidence", OURS, says, "use Linux 5.9 or newer")
    if kernel.landlock:
        yield _held("Landlock", OURS, f"ABI {kernel.landlock}")
    else:
        yield _weaker(
            "Landlock", OURS, "not in this kernel: one lock fewer", "boot with lsm=landlock,... on Linux 5.13+"
        )
    if kernel.inotify_instances < COMFORTABLE_INOTIFY:
        says = f"{kernel.inotify_instances} inotify instances for a user"
        remedy = f"sysctl fs.inotify.max_user_instances={COMFORTABLE_INOTIFY}"
        yield _weaker("inotify", OURS, says, remedy)
    else:
        yield _held("inotify", OURS, f"{kernel.inotify_instances} instances for a user")


def _kernel_unseen() -> Iterator[Condition]:
    yield _unknown("kernel", ALL, "it cannot be looked at from here, because the engine runs elsewhere")


def _swap(kernel: KernelFacts, engine: EngineFacts) -> Condition:
    if engine.limits_swap or kernel.swap_mib == 0:
        return _held("swap", ALL, "limited with memory" if engine.limits_swap else "there is none")
    return _missing(
        "swap", ALL, f"{kernel.swap_mib} MiB that programs could take beyond their memory limit",
        "switch it off (swapoff -a), or boot with swapaccount=1",
    )  # fmt: skip


def _accounting(kernel: KernelFacts, engine: EngineFacts) -> Condition:
    version = release(engine.kernel)
    if engine.cgroup_version == 1 and "cpuacct" not in kernel.controllers:
        remedy = "boot without cgroup_disable=cpuacct"
        return _missing("accounting", ALL, "cgroup v1 without cpuacct: the kernel does not count CPU time", remedy)
    if engine.cgroup_version == 2 and version < (5, 19):
        says = f"kernel {engine.kernel} keeps no peak of memory in cgroup v2"
        return _weaker("accounting", ALL, says, "use Linux 5.19 or newer")
    if engine.cgroup_version == 2 and version < (6, 12):
        says = f"kernel {engine.kernel} cannot reset the peak of memory, which a slot shares between its runs"
        return _weaker("accounting", JAIL, says, "use Linux 6.12 or newer")
    return _held("accounting", ALL, f"CPU and peak memory of a whole box, kernel {engine.kernel}")


def _namespaces(kernel: KernelFacts) -> Condition:
    if kernel.user_namespaces == 0:
        remedy = f"sysctl user.max_user_namespaces=10000, {STRICTER}"
        return _missing("user namespaces", JAIL, "none may be made (user.max_user_namespaces is 0)", remedy)
    if not kernel.unprivileged_namespaces:
        remedy = f"sysctl kernel.unprivileged_userns_clone=1, {STRICTER}"
        return _missing("user namespaces", JAIL, "only root may make them", remedy)
    if kernel.restricted_namespaces:
        remedy = f"sysctl kernel.apparmor_restrict_unprivileged_userns=0, {STRICTER}"
        return _missing("user namespaces", JAIL, "AppArmor takes their rights away (Ubuntu 23.10 and newer)", remedy)
    return _held("user namespaces", JAIL, f"{kernel.user_namespaces} may be made")


def release(kernel: str) -> tuple[int, int]:
    """`6.18.44-fc` -> (6, 18); (0, 0) for anything else."""
    words = kernel.split(".")
    if len(words) < 2 or not words[0].isdecimal():
        return (0, 0)
    minor = "".join(character for character in words[1].partition("-")[0] if character.isdecimal())
    return (int(words[0]), int(minor or 0))


def _held(name: str, tiers: tuple[Tier, ...], says: str) -> Condition:
    return Condition(name=name, state=State.HELD, tiers=tiers, says=says)


def _weaker(name: str, tiers: tuple[Tier, ...], says: str, remedy: str) -> Condition:
    return Condition(name=name, state=State.WEAKER, tiers=tiers, says=says, remedy=remedy)


def _missing(name: str, tiers: tuple[Tier, ...], says: str, remedy: str) -> Condition:
    return Condition(name=name, state=State.MISSING, tiers=tiers, says=says, remedy=remedy)


def _unknown(name: str, tiers: tuple[Tier, ...], says: str) -> Condition:
    return Condition(name=name, state=State.UNKNOWN, tiers=tiers, says=says, remedy="see what was tried below")
