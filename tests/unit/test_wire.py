"""Messages between our processes, and what comes up from one that is trusted less."""

import json
import socket
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.interface import Command, Harness, Limits
from service.plugins.command_json import command_from_json, command_to_json
from service.processes.wire import MOST_BYTES, Wire, WireError, down, from_above, from_below, up


@pytest.fixture
def ends() -> Any:
    one, other = socket.socketpair()
    wires = Wire(one), Wire(other)
    yield *wires, one
    for wire in wires:
        wire.close()


def test_messages_come_whole_and_in_order(ends: Any) -> None:
    one, other, _ = ends
    for message in (b"", b"x" * 100_000, up({"a": [1]}), down((1, "two"))):
        one.send(message)
    assert other.receive() == b"" and other.receive() == b"x" * 100_000
    assert from_below(other.receive()) == {"a": [1]} and from_above(other.receive()) == (1, "two")
    assert other.receive(0) is None


@pytest.mark.parametrize("sent", [b"", b"\x00", (5).to_bytes(4, "big") + b"abc"])
def test_an_end_in_between_is_an_error(ends: Any, sent: bytes) -> None:
    one, other, raw = ends
    raw.sendall(sent)
    one.close()
    with pytest.raises(WireError, match="closed"):
        other.receive()


def test_a_message_that_is_too_long_is_not_waited_for(ends: Any) -> None:
    _, other, raw = ends
    raw.sendall((MOST_BYTES + 1).to_bytes(4, "big"))
    with pytest.raises(WireError, match="too long"):
        other.receive()


@pytest.mark.parametrize("message", [b"", b"\xff", b"[" * 100_000, b"[]", b"3", down({"a": 1})])
def test_what_is_no_json_object_is_refused(message: bytes) -> None:
    with pytest.raises(WireError):
        from_below(message)


@given(
    st.builds(
        Command,
        argv=st.lists(st.text()).map(tuple),
        harness=st.builds(
            Harness,
            files=st.dictionaries(st.text(), st.binary()).map(lambda files: tuple(files.items())),
            preload=st.lists(st.text()).map(tuple),
        ),
        files=st.dictionaries(st.text(), st.binary()),
        stdin=st.binary(),
        limits=st.builds(Limits, wall_seconds=st.floats(0.1, 1e6), processes=st.integers(1, 1000)),
        environment=st.dictionaries(st.text(), st.text()),
    )
)
def test_a_command_survives(command: Command) -> None:
    assert command_from_json(json.loads(json.dumps(command_to_json(command)))) == command


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(_json | st.tuples(st.sampled_from(sorted(command_to_json(Command(argv=("x",))))), _json))
def test_whatever_else_is_a_value_error(row: Any) -> None:
    if isinstance(row, tuple):
        row = command_to_json(Command(argv=("x",))) | {row[0]: row[1]}
    with suppress(ValueError):
        assert isinstance(command_from_json(row), Command)
