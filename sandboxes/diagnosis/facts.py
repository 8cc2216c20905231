"""Collects the facts that `sandboxes.diagnosis.conditions` judges, from this host's kernel and from the Docker engine."""

import ctypes
import json
import platform
import shutil
from pathlib import Path

from docker import DockerClient

from sandboxes.diagnosis.conditions import EngineFacts, Facts, KernelFacts
from sandboxes.engine import gvisor, images
from sandboxes.engine.sweep import ENGINE_ERRORS
from sandboxes.interface import SandboxError

_LANDLOCK_CREATE_RULESET = 444
"""The number of the system call, the same on every architecture."""
_LANDLOCK_VERSION = 1
"""The call's flag that asks for the ABI's version only."""


def collect(client: DockerClient, base_image: str = "") -> Facts:
    """Return the facts about this host and this engine. Raises SandboxError if the engine does not answer."""
    try:
        version = client.version()
        info = client.info()
    except ENGINE_ERRORS as error:
        raise SandboxError("the Docker engine does not report its version and settings", error=error) from error
    local = str(client.api.base_url).startswith("http+docker://") and info["KernelVersion"] == platform.release()
    folder = Path(info["DockerRootDir"])
    engine = EngineFacts(
        version=str(info["ServerVersion"]),
        api=tuple(int(number) for number in version["ApiVersion"].split(".")),
        kernel=str(info["KernelVersion"]),
        architecture=str(info["Architecture"]),
        system=str(info["OperatingSystem"]),
        cores=int(info["NCPU"]),
        memory_mib=int(info["MemTotal"]) >> 20,
        storage_driver=str(info["Driver"]),
        data_folder=str(folder),
        log_driver=str(info["LoggingDriver"]),
        live_restore=bool(info["LiveRestoreEnabled"]),
        cgroup_version=int(info.get("CgroupVersion", 1)),
        limits_memory=bool(info["MemoryLimit"]),
        limits_swap=bool(info["SwapLimit"]),
        limits_processes=bool(info.get("PidsLimit", False)),
        security=frozenset(_security(option) for option in info.get("SecurityOptions") or ()),
        runtimes=frozenset(info.get("Runtimes") or ()),
        local=local,
        free_mib=shutil.disk_usage(folder).free >> 20 if local and folder.is_dir() else None,
        image=images.find(client, base_image) or "",
    )
    runtimes = gvisor.runtimes()
    return Facts(
        kernel=kernel_facts(),
        engine=engine,
        runtime=gvisor.RUNTIME,
        runtime_settings=json.dumps({"runtimes": runtimes}) if runtimes else "",
    )


def without_engine(problem: str) -> Facts:
    """Return the facts about this host if no engine answers."""
    return Facts(kernel=kernel_facts(), engine=None, engine_problem=problem)


def kernel_facts() -> KernelFacts:
    """Return the abilities of the kernel under this process."""
    return KernelFacts(
        swap_mib=_swap_kib() >> 10,
        controllers=_controllers(),
        user_notification="user_notif" in _text("/proc/sys/kernel/seccomp/actions_avail").split(),
        user_namespaces=_number("/proc/sys/user/max_user_namespaces", 0),
        unprivileged_namespaces=_number("/proc/sys/kernel/unprivileged_userns_clone", 1) == 1,
        restricted_namespaces=_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0) == 1,
        landlock=_landlock(),
        inotify_instances=_number("/proc/sys/fs/inotify/max_user_instances", 0),
    )


def apparmor() -> bool:
    """Return whether AppArmor is in this kernel, and on."""
    return _text("/sys/module/apparmor/parameters/enabled").strip() == "Y"


def _security(option: str) -> str:
    """`name=seccomp,profile=default` -> `seccomp`."""
    return option.partition(",")[0].removeprefix("name=")


def _swap_kib() -> int:
    lines = (line.split() for line in _text("/proc/meminfo").splitlines())
    return next((int(words[1]) for words in lines if words[0] == "SwapTotal:"), 0)


def _controllers() -> frozenset[str]:
    unified = _text("/sys/fs/cgroup/cgroup.controllers").split()
    # v1: a line each in /proc/cgroups, whose last column is 1 if it is enabled
    rows = (line.split() for line in _text("/proc/cgroups").splitlines() if not line.startswith("#"))
    return frozenset(unified) | {row[0] for row in rows if row[-1] == "1"}


def _landlock() -> int:
    call = ctypes.CDLL(None, use_errno=True).syscall
    version = call(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_LANDLOCK_VERSION))
    return max(0, int(version))


def _text(path: str) -> str:
    """Return a file's text; empty if this host lacks the file (macOS, another kernel)."""
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""


def _number(path: str, otherwise: int) -> int:
    text = _text(path).strip()
    return int(text) if text.isdecimal() else otherwise
