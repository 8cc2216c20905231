"""The tiers that the hostile suite and its benchmarks run on. This is the only place that names them."""

from contextlib import AbstractContextManager

from docker import DockerClient

from sandboxes.interface import Sandbox, Tier
from sandboxes.tiers import adapters

TIERS = tuple(Tier)


def opened(tier: Tier, client: DockerClient, image: str) -> AbstractContextManager[Sandbox]:
    """A real sandbox of this tier. Where it cannot be had this raises: nothing is skipped."""
    return adapters(client, image)[tier]()


SEES = frozenset({Tier.JAIL, Tier.CONTAINER})
"""The tiers that tell what they refused. gVisor's kernel answers by itself and tells nothing."""
