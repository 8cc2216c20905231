"""The tiers that the hostile suite and its benchmarks run on. This is the only place that names them."""

from collections.abc import Iterator
from contextlib import contextmanager

from sandboxes import engine, images
from sandboxes.interface import Sandbox, Tier
from sandboxes.tiers import adapters

TIERS = (Tier.JAIL, Tier.CONTAINER)


@contextmanager
def opened(tier: Tier) -> Iterator[Sandbox]:
    """A real sandbox of this tier, on the engine that runs. Where it cannot be had this raises: nothing is skipped."""
    client = engine.connect()
    try:
        with adapters(client, images.ensure(client, print))[tier]() as sandbox:
            yield sandbox
    finally:
        client.close()


SEES = frozenset({Tier.JAIL})
"""The tiers that tell what they refused. gVisor's kernel answers by itself and tells nothing."""
