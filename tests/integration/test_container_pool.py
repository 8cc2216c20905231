"""The boxes of tier container: used once, made ahead, replaced when they die, gone when nobody needs them."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docker import DockerClient
from docker.errors import NotFound

from sandboxes.container.sandbox import READY, ContainerSandbox
from sandboxes.interface import Command, End, Limits, Sandbox, SandboxError

LIMITS = Limits(memory_mib=97, disk_mib=16, processes=16)
"""By this much memory the boxes of these tests are told from all others."""
OTHER = replace(LIMITS, processes=17)
HELLO = Command(argv=("python3", "-c", "print('hello')"), limits=LIMITS)
SOCKET = Path("/var/run/docker.sock")
WHICH = r"""
import re
print(re.search("/containers/([0-9a-f]{64})/", open("/proc/self/mountinfo").read())[1])
"""


@pytest.fixture(scope="module")
def image(sandbox: Sandbox) -> str:
    return sandbox.name.partition("@")[2]


@pytest.fixture
def pool(client: DockerClient, image: str) -> Iterator[ContainerSandbox]:
    with ContainerSandbox(client, image) as opened:
        yield opened
    assert boxes(client) == []


def boxes(client: DockerClient) -> list[str]:
    """The ids of the containers of these tests, running or not."""
    found = []
    for row in client.api.containers(all=True):
        try:
            if client.api.inspect_container(row["Id"])["HostConfig"]["Memory"] == LIMITS.memory_mib << 20:
                found.append(row["Id"])
        except NotFound:
            continue
    return found


def running(client: DockerClient) -> list[str]:
    return [row["Id"] for row in client.api.containers() if row["Id"] in boxes(client)]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come about within a minute"
        threading.Event().wait(0.05)


def says_hello(sandbox: Sandbox) -> None:
    with sandbox.session() as session:
        execution = session.run(HELLO)
    assert (execution.end, execution.stdout) == (End.EXITED, b"hello\n"), execution


def test_no_two_executions_share_a_container(pool: ContainerSandbox) -> None:
    which = replace(HELLO, argv=("python3", "-c", WHICH))

    def three(_: int) -> list[bytes]:
        with pool.session() as session:
            return [session.run(which).stdout.strip() for _ in range(3)]

    with ThreadPoolExecutor(4) as threads:
        ids = [each for some in threads.map(three, range(4)) for each in some]
    assert len(set(ids)) == len(ids) == 12
    assert all(re.fullmatch(rb"[0-9a-f]{64}", each) for each in ids)


def test_a_session_that_is_left_leaves_no_container(client: DockerClient, image: str) -> None:
    with ContainerSandbox(client, image, ready=0) as sandbox:
        with sandbox.session() as session:
            session.run(HELLO)
            with session.converse(replace(HELLO, argv=("python3", "-c", "import time; time.sleep(60)"))):
                assert boxes(client)
        assert boxes(client) == []


def test_as_many_as_asked_for_are_kept_ready_for_the_last_limits(pool: ContainerSandbox, client: DockerClient) -> None:
    says_hello(pool)
    says_hello(pool)
    until(lambda: len(running(client)) == READY)
    first = set(running(client))
    with pool.session() as session:
        for _ in range(READY):
            session.run(replace(HELLO, limits=OTHER))
    until(lambda: len(running(client)) == READY and not first & set(running(client)))


def test_a_ready_box_that_was_killed_is_replaced(pool: ContainerSandbox, client: DockerClient) -> None:
    says_hello(pool)
    says_hello(pool)
    until(lambda: len(running(client)) == READY)
    for box in running(client):
        client.api.kill(box)
    until(lambda: not running(client))
    says_hello(pool)


def test_a_box_that_was_killed_at_work_is_no_outcome(pool: ContainerSandbox, client: DockerClient) -> None:
    at_work = replace(
        HELLO, argv=("python3", "-c", "import struct, os; os.write(3, struct.pack('>I', 0)); os.read(3, 9)")
    )
    with pool.session() as session, session.converse(at_work) as conversation:
        assert isinstance(conversation.container, str)
        client.api.kill(conversation.container)
        with pytest.raises(SandboxError, match="without a report"):
            conversation.wait()
            conversation.finish()
    says_hello(pool)


GROWING = """
import sys, threading
from pathlib import Path
from sandboxes.container.sandbox import ContainerSandbox
from sandboxes.engine import connection
from sandboxes.interface import Command, Limits

def run(times):
    client = connection.connect()
    with ContainerSandbox(client, sys.argv[1]) as sandbox:
        for _ in range(times):
            with sandbox.session() as session:
                command = Command(argv=("true",), limits=Limits(memory_mib=97, disk_mib=16, processes=16))
                assert session.run(command).exit_code == 0
    client.close()
    print(threading.active_count(), len(list(Path("/proc/self/fd").iterdir())))

run(1)
run(30)
"""


def test_nothing_grows(client: DockerClient, image: str) -> None:
    """In a process of its own, where nobody else opens and closes anything."""
    done = subprocess.run([sys.executable, "-c", GROWING, image], capture_output=True, text=True, check=True)
    before, after = done.stdout.splitlines()
    assert before == after
    assert boxes(client) == []


@pytest.mark.usefixtures("tidy_refusals")
def test_an_engine_that_is_away_is_waited_for(tmp_path: Path, image: str) -> None:
    path = tmp_path / "engine.sock"
    client = DockerClient(base_url=f"unix://{path}", version="1.41")
    with ContainerSandbox(client, image) as sandbox, ThreadPoolExecutor(1) as thread:
        run = thread.submit(says_hello, sandbox)
        with pytest.raises(TimeoutError):
            run.result(timeout=0.5)
        path.symlink_to(SOCKET)  # the engine is back
        run.result(timeout=30)
    client.close()


@pytest.mark.usefixtures("tidy_refusals")
def test_an_engine_that_stays_away_is_our_failure(tmp_path: Path, image: str) -> None:
    client = DockerClient(base_url=f"unix://{tmp_path}/engine.sock", version="1.41")
    with ContainerSandbox(client, image, patience_seconds=0.5) as sandbox:
        started = time.monotonic()
        with pytest.raises(SandboxError, match="does not answer"):
            says_hello(sandbox)
        assert time.monotonic() - started < 40  # the patience that it has by default is longer
    client.close()


def test_a_lost_image_is_made_again(client: DockerClient, image: str) -> None:
    lost = f"sha256:{0:064}"
    made: list[str] = []

    def restore() -> str:
        made.append(image)
        return image

    with ContainerSandbox(client, lost, restore=restore) as sandbox:
        says_hello(sandbox)
        says_hello(sandbox)
        assert sandbox.name == f"container@{image}"
    assert made == [image]
    with ContainerSandbox(client, lost) as sandbox, pytest.raises(SandboxError, match="does not have the box image"):
        says_hello(sandbox)


def test_a_ready_box_is_closed_from_the_start(pool: ContainerSandbox, client: DockerClient) -> None:
    says_hello(pool)
    seen: list[Any] = []

    def looked_at_one() -> bool:
        for container in running(client):
            with suppress(NotFound):  # the one that said hello is on its way out
                seen.append(client.api.inspect_container(container))
        return bool(seen)

    until(looked_at_one)
    box = seen[-1]
    host = box["HostConfig"]
    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["Privileged"]) == ("none", True, False)
    assert (host["CapDrop"], host["CapAdd"], host["Binds"], host["Devices"]) == (["ALL"], None, None, None)
    assert (
        "no-new-privileges" in host["SecurityOpt"]
        and box["Name"] == "/assay-" + box["Config"]["User"].partition(":")[0]
    )
    assert host["Memory"] == host["MemorySwap"] == LIMITS.memory_mib << 20
    assert host["PidsLimit"] == LIMITS.processes + 1
