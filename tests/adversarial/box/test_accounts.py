"""What the kernel counts by user is counted for one box alone: a program that uses an account up takes it from nobody."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest
from docker.errors import NotFound

from sandboxes.engine import connection
from sandboxes.engine.sweep import CREATOR_LABEL, creator
from sandboxes.engine.users import IDS, REMAPPED_IDS
from sandboxes.interface import Command, End, Execution, Sandbox, SandboxError, Session, Tier
from sandboxes.tiers import Tiers
from tests.adversarial.box.accounts import ACCOUNTS, Account
from tests.adversarial.box.attack import CHANNEL, SMALL

LIMITS = replace(SMALL, memory_mib=256, disk_mib=64, wall_seconds=60, cpu_seconds=30)


HOLDS = "\nquestion()\nfull = False\n{uses_up}\nanswer(str(full).encode())\nquestion()\n"


@contextmanager
def held(session: Session, account: Account, tier: Tier) -> Iterator[None]:
    """A program of another session has used the account up, as far as this kernel has it, and keeps it so."""
    code = CHANNEL + HOLDS.format(uses_up=dedent(account.uses_up))
    with session.converse(Command(argv=("python3", "-c", code), limits=LIMITS)) as conversation:
        # What has no limit in gVisor takes memory instead, and so may meet that one.
        assert conversation.ask(b"", seconds=50) is not None or tier is Tier.GVISOR, conversation.finish()
        yield


@pytest.mark.parametrize("name", ACCOUNTS)
def test_an_account_of_the_kernel_is_the_boxs_own(name: str, tier: Tier, tier_sandbox: Sandbox) -> None:
    account = ACCOUNTS[name]
    command = Command(argv=("python3", "-c", dedent(account.needs) + "\nprint(42)"), limits=LIMITS)
    with tier_sandbox.session() as attacker, tier_sandbox.session() as neighbour:
        alone = told(neighbour.run(command))
        assert alone == (End.EXITED, 0, b"42\n") or tier is Tier.GVISOR, "gVisor does not have all of them"
        with held(attacker, account, tier):
            for _ in range(20 if tier is Tier.JAIL else 3):
                assert told(neighbour.run(command)) == alone
        assert told(attacker.run(command)) == alone, "what it held is free again"


def told(execution: Execution) -> tuple[End, int | None, bytes]:
    return execution.end, execution.exit_code, execution.stdout


@pytest.fixture
def users() -> Iterator[Callable[[], list[int]]]:
    """The users of this process's containers, as this host's kernel has them."""
    client = connection.connect()

    def found() -> list[int]:
        rows = client.api.containers(filters={"label": f"{CREATOR_LABEL}={creator()}"})
        seen = []
        for row in rows:
            with suppress(NotFound, FileNotFoundError):  # the remover has come to it since
                pid = client.api.inspect_container(row["Id"])["State"]["Pid"]
                seen += [Path(f"/proc/{pid}").stat().st_uid] if pid else []
        return seen

    yield found
    client.close()


def test_no_two_boxes_have_a_user_in_common(tiers: Tiers, users: Callable[[], list[int]]) -> None:
    """Whatever the tier, and whichever sandbox made it."""
    wait = Command(argv=("python3", "-c", CHANNEL + "answer(question())\nquestion()"), limits=LIMITS)
    with ExitStack() as stack:
        for tier in (Tier.JAIL, Tier.JAIL, Tier.CONTAINER, Tier.CONTAINER):
            session = stack.enter_context(tiers.at_least(tier).session())
            assert stack.enter_context(session.converse(wait)).ask(b"here", seconds=20) == b"here"
        found = [user for user in users() if user in IDS or user in REMAPPED_IDS]
    assert len(found) >= 4 and len(set(found)) == len(found), found


HOLDER = """
import array, os, socket, sys
os.setresuid(*[int(sys.argv[1])] * 3)
one, other = socket.socketpair()
try:
    while True: one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 253))])
except OSError: print("full", flush=True)
sys.stdin.read()
"""


@contextmanager
def used_up(user: int) -> Iterator[None]:
    """Somebody with this user on the host itself has used up its descriptors under way; for root."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(user)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"full\n"
        yield
    finally:
        holder.communicate()


def test_a_program_that_could_not_begin_is_our_failure(tiers: Tiers, users: Callable[[], list[int]]) -> None:
    """Its process left with some exit code, but nothing of a submission ran: no grade can come of it.

    Only tier jail hands something over when a program begins. Here that is refused from outside, which no program can do.
    """
    command = Command(argv=("python3", "-c", "print(42)"), limits=LIMITS)
    with tiers.at_least(Tier.JAIL).session() as session:
        assert session.run(command).stdout == b"42\n"
        with ExitStack() as stack:
            for user in set(users()):
                stack.enter_context(used_up(user))
            with pytest.raises(SandboxError) as caught:
                session.run(command)
        assert "handing over its descriptors" in str(caught.value.diagnostics())
        assert session.run(command).stdout == b"42\n", "the next one gets another slot"
