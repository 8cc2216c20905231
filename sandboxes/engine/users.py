"""A kernel user for each box, so that the kernel's limits per user hold for that box alone.

Descriptors under way over a socket, pages of pipes, pending signals, watches on files and on descriptors, keys, processes:
each has a limit per user. If two boxes shared a user, a program that exhausts one of these would take it from the other box. So
no two containers of an engine have the same user, whatever service or tier they belong to. The container's name is the lock: the
engine lets only one container at a time have a name.

In tier gvisor programs make no call of the host's kernel, so they cannot exhaust what gVisor's processes share there.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from docker import DockerClient
from docker.errors import APIError

from sandboxes.interface import SandboxError

IDS = range(1_900_000_000, 1_900_100_000)
"""Users and groups of boxes. No other software is known to use numbers from this range: users of a host are below 60,000, those of
containers of systemd and of subordinate ranges (subuid(5)) below 1,879,048,192."""
REMAPPED_IDS = range(10_000, 60_000)
"""The same inside an engine that gives its containers other users itself (`userns-remap`, rootless): it has 65,536 of them."""
TRIES = 100
"""Enough: 100 random numbers in a row are never taken by chance."""


class BoxUsers:
    """Makes containers of one engine, each with a user of its own. Thread-safe."""

    def __init__(self, client: DockerClient) -> None:
        """Ask the engine nothing yet."""
        self._client = client
        self._ids: range | None = None
        self._lock = threading.Lock()

    def create(self, configure: Callable[[str], Mapping[str, Any]]) -> str:
        """Create a container and return its id.

        `configure` gets the user as the engine takes it (`1900000001:1900000001`) and returns the container's configuration.
        Raises the engine SDK's errors, and SandboxError if no number is free.
        """
        ids = self._range()
        for _ in range(TRIES):
            user = ids[secrets.randbelow(len(ids))]
            config = configure(f"{user}:{user}")
            try:
                return str(self._client.api.create_container_from_config(config, f"assay-{user}")["Id"])
            except APIError as error:
                if error.status_code != HTTPStatus.CONFLICT:
                    raise
        raise SandboxError(
            f"no user from {ids.start} to {ids.stop - 1} is free for a box: remove containers named assay-*"
        )

    def _range(self) -> range:
        with self._lock:
            if self._ids is None:
                options = self._client.info().get("SecurityOptions") or []
                remapped = any(option.startswith(("name=userns", "name=rootless")) for option in options)
                self._ids = REMAPPED_IDS if remapped else IDS
            return self._ids
