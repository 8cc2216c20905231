"""Where the host's mirror has no newer release of Debian, the box gets the host's own: with an older Python, and all else as ever."""

import platform
from collections.abc import Iterator

import pytest
from docker import DockerClient

from graders.drivers import PYTEST
from sandboxes.conformance import checks
from sandboxes.engine import images
from sandboxes.interface import Command
from sandboxes.jail.sandbox import JailSandbox


@pytest.fixture
def image(client: DockerClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of a host whose mirror has nothing newer: asked for, and found missing, at the mirror itself."""
    monkeypatch.setattr(images, "DEBIAN_RELEASE", "buzz-lightyear")
    told: list[str] = []
    image = images.ensure(client, told.append)
    if platform.freedesktop_os_release()["ID"] == "debian":  # any other has its own release in the box anyway
        assert any("this host's mirror gives no buzz-lightyear" in line for line in told), told
    yield image
    client.images.remove(image, force=True)


@pytest.mark.slow
@pytest.mark.timeout(600)  # the base image is made, from the mirror
def test_it_keeps_what_tier_jail_promises(client: DockerClient, image: str) -> None:
    with JailSandbox(client, image) as jail, jail.session() as session:
        ran = session.run(
            Command(argv=("python3", "-c", "import pytest, json; print(json.dumps([6 * 7]))"), harness=PYTEST.harness)
        )
        assert ran.stdout == b"[42]\n", ran
        for check in checks.CHECKS:
            check(session)
