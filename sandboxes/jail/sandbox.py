"""Tier `jail`: a fork of a ready interpreter for every execution, locked in by itself, in long-lived hardened containers.

Theory of operation: docs/explanation/sandbox.md. The other side of the connection: sandboxes/inside/zygote.py.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial

from docker import DockerClient

from sandboxes.engine.remover import Remover
from sandboxes.engine.retry import PATIENCE_SECONDS, BoxImage, create_with_retry
from sandboxes.engine.users import BoxUsers
from sandboxes.interface import Command, Execution, SandboxError
from sandboxes.jail.cpu_pinning import ANY_PROCESSOR, PairPinning
from sandboxes.jail.program import JailedProgram
from sandboxes.jail.slot import Slot, SlotKey
from sandboxes.running_program import Poller

RUNS_PER_SLOT = 1000
"""After this many programs a slot is replaced, even if it is in order."""
IDLE_SLOTS = 8
"""Kept ready when nothing runs; the least recently used go first."""


class JailSandbox(AbstractContextManager["JailSandbox"]):
    """Runs every program in a fork of a zygote. Thread-safe; one instance serves all workers of a process.

    A slot runs one program at a time. Slots are made when none is free and are kept for the next program of the same kind.
    """

    def __init__(
        self,
        client: DockerClient,
        image: str,
        *,
        idle_slots: int = IDLE_SLOTS,
        runs_per_slot: int = RUNS_PER_SLOT,
        restore: Callable[[], str] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Start nothing yet.

        Args:
            client: of a local engine; has to outlive this object.
            image: id of the box image.
            idle_slots: how many slots are kept ready when nothing runs.
            runs_per_slot: how many programs a slot runs before it is replaced.
            restore: makes the box image again if the engine has lost it, and returns its id.
            patience_seconds: how long to wait for an engine that does not answer.
        """
        self._client = client
        self._image = BoxImage(image, restore)
        self._patience_seconds = patience_seconds
        self._idle_slots = idle_slots
        self._runs_per_slot = runs_per_slot
        self._idle: list[Slot] = []  # the least recently used first
        self._lock = threading.Lock()
        self.processors = PairPinning()
        self._closing = threading.Event()
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="slots")
        self._users = BoxUsers(client)
        self._remover = Remover(client)

    @property
    def name(self) -> str:
        return f"jail@{self._image.id}"

    @contextmanager
    def session(self) -> Iterator["JailSession"]:
        yield JailSession(self)

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove all idle slots; those in use are removed when their program ends."""
        with self._lock:
            self._closing.set()
            idle, self._idle = self._idle, []
        self._background.shutdown()
        for slot in idle:
            slot.close()
        self._remover.close()

    @contextmanager
    def jailed(
        self,
        command: Command,
        attention: Poller,
        *,
        channel: bool,
        line: socket.socket | None = None,
        processor: int = ANY_PROCESSOR,
    ) -> Iterator[JailedProgram]:
        """Run a program in a slot; the slot is free again, or removed, when the context is left."""
        slot = self._take(SlotKey.of(command))
        doubt = "it was not used well"
        try:
            jailed = JailedProgram(slot, command, attention, channel=channel, line=line, processor=processor)
            try:
                yield jailed
            finally:
                doubt = jailed.close()
        finally:
            self._give_back(slot, doubt)

    # --- the pool -----------------------------------------------------------------------------------------------------

    def _take(self, key: SlotKey) -> Slot:
        while True:
            with self._lock:
                slot = next((slot for slot in reversed(self._idle) if slot.key == key), None)
                if slot is not None:
                    self._idle.remove(slot)
            if slot is None:
                return self._make(key)
            if slot.alive():
                return slot
            slot.close()

    def _give_back(self, slot: Slot, doubt: str) -> None:
        slot.runs += 1
        worn = doubt or slot.runs >= self._runs_per_slot
        with self._lock:
            keep = not worn and not self._closing.is_set()
            if keep:
                self._idle.append(slot)
            surplus = [self._idle.pop(0) for _ in range(len(self._idle) - self._idle_slots)]
        for unused in surplus if keep else [*surplus, slot]:
            unused.close()
        if worn and not self._closing.is_set():
            self._replace(slot.key)

    def _replace(self, key: SlotKey) -> None:
        """Make a slot in the background for the next program of this kind."""
        with suppress(RuntimeError):
            self._background.submit(self._make_ready, key)

    def _make(self, key: SlotKey) -> Slot:
        make = partial(Slot, self._client, key=key, users=self._users, remover=self._remover)
        return create_with_retry(make, self._image, self._closing, self._patience_seconds)

    def _make_ready(self, key: SlotKey) -> None:
        with suppress(SandboxError):  # the next program makes one itself, and raises the error
            slot = self._make(key)
            with self._lock:
                if not self._closing.is_set():
                    self._idle.append(slot)
                    return
            slot.close()


class JailSession:
    """The executions of one submission. Each has a box of its own, so there is nothing to reset between them."""

    def __init__(self, sandbox: JailSandbox) -> None:
        self._sandbox = sandbox

    def run(self, command: Command) -> Execution:
        with self._sandbox.jailed(command, Poller(), channel=False) as jailed:
            jailed.wait()
            return jailed.finish()

    @contextmanager
    def converse(self, command: Command) -> Iterator[JailedProgram]:
        with self._sandbox.jailed(command, Poller(), channel=True) as jailed:
            yield jailed

    @contextmanager
    def pair(self, first: Command, second: Command) -> Iterator[tuple[JailedProgram, JailedProgram]]:
        attention = Poller()
        one_end, other_end = socket.socketpair()
        with (
            one_end,
            other_end,
            self._sandbox.processors.pin() as processor,
            self._sandbox.jailed(first, attention, channel=True, line=one_end, processor=processor) as one,
            self._sandbox.jailed(second, attention, channel=True, line=other_end, processor=processor) as other,
        ):
            yield one, other
