"""Slots of tier jail: used again, replaced at the first doubt, mended when they die, removed at the end."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from docker import DockerClient
from docker.errors import ImageNotFound

from sandboxes.engine import images
from sandboxes.interface import Command, Conversation, End, Harness, Limits, SandboxError
from sandboxes.jail import slot
from sandboxes.jail.program import JailedProgram
from sandboxes.jail.sandbox import JailSandbox
from sandboxes.tiers import Tiers

LIMITS = Limits(wall_seconds=20, cpu_seconds=10, memory_mib=128, processes=16, disk_mib=16, output_kib=64)
HELLO = Command(argv=("python3", "-c", "print('hello')"), limits=LIMITS)
ECHO = """
import os, struct
while size := os.read(3, 4):
    data = os.read(3, struct.unpack(">I", size)[0])
    os.write(3, size + data)
"""


@pytest.fixture(scope="module")
def image(tiers: Tiers, client: DockerClient) -> str:
    return images.ensure(client, print)


@pytest.fixture
def jail(client: DockerClient, image: str) -> Iterator[JailSandbox]:
    with JailSandbox(client, image) as jail:
        yield jail


def slot_of(conversation: object) -> str:
    assert isinstance(conversation, JailedProgram)
    return conversation.container


def where(jail: JailSandbox, command: Command = HELLO) -> str:
    """Run a program; returns the container that it ran in."""
    with jail.session() as session, session.converse(command) as conversation:
        assert conversation.finish().stdout == b"hello\n"
        return slot_of(conversation)


def exists(client: DockerClient, container: str) -> bool:
    return any(row["Id"] == container for row in client.api.containers(all=True))


def test_a_slot_serves_again(jail: JailSandbox) -> None:
    assert where(jail) == where(jail)


def test_other_limits_or_another_harness_are_another_slot(jail: JailSandbox) -> None:
    more = replace(HELLO, limits=replace(LIMITS, memory_mib=160))
    harness = replace(HELLO, harness=Harness(files=(("ours.py", b""),), preload=("ours",)))
    assert len({where(jail), where(jail, more), where(jail, harness)}) == 3
    assert where(jail) == where(jail, replace(HELLO, limits=replace(LIMITS, wall_seconds=5)))


def test_programs_at_once_have_slots_of_their_own(jail: JailSandbox) -> None:
    talk = replace(HELLO, argv=("python3", "-c", ECHO))
    with jail.session() as session, session.converse(talk) as one, session.converse(talk) as other:
        assert slot_of(one) != slot_of(other)
        assert [one.ask(b"1", seconds=5), other.ask(b"2", seconds=5), one.ask(b"3", seconds=5)] == [b"1", b"2", b"3"]


def test_what_ran_out_of_memory_leaves_no_slot_behind(jail: JailSandbox, client: DockerClient) -> None:
    with jail.session() as session, session.converse(HELLO) as conversation:
        before = slot_of(conversation)
    bomb = replace(HELLO, argv=("python3", "-c", "x = b'x' * (1 << 30)"))
    with jail.session() as session:
        assert session.run(bomb).end is End.OUT_OF_MEMORY
    assert where(jail) != before
    jail.close()
    assert not exists(client, before)


def test_a_killed_idle_slot_is_not_used(jail: JailSandbox, client: DockerClient) -> None:
    before = where(jail)
    client.api.kill(before)
    assert where(jail) != before


def test_a_slot_that_dies_under_a_program_is_our_failure(jail: JailSandbox, client: DockerClient) -> None:
    talk = replace(HELLO, argv=("python3", "-c", ECHO))

    def ask_for_ever(conversation: Conversation) -> None:
        client.api.kill(slot_of(conversation))
        while conversation.ask(b"x", seconds=10) is not None:
            pass

    with jail.session() as session, session.converse(talk) as conversation:
        ask_for_ever(conversation)
        with pytest.raises(SandboxError, match=r"ended without a report|never began"):
            conversation.finish()
    assert where(jail)


def test_a_removed_image_is_made_again(client: DockerClient, image: str) -> None:
    asked: list[str] = []

    def restore() -> str:
        asked.append("restore")
        return image

    gone = "sha256:" + "0" * 64
    with pytest.raises(ImageNotFound):
        client.images.get(gone)
    with JailSandbox(client, gone, restore=restore) as jail:
        assert where(jail)
        assert jail.name == f"jail@{image}"
    assert asked == ["restore"]


def test_without_a_way_to_restore_it_a_lost_image_is_told(client: DockerClient) -> None:
    with JailSandbox(client, "sha256:" + "0" * 64) as jail, pytest.raises(SandboxError, match="box image"):
        where(jail)


@pytest.mark.usefixtures("tidy_refusals")
def test_an_engine_that_does_not_answer_is_waited_for_and_then_told(image: str) -> None:
    client = DockerClient("unix:///run/assay-no-such-engine.sock", version="1.41")
    with (
        JailSandbox(client, image, patience_seconds=0.5) as jail,
        pytest.raises(SandboxError, match="does not answer"),
    ):
        where(jail)
    client.close()


def test_a_slot_that_dies_before_it_connects_is_found_out_at_once(
    jail: JailSandbox, client: DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slot, "ZYGOTE", ("python3", "-c", "raise SystemExit(7)"))
    began = time.monotonic()
    with pytest.raises(SandboxError, match="did not connect") as caught:
        where(jail)
    assert time.monotonic() - began < slot.START_SECONDS / 2
    assert "'ExitCode': 7" in caught.value.diagnostics()["state"]


def test_a_preload_that_does_not_exist_is_our_failure(jail: JailSandbox) -> None:
    with pytest.raises(SandboxError, match="could not set itself up") as caught:
        where(jail, replace(HELLO, harness=Harness(preload=("no_such_module",))))
    assert "no_such_module" in str(caught.value.diagnostics())


def test_a_preloaded_module_is_imported_before_the_program(jail: JailSandbox) -> None:
    source = b"import os\nWHERE = os.getpid()\n"
    harness = Harness(files=(("ours.py", source),), preload=("ours",))
    command = Command(argv=("python3", "-c", "import os, ours; print(ours.WHERE != os.getpid())"), harness=harness)
    with jail.session() as session:
        assert session.run(replace(command, limits=LIMITS)).stdout == b"True\n"


def test_closing_removes_everything(client: DockerClient, image: str) -> None:
    with JailSandbox(client, image) as jail, ThreadPoolExecutor(3) as threads:
        used = set(threads.map(lambda _: where(jail), range(12)))
        assert all(exists(client, container) for container in used)
    assert not any(exists(client, container) for container in used)


def test_a_slot_gives_way_after_so_many_runs(client: DockerClient, image: str) -> None:
    with JailSandbox(client, image, runs_per_slot=5) as jail:
        containers = [where(jail) for _ in range(12)]
    assert [containers.count(container) for container in dict.fromkeys(containers)] == [5, 5, 2]
