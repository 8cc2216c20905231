"""The sandboxes of this process, one for each tier that it offers, opened when they are first needed."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from threading import Lock

from docker import DockerClient

from sandboxes.container.sandbox import ContainerSandbox
from sandboxes.interface import Sandbox, SandboxError, Tier
from sandboxes.jail.sandbox import IDLE_SLOTS, JailSandbox

Open = Callable[[], AbstractContextManager[Sandbox]]


def strictest(first: Tier, *others: Tier) -> Tier:
    """Return the strictest of these tiers."""
    order = list(Tier)
    return max((first, *others), key=order.index)


def adapters(
    client: DockerClient, image: str, restore: Callable[[], str] | None = None, *, idle_slots: int = IDLE_SLOTS
) -> dict[Tier, Open]:
    """Return a function for each tier that makes its sandbox on this engine.

    `image` is the box image's id; `restore` makes the image again if the engine has lost it, and returns the new id.
    `idle_slots`: how many slots of tier jail are kept when nothing runs.
    """
    return {
        Tier.JAIL: lambda: JailSandbox(client, image, restore=restore, idle_slots=idle_slots),
        Tier.CONTAINER: lambda: ContainerSandbox(client, image, restore=restore),
        Tier.GVISOR: lambda: ContainerSandbox(client, image, tier=Tier.GVISOR, restore=restore),
    }


class Tiers(AbstractContextManager["Tiers"]):
    """Thread-safe. Closing it closes every sandbox that was opened; it is a context manager."""

    def __init__(self, open: Mapping[Tier, Open]) -> None:
        """`open`: how the sandbox of each offered tier is made; at least one."""
        self.offered = tuple(tier for tier in Tier if tier in open)
        """Weakest first."""
        self._open = dict(open)
        self._opened: dict[Tier, Sandbox] = {}
        self._stack = ExitStack()
        self._lock = Lock()

    def at_least(self, tier: Tier) -> Sandbox:
        """Return the sandbox of the weakest offered tier that is at least as strict as this one.

        Raises SandboxError if none is, or if it cannot be opened (the next call tries again).
        """
        fitting = [offered for offered in self.offered if offered.at_least(tier)]
        if not fitting:
            offers = ", ".join(self.offered)
            raise SandboxError(f"tier {tier} is wanted, and this host offers {offers} (`assay doctor` says why)")
        chosen = fitting[0]
        with self._lock:  # two threads that need it first must not both open it
            if chosen not in self._opened:
                self._opened[chosen] = self._stack.enter_context(self._open[chosen]())
            return self._opened[chosen]

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._lock:
            self._opened.clear()
            self._stack.close()
