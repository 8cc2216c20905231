"""Tiers `container` and `gvisor`: a fresh, hardened container for every execution, through the Docker SDK.

Theory of operation
-------------------
A container is made, attached to and started ahead of its use (`sandboxes/container/prepared.py`), takes one program, and is removed with
force. `sandboxes/engine/hardening.py` locks it down, `sandboxes/container/program.py` talks to it. Tier gvisor differs in
its runtime, and in the room that gVisor's own kernel needs in the container's limits.

A failure before a program has begun is repaired here and stays unseen: a ready container that died is replaced, and an engine that
does not answer is retried. A later failure is a SandboxError, because a program is not begun twice.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from docker import DockerClient

from sandboxes.container.prepared import PreparedContainers
from sandboxes.container.program import BoxLostError, ContainerProgram, RelayedLine, Shape
from sandboxes.engine import gvisor
from sandboxes.engine.hardening import host_config
from sandboxes.engine.remover import Remover
from sandboxes.engine.retry import PATIENCE_SECONDS, BoxImage, create_with_retry
from sandboxes.engine.seccomp_profile import profile
from sandboxes.engine.sweep import labels, new_mark
from sandboxes.engine.users import BoxUsers
from sandboxes.interface import Command, Execution, Tier
from sandboxes.running_program import Poller

READY = 2
"""Containers kept ready; each holds some 10 MiB, in tier gvisor 40."""
BEGINNINGS = 3
"""How many boxes may be lost, one after the other, before their program has begun."""
SUPERVISOR_PROCESSES = 1


class ContainerSandbox(AbstractContextManager["ContainerSandbox"]):
    """Runs every program in a container of its own. Thread-safe; one instance serves all workers of a process.

    A context manager: leaving it removes all that is kept ready.
    """

    def __init__(
        self,
        client: DockerClient,
        image: str,
        *,
        tier: Tier = Tier.CONTAINER,
        ready: int = READY,
        restore: Callable[[], str] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Start only the thread that makes containers ahead.

        Args:
            client: of the engine; has to outlive this object.
            image: the id of the box image.
            tier: CONTAINER or GVISOR, whose runtime the engine has to know.
            ready: how many containers are kept ready.
            restore: makes the box image again if the engine has lost it, and returns its id.
            patience_seconds: how long to wait for an engine that does not answer.
        """
        if tier is Tier.JAIL:
            raise ValueError("a container of its own is tier container or gvisor")
        self._client = client
        self._image = BoxImage(image, restore)
        self._tier = tier
        self._patience_seconds = patience_seconds
        self._closing = threading.Event()
        self._users = BoxUsers(client)
        self._remover = Remover(client)
        self._ready = PreparedContainers(lambda shape: self._make(self._image.id, shape), self.discard, ready)

    @property
    def name(self) -> str:
        return f"{self._tier}@{self._image.id}"

    @contextmanager
    def session(self) -> Iterator["ContainerSession"]:
        session = ContainerSession(self)
        try:
            yield session
        finally:
            wait(session.removals, timeout=self._patience_seconds)

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what is kept ready, and wait for it."""
        self._ready.close()
        self._closing.set()
        self._remover.close()

    # --- for the session ------------------------------------------------------------------------------------------------

    def begin(
        self, command: Command, attention: Poller, *, channel: bool, line: RelayedLine | None = None
    ) -> ContainerProgram:
        """Return a box in which this program has just begun. Raises SandboxError."""
        shape = Shape.of(command.limits)
        lost = 0
        while True:
            box = self._take(shape)
            try:
                box.begin(command, attention, channel=channel, line=line)
            except BoxLostError:
                self.discard(box)
                lost += 1
                if lost == BEGINNINGS:
                    raise
            except BaseException:
                self.discard(box)
                raise
            else:
                return box

    def discard(self, box: ContainerProgram) -> "Future[None]":
        """Have a container removed, even if its program runs; the future is done when it is gone."""
        box.disconnect()
        return self._remover.remove(box.container)

    # --- making and removing ----------------------------------------------------------------------------------------------

    def _take(self, shape: Shape) -> ContainerProgram:
        while (box := self._ready.take(shape)) is not None:
            if box.waits():
                return box
            self.discard(box)
        return create_with_retry(
            lambda image: self._make(image, shape), self._image, self._closing, self._patience_seconds
        )

    def _make(self, image: str, shape: Shape) -> ContainerProgram:
        """Return a container that waits for its program. Raises the engine SDK's errors."""
        mark = new_mark()
        try:
            container = self._users.create(lambda user: self._configure(image, shape, mark, user))
        except BaseException:
            self._remover.remove_marked(mark)  # the engine may have made it and died before it answered
            raise
        box = ContainerProgram(self._client, container, shape)
        try:
            box.connect()
        except BaseException:
            self.discard(box)
            raise
        return box

    def _configure(self, image: str, shape: Shape, mark: str, user: str) -> Mapping[str, Any]:
        config: dict[str, Any] = self._client.api.create_container_config(
            image=image,
            command=None,
            user="0:0" if self._tier is Tier.GVISOR else user,  # root of gVisor's kernel; the program is not
            hostname="box",
            stdin_open=True,
            tty=False,
            labels=labels(mark),
            stop_signal="SIGKILL",  # an engine that is stopped need not wait: nothing in here has anything to save
            host_config=self._host_config(shape),
            network_disabled=True,
        )
        # When this process dies, the engine closes the box's stdin, and the supervisor ends everything by itself.
        config["StdinOnce"] = True
        return config

    def _host_config(self, shape: Shape) -> dict[str, Any]:
        api = self._client.api
        if self._tier is Tier.GVISOR:
            return gvisor.host_config(
                api,
                memory_mib=shape.memory_mib,
                processes=shape.processes + SUPERVISOR_PROCESSES,
                disk_mib=shape.disk_mib,
            )
        return host_config(
            api,
            memory_mib=shape.memory_mib,
            processes=shape.processes + SUPERVISOR_PROCESSES,
            disk_mib=shape.disk_mib,
            seccomp=profile(namespaces=False),
        )


class ContainerSession:
    """The executions of one submission; each is a container of its own, so there is nothing to reset."""

    def __init__(self, sandbox: ContainerSandbox) -> None:
        self._sandbox = sandbox
        self.removals: list[Future[None]] = []
        """Done when the containers of this session are gone."""

    def run(self, command: Command) -> Execution:
        with self._box(command, Poller(), channel=False) as box:
            box.wait()
            return box.finish()

    @contextmanager
    def converse(self, command: Command) -> Iterator[ContainerProgram]:
        with self._box(command, Poller(), channel=True) as box:
            yield box

    @contextmanager
    def pair(self, first: Command, second: Command) -> Iterator[tuple[ContainerProgram, ContainerProgram]]:
        attention, line = Poller(), RelayedLine()
        with (
            self._box(first, attention, channel=True, line=line) as one,
            self._box(second, attention, channel=True, line=line) as other,
        ):
            yield one, other

    @contextmanager
    def _box(
        self, command: Command, attention: Poller, *, channel: bool, line: RelayedLine | None = None
    ) -> Iterator[ContainerProgram]:
        box = self._sandbox.begin(command, attention, channel=channel, line=line)
        try:
            yield box
        finally:
            self.removals.append(self._sandbox.discard(box))
