"""The sandbox of each tier, opened once for all attacks on it, so that what one attack leaves meets the next."""

from collections.abc import Iterator

import pytest

from sandboxes.engine import connection, images
from sandboxes.interface import Sandbox, Tier
from tests.adversarial.box.tiers import TIERS, opened


@pytest.fixture(scope="session", params=TIERS, ids=str)
def tier(request: pytest.FixtureRequest) -> Tier:
    return request.param


@pytest.fixture(scope="session")
def tier_sandbox(tier: Tier) -> Iterator[Sandbox]:
    client = connection.connect()
    try:
        with opened(tier, client, images.ensure(client, print)) as sandbox:
            yield sandbox
    finally:
        client.close()
