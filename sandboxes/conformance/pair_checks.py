"""The promises of every sandbox about two programs with a line between them (`Session.pair`); see checks.py."""

from collections.abc import Callable
from textwrap import dedent

from sandboxes.conformance.checks import ECHO, HUNG_SECONDS, SET_ORDER, SMALL, Check, limited, python
from sandboxes.interface import Conversation, End, Execution, Limits, Session

CHECKS: list[Check] = []

RELAY = (
    ECHO
    + """
for q in questions():
    try:
        data = struct.pack(">I", len(q)) + q
        while data:
            data = data[os.write(4, data):]
        reply = os.read(4, 4)
        while 4 <= len(reply) < 4 + struct.unpack_from(">I", reply)[0]:
            reply += os.read(4, 1 << 20)
        answer(reply[4:] or b"nothing")
    except OSError:
        answer(b"nothing")
"""
)
"""Passes each question on over its line, and answers what comes back."""
REVERSING = """
import os, struct
def read(size):
    data = b""
    while len(data) < size:
        part = os.read(4, size - len(data))
        if not part:
            os._exit(0)
        data += part
    return data
while True:
    data = read(struct.unpack(">I", read(4))[0])[::-1]
    data = struct.pack(">I", len(data)) + data
    while data:
        data = data[os.write(4, data):]
"""
"""Sends back what comes over its line, the other way round."""


def _check(check: Check) -> Check:
    CHECKS.append(check)
    return check


def _pair(
    session: Session,
    code: str,
    talk: Callable[[Conversation, Conversation], None],
    *,
    first: str = RELAY,
    first_limits: Limits = SMALL,
    limits: Limits = SMALL,
) -> tuple[Execution, Execution]:
    """Return how a relay and a program of this code, each with its limits, end after `talk`."""
    with session.pair(python(first, limits=first_limits), python(dedent(code), limits=limits)) as (one, other):
        talk(one, other)
        return one.finish(), other.finish()


@_check
def what_is_written_on_a_line_arrives(session: Session) -> None:
    def talk(one: Conversation, _: Conversation) -> None:
        for question in (b"a", b"b" * 300_000, b"c" * 3_000_000):
            assert one.ask(question, seconds=8) == question[::-1]

    executions = _pair(session, REVERSING, talk)
    assert [execution.end for execution in executions] == [End.EXITED, End.EXITED], executions


@_check
def both_of_a_pair_can_be_asked(session: Session) -> None:
    def talk(one: Conversation, other: Conversation) -> None:
        assert one.ask(b"one", seconds=5) == b"one"
        assert other.ask(b"other", seconds=5) == b"other"

    echo = ECHO + "for q in questions(): answer(q)"
    _pair(session, echo, talk, first=echo)


@_check
def both_of_a_pair_order_a_set_alike(session: Session) -> None:
    code = ECHO + f"for q in questions(): answer(repr([{SET_ORDER}]).encode())"
    alone = python(code)
    with session.converse(alone) as conversation:
        expected = conversation.ask(b"", seconds=5)
    assert expected is not None

    def talk(one: Conversation, other: Conversation) -> None:
        assert one.ask(b"", seconds=5) == other.ask(b"", seconds=5) == expected

    _pair(session, code, talk, first=code)


@_check
def nothing_but_the_line_connects_a_pair(session: Session) -> None:
    def talk(one: Conversation, other: Conversation) -> None:
        assert one.ask(b"", seconds=5) == b"[]"
        assert other.ask(b"", seconds=5) == b"['mine']"

    look = ECHO + "for q in questions(): answer(repr(os.listdir()).encode())"
    _pair(session, "open('mine', 'w').close()\n" + look, talk, first=look)


@_check
def a_side_of_the_line_that_is_ended_leaves_the_other_open(session: Session) -> None:
    code = """
import os, socket
said = b""
while part := os.read(4, 100):
    said += part
socket.socket(fileno=os.dup(4)).sendall(said[::-1])
"""
    first = (
        ECHO
        + """
import os, socket
line = socket.socket(fileno=os.dup(4))
for q in questions():
    line.sendall(q)
    line.shutdown(socket.SHUT_WR)
    heard = b""
    while part := os.read(4, 100):
        heard += part
    answer(heard)
"""
    )

    def talk(one: Conversation, _: Conversation) -> None:
        assert one.ask(b"abc", seconds=10) == b"cba"

    _pair(session, code, talk, first=first)


@_check
def the_end_of_one_is_the_end_of_the_line(session: Session) -> None:
    def talk(one: Conversation, _: Conversation) -> None:
        assert one.ask(b"x", seconds=5) == b"nothing"

    one, other = _pair(session, "import os; os.read(4, 1); os._exit(3)", talk)
    assert (one.end, other.exit_code) == (End.EXITED, 3), (one, other)


@_check
def one_may_close_its_line_and_live_on(session: Session) -> None:
    def talk(one: Conversation, other: Conversation) -> None:
        assert other.ask(b"close", seconds=5) == b"closed"
        assert one.ask(b"x", seconds=5) == b"nothing"
        assert other.ask(b"again", seconds=5) == b"closed"

    code = ECHO + "for q in questions():\n if q == b'close': os.close(4)\n answer(b'closed')"
    _pair(session, code, talk)


@_check
def output_is_taken_while_the_other_is_waited_for(session: Session) -> None:
    def talk(one: Conversation, _: Conversation) -> None:
        assert one.ask(b"x", seconds=8) == b"x"

    code = "import os\nos.write(1, b'o' * 50_000)\nos.write(2, b'e' * 300_000)\n" + REVERSING
    _, other = _pair(session, code, talk, limits=limited(output_kib=1024))
    assert (len(other.stdout), len(other.stderr)) == (50_000, 300_000)


@_check
def a_flood_of_output_beside_ends_only_its_own_program(session: Session) -> None:
    def talk(one: Conversation, _: Conversation) -> None:
        assert one.ask(b"x", seconds=8) == b"nothing"

    one, other = _pair(session, "import os\nwhile True: os.write(1, b'x' * 65536)", talk)
    assert (one.end, other.end) == (End.EXITED, End.OUTPUT_LIMIT)


@_check
def the_wall_limit_of_one_holds_while_the_other_is_waited_for(session: Session) -> None:
    def talk(one: Conversation, _: Conversation) -> None:
        assert one.ask(b"x", seconds=8) == b"nothing"

    one, other = _pair(session, "import time; time.sleep(60)", talk, limits=limited(wall_seconds=1))
    assert (one.end, other.end) == (End.EXITED, End.WALL_TIMEOUT)
    assert other.wall_seconds < HUNG_SECONDS


@_check
def a_flood_on_the_line_is_the_senders_own_trouble(session: Session) -> None:
    def talk(one: Conversation, other: Conversation) -> None:
        assert other.ask(b"", seconds=2) is None  # it writes and writes, and nobody reads
        assert one.ask(b"are you well?", seconds=40) == b"are you well?"

    flood = ECHO + "next(questions())\nwhile True: os.write(4, b'x' * 65536)"
    patient = limited(wall_seconds=60)  # a busy host lets the flood go on for several times its seconds
    one, other = _pair(session, flood, talk, first=ECHO + "for q in questions(): answer(q)", first_limits=patient)
    assert one.end is End.EXITED, one
    assert other.end in (End.WALL_TIMEOUT, End.EXITED), other
