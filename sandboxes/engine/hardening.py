"""The lock-down that all our containers share. None of it can be reached from a request.

No network, a read-only root, one size-limited tmpfs, all capabilities dropped, no new privileges, private ipc, memory
without swap, a pids limit, no core files, no log kept by the engine. The user is the image's own, which is not root.
"""

from collections.abc import Sequence
from typing import Any

from docker.api import APIClient
from docker.types import Ulimit

from sandboxes.inside.program import INODES


def host_config(
    api: APIClient,
    *,
    memory_mib: int,
    processes: int,
    disk_mib: int,
    runtime: str = "",
    seccomp: str = "",
    apparmor: str = "",
    binds: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the engine's host configuration of a container.

    Args:
        api: the low-level client, which knows the engine's version.
        memory_mib: of the whole container, without swap.
        processes: of the whole container, those of ours in it included.
        disk_mib: size of the tmpfs at /box, and again of /dev/shm.
        runtime: a runtime that the engine knows; empty for its default.
        seccomp: a profile as JSON (not a path); empty for the engine's default.
        apparmor: a profile that the host has loaded, or `unconfined`; empty for the engine's default. Ignored without AppArmor.
        binds: `source:target:mode` of folders of the host that the container sees.
    """
    profiles = [f"{name}={value}" for name, value in (("seccomp", seccomp), ("apparmor", apparmor)) if value]
    config: dict[str, Any] = api.create_host_config(
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges", *profiles],
        ipc_mode="private",
        mem_limit=memory_mib << 20,
        memswap_limit=memory_mib << 20,
        pids_limit=processes,
        tmpfs={"/box": f"rw,nosuid,nodev,exec,mode=1777,size={disk_mib}m,nr_inodes={INODES}"},
        shm_size=disk_mib << 20,
        ulimits=[
            Ulimit(name="core", soft=0, hard=0),
            Ulimit(name="nofile", soft=512, hard=512),
            # 0, because some kernels would not count locked memory against the program
            Ulimit(name="memlock", soft=0, hard=0),
        ],
        log_config={"Type": "none"},
        binds=list(binds) or None,
        runtime=runtime or None,
    )
    return config
