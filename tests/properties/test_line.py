"""The examiner's end of the line takes any bytes: what comes of them is a value, an exception that was sent, or a broken line."""

import contextlib
import gc
import json
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.boxed.examiner.examiner import Examiner
from graders.boxed.rpc import connection as line_module
from graders.boxed.rpc.connection import MAX_MESSAGE, LineBroken, LineEnded
from graders.boxed.rpc.proxy_classes import StandInMeta
from graders.boxed.shared.encoding import Tree

# What is sent may be coroutines, which nobody awaits; and they are to go while that is known.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")

KEYS = [
    "$own", "$its", "$held", "$class", "$function", "$generator", "$awaitable", "$error", "$type", "$builtin", "$one",
    "$collection", "$view", "$path", "$number", "$numpy", "$ref", "$tuple", "$set", "$dict", "$int", "$str", "$array",
    "$enum", "$record", "$slice", "$bytearray", "$link",
]  # fmt: skip
FACTS = {
    "name": "A", "qualname": "A", "module": "m", "doc": None, "real": None, "container": None, "abstract": [], "specials": [],
    "methods": [], "equal": False, "hash": "identity", "fields": None, "match": [], "enum": False, "bases": [],
}  # fmt: skip
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-3, 5)
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(
        ["builtins.ValueError", "builtins.int", "builtins.eval", "int", "deque", "keys", "Ellipsis", "<i8", "os.system"]
    )
)
names = st.sampled_from(
    ["__len__", "__eq__", "__new__", "__dict__", "__class__", "__getattribute__", "x", "mro", "", "__add__"]
)
odd_facts = st.dictionaries(
    st.sampled_from(sorted(FACTS)), leaves | st.lists(names, max_size=3) | names, max_size=3
).map(lambda odd: {**FACTS, **odd})
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=7)
        | st.dictionaries(st.sampled_from(KEYS), inner, min_size=1, max_size=1)
        | odd_facts.map(lambda facts: {"$class": [1, facts]})
        | odd_facts.map(lambda facts: {"$its": [2, {"$class": [1, facts]}]})
        | st.tuples(odd_facts, inner).map(lambda both: {"$held": [2, {"$class": [1, both[0]]}, both[1]]})
        | st.tuples(inner, inner, inner).map(
            lambda three: {
                "$error": [{"$type": "builtins.ValueError"}, [three[0]], "x", [["a", three[1]]], [], three[2], None]
            }
        )
    ),
    max_leaves=12,
)


def frame(tree: object) -> bytes:
    data = json.dumps(tree).encode()
    return len(data).to_bytes(4, "big") + data


@contextlib.contextmanager
def answered(sent: bytes) -> Iterator[Examiner]:
    """An examiner that has asked nothing yet, to whom all this has been sent already, and nothing will be any more."""
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.MonkeyPatch.context() as patch:
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        patch.setattr(line_module, "LINE", ours.fileno())
        examiner = Examiner([], own=False)
        examiner.line._number = 0
        yield examiner


def use(value: object) -> None:
    """What a test may do with what it got."""
    for way in (repr, hash, bool, len, list, lambda it: it == 2, lambda it: it < 2, lambda it: it.x, lambda it: it(1)):
        try:
            way(value)
        except (LineBroken, LineEnded):
            return  # it was asked, and nobody is there
        except Exception:
            continue


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    gc.collect()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=100))
def test_any_bytes(sent: bytes) -> None:
    with answered(sent) as examiner, pytest.raises((LineBroken, LineEnded)):
        examiner.line.ask("get", 1, "x")


@settings(max_examples=500, deadline=None)
@given(trees, st.lists(st.tuples(leaves, trees), max_size=2), st.lists(st.tuples(leaves, trees), max_size=2))
def test_any_reply(value: Tree, changes: list[tuple[Tree, Tree]], links: list[tuple[Tree, Tree]]) -> None:
    with answered(frame([1, True, value, list(changes), ["", ""], list(links)])) as examiner:
        given_list = [1, 2]
        try:
            got = examiner.line.ask("call", 1, None, [given_list])
        except (LineBroken, LineEnded) as failure:
            assert examiner.line.failure is failure
            with pytest.raises((LineBroken, LineEnded)):  # and it stays so
                examiner.line.ask("get", 1, "x")
            return
        assert type(given_list) is list
        use(got)


@settings(max_examples=200, deadline=None)
@given(trees)
def test_any_exception(value: Tree) -> None:
    """What is raised is an exception of a built-in class, or of a stand-in's."""
    with answered(frame([1, False, value, [], ["", ""], []])) as examiner:
        try:
            examiner.line.ask("call", 1)
        except (LineBroken, LineEnded):
            return
        except BaseException as error:
            assert type(type(error)) is StandInMeta or type(error).__module__ == "builtins"
        else:
            raise AssertionError("nothing was raised")


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(["get", "set", "call", "del", "dir", "await", "state", "content", "import", "", "eval"]),
    leaves,
    names | leaves,
    st.lists(trees, max_size=2) | leaves,
    st.dictionaries(st.text(max_size=2), trees, max_size=1) | leaves,
)
def test_any_request(operation: str, target: Tree, name: Tree, args: Tree, kwargs: Tree) -> None:
    """One that comes in the place of the reply, at a moment when one object is exported: a function."""
    request = frame([7, operation, target, name, args, kwargs, [], []])
    reply = frame([1, True, None, [], ["", ""], []])
    called = []
    with answered(request + reply) as examiner:
        with contextlib.suppress(LineBroken, LineEnded):
            assert examiner.line.ask("call", 1, None, [lambda *args, **kwargs: called.append(1)]) is None
        assert not called or (operation == "call" and target == 1)


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"\xff\xff\xff\xff", "bytes"),
        ((MAX_MESSAGE + 1).to_bytes(4, "big"), "bytes"),
        (b"\0\0\0\x01x", "nobody wrote"),
        (frame([2, True, 1, [], ["", ""], []]), "another question"),
        (frame([1, 1, 1, [], ["", ""], []]), "another question"),
        (frame([1, True, 1, [], ["", ""], [], 0]), "another question"),
        (frame([1, True, 1, [[1, []]], ["", ""], []]), "nothing"),
        (frame([1, True, {"$own": 99}, [], ["", ""], []]), "unknown handle"),
        (frame([1, True, {"$type": "nowhere.system"}, [], ["", ""], []]), "unknown class"),
        (frame([1, True, {"$builtin": ["builtins", "eval"]}, [], ["", ""], []]), "unknown function"),
        (frame([1, True, {"$class": [1, {**FACTS, "real": "builtins.type"}]}, [], ["", ""], []]), "a base"),
        (frame([1, False, 5, [], ["", ""], []]), "no exception"),
        (frame([7, "call", 99, None, [], {}, [], []]), "unknown handle"),
        (b"[" * 8, "bytes"),
        (frame("[") + b"", "nobody wrote"),
    ],
)
def test_why_a_line_is_broken(sent: bytes, why: str) -> None:
    with answered(sent) as examiner, pytest.raises(LineBroken, match=why):
        examiner.line.ask("call", 1, None, [[1]])


def test_what_follows_a_reply_breaks_the_line() -> None:
    with answered(frame([1, True, 5, [], ["", ""], []]) + b"x") as examiner:
        assert examiner.line.ask("call", 1) == 5
        with pytest.raises(LineBroken, match="nobody asked for"):
            examiner.line.ask("call", 1)


def test_the_end_is_no_breach() -> None:
    with answered(b"") as examiner, pytest.raises(LineEnded):
        examiner.line.ask("call", 1)


def test_handles_are_counted() -> None:
    made = [{"$its": [2, {"$class": [1, FACTS]}]}] + [{"$its": [n, {"$class": [1, None]}]} for n in range(3, 30_000)]
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.MonkeyPatch.context() as patch:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        patch.setattr(line_module, "LINE", ours.fileno())
        examiner = Examiner([], own=False)
        examiner.line._number = 0
        sender = threading.Thread(target=theirs.sendall, args=(frame([1, True, made, [], ["", ""], []]),))
        sender.start()
        with pytest.raises(LineBroken, match="too many handles"):
            examiner.line.ask("call", 1)
        sender.join()
