"""The connection between the examiner's box and the candidate's: descriptor 4 in each. Standard library only.

A message is 4 bytes of length (big-endian) and that many bytes of JSON, values in the encoding of
graders/boxed/shared/encoding.py. Calls are strictly nested: a side that has sent a request serves the other side's
requests until its reply comes.

    request     [number, operation, target, name, [argument...], {name: argument}, [released handle...], links]
    reply       [number, true, value, [[container, content]...], [stdout, stderr], links]
                [number, false, exception, ...]

`target` is a handle: the number of an object that stays where it is. Containers among the arguments are numbered by the
encoding; those that the callee changed come back with the reply, and a reference in a reply may mean one of them. So
lists, dicts, sets and bytearrays are changed for the caller too, and `f(xs) is xs` stays true. Containers that are read
as an attribute are kept the same on both sides, see shared_containers.py; so is the process state around a call, see
ambient.py.

    LineBroken      the other side sent a message outside the protocol; nothing that it sends counts any more
    LineEnded       the other side has ended

Both derive from BaseException, so that neither a test nor a submission takes them for an exception of its own.

Neither `threading` nor `random` is imported here: what they do after each fork costs as much as twenty small calls.
"""

from _thread import RLock
from collections.abc import Callable, Iterable, Mapping
from os import read, urandom, write
from typing import Any, NoReturn
from weakref import WeakValueDictionary

from graders.boxed.rpc.ambient import Ambient
from graders.boxed.rpc.shared_containers import (
    Links,
    copied,
    is_same,
    read_content,
    refuse_cycles,
    restore,
    shallow,
    write_content,
)
from graders.boxed.shared.encoding import (
    MALFORMED,
    Decoder,
    Encoder,
    EncodingError,
    Read,
    Tree,
    array,
    check_size,
    dump,
    parse,
    text,
)

LINE = 4
MAX_MESSAGE = 16 << 20
MAX_NESTED = 100
MAX_HANDLES = 10_000
MAX_CALLS = 1_000_000
MAX_BYTES = 1 << 30
"""`MAX_CALLS` and `MAX_BYTES` are limits for one test."""
CHUNK = 1 << 16
_ACTIONS = frozenset({"call", "set", "del", "await", "import"})
Given = tuple[Iterable[object], Mapping[str, object]]
"""Arguments of a call."""
_DEEP = "maximum recursion depth exceeded"


class LineBroken(BaseException):
    """The other side broke the protocol; the argument is the reason."""


class LineEnded(BaseException):
    """The other side has closed the connection."""


class Ref:
    """A handle of the other side's. When the last proxy for it is gone, the next message releases the handle."""

    __slots__ = ("__weakref__", "line", "number", "places", "proxy", "taken")

    def __init__(self, line: "Connection", number: int) -> None:
        self.line = line
        self.number = number
        self.proxy: Callable[[], Any] | None = None
        """A weak reference to its proxy, if the proxy's type allows one."""
        self.taken: Callable[[], Any] | None = None
        """A weak reference to its proxy in the place of a plain value."""
        self.places: tuple[str, ...] | None = ()
        """The places it came from, as graders/boxed/examiner/watch.py names them; None if any object may be there."""

    def __del__(self) -> None:
        self.line.released.append(self.number)


class Trust:
    """How far one side trusts the other. This class, for the candidate's side, accepts and discloses everything."""

    def standing(self, link: Ref, kind: Any) -> int:
        """Return how to treat an object of this class that has just arrived: LIVE, REMEMBERED or PLAIN."""
        return LIVE

    def came(self, link: Ref, kind: Any = None) -> None:
        """Note that a function, a generator or an awaitable has arrived, or the class `kind`."""

    def holds_objects(self) -> bool:
        """Return whether the place that is being read may hold anything other than a plain value."""
        return True

    def operator(self, kind: Any, group: str) -> bool:
        """Return whether this operator may be used on an object of this class."""
        return True

    def tells(self, error: BaseException) -> bool:
        """Return whether the other side may learn more about an exception than its class."""
        return True

    def failed(self, error: BaseException) -> None:
        """Note that a request of the other side raised this exception here."""

    def heard(self, error: BaseException) -> None:
        """Note that the other side raised this exception."""

    def swallowed(self, error: BaseException) -> None:
        """Note that the other side was handed this exception and did not raise it again."""

    def carries_out(self, container: object, args: Iterable[object], kwargs: Mapping[str, object]) -> bool:
        """Return whether to repeat here the change that the call being read made to a container among its arguments."""
        return True

    def carries_out_at(self, place: str) -> bool:
        """Return whether to repeat here the other side's change to a container that an object of this side owns."""
        return True

    def place(self, target: object, name: object) -> str:
        """Return the name of this side's attribute whose container the other side receives."""
        return ""


LIVE, REMEMBERED, PLAIN = range(3)
"""LIVE: the object is asked each time. REMEMBERED: its first answer stands. PLAIN: as REMEMBERED, in the place of a
plain value."""


class Connection:
    """One end of the connection. `perform(operation, target, name, args, kwargs)` serves the other side's requests."""

    def __init__(
        self,
        perform: Callable[[str, Any, str | None, list[Any], dict[str, Any]], Any],
        take_output: Callable[[], list[str]] = lambda: ["", ""],
        give_output: Callable[[str, str], None] = lambda stdout, stderr: None,
        *,
        only_while_serving: bool = False,
    ) -> None:
        """`only_while_serving`: true for the candidate, which may call back during a call but never starts one."""
        self._only_while_serving = only_while_serving
        self._perform = perform
        self._take_output = take_output
        self._give_output = give_output
        self._buffer = b""
        """Bytes that have arrived and do not belong to a read message yet."""
        self._lock = RLock()
        self._number = int.from_bytes(urandom(4), "big")
        self._exports: dict[int, object] = {}
        self._export_numbers: dict[int, int] = {}
        self._export_count = 0
        self._refs: WeakValueDictionary[int, Ref] = WeakValueDictionary()
        self.released: list[int] = []
        self.links = Links(0 if only_while_serving else 1)
        self.foreign: Callable[[Encoder, Any, int], Tree] | None = None
        """Writes values whose type is not in the encoding."""
        self.readers: Mapping[str, Read] = {"$link": self.links.read}
        """Read the keys that are not in the encoding."""
        self.gives_copies = False
        """True if the other side's changes to arguments are dropped here: the suite draws its values anew for each
        call."""
        self.overhear: Callable[[Tree], None] | None = None
        """Called with every message that arrives."""
        self.trust = Trust()
        self.reading: tuple[object, Any, Any] = (None, 0, None)
        """Operation, target and name of the request whose reply, or whose arguments, are being read."""
        self.actions = 0
        """Number of requests so far that may have changed something."""
        self.failure: LineBroken | LineEnded | None = None
        """Why the connection cannot be used any more."""
        self.cut_off = False
        """True if the failure was on this side: the time limit of a test interrupted a call."""
        self.exchanging = False
        """True while a message is in transit. No request can be sent then, not even by a finalizer."""
        self.serving = 0
        self.calls = 0
        self.bytes = 0

    @property
    def ambient(self) -> Ambient | None:
        """The process state that both sides keep the same."""
        return self.links.ambient

    @ambient.setter
    def ambient(self, ambient: Ambient) -> None:
        self.links.ambient = ambient

    def linked(self, encoder: Encoder, container: object, depth: int) -> Tree:
        """Return the tree of a container that both sides keep the same from now on."""
        before, self.links.linking = self.links.linking, True
        try:
            return encoder.tree(container, depth + 1)
        finally:
            self.links.linking = before

    # --- handles ----------------------------------------------------------------------------------------------------

    def export(self, value: object) -> int:
        """Return the handle by which the other side may use this object."""
        number = self._export_numbers.get(id(value))
        if number is None:
            if len(self._exports) >= MAX_HANDLES:
                raise EncodingError(f"more than {MAX_HANDLES} objects are held by the other side")
            number = self._export_count = self._export_count + 1
            self._exports[number] = value
            self._export_numbers[id(value)] = number
        return number

    def exported(self, number: object) -> Any:
        if type(number) is not int or number not in self._exports:
            raise EncodingError("an unknown handle")
        return self._exports[number]

    def ref(self, number: object) -> Ref:
        """Return the only Ref for a handle of the other side's."""
        if type(number) is not int:
            raise EncodingError("a handle is a number")
        found = self._refs.get(number)
        if found is None:
            if len(self._refs) >= 2 * MAX_HANDLES:
                raise EncodingError("too many handles")
            if number in self.released:  # it was released here, but no message has reported that yet
                self.released.remove(number)
            found = self._refs[number] = Ref(self, number)
        return found

    def known_ref(self, number: int) -> Ref | None:
        """Return the Ref for a handle, or None."""
        return self._refs.get(number)

    # --- asking -----------------------------------------------------------------------------------------------------

    def ask(
        self,
        operation: str,
        target: int,
        name: str | None = None,
        args: Iterable[object] = (),
        kwargs: Mapping[str, object] = {},
    ) -> Any:
        """Send a request and return the result. Raises the exception that the other side raised, LineBroken or
        LineEnded.

        Raises TypeError for an argument that cannot cross.
        """
        __tracebackhide__ = True
        with self._lock:
            encoder = self._encoder()
            before = self.links.state()
            try:
                links = self.links.changes(encoder, (args, kwargs))
                arguments = [encoder.tree(arg) for arg in args]
                named: Tree = {key: encoder.tree(arg) for key, arg in kwargs.items()}
            except EncodingError as error:
                self.links.back_to(before)
                raise cannot_cross(error) from None
            if operation in _ACTIONS:
                self.actions += 1
            request: list[Tree] = [operation, target, name, arguments, named]
            reply = self._exchange(request, links, encoder, (args, kwargs))
            if self.ambient is not None and self.ambient.heard:
                self.ambient.replay()
        if reply[0]:
            return reply[1]
        self.trust.heard(reply[1])
        raise reply[1]

    def _exchange(self, request: list[Tree], links: list[Tree], encoder: Encoder, given: Given) -> tuple[bool, Any]:
        """Return whether the request succeeded, and the value or the exception."""
        if self.failure is not None:
            raise self.failure
        if self.exchanging:
            raise RuntimeError("nothing can be asked while another message is on its way")
        if self._only_while_serving and not self.serving:
            raise RuntimeError("the tests can be called back during a call only")
        if self._buffer:
            self._break("a message that nobody asked for")
        self._number += 1
        number = self._number
        released, self.released = self.released, []
        self.exchanging = True
        try:
            self._send([number, *request, released, links])  # type: ignore[list-item]
            message = array(self._receive())
            while len(message) == 8:
                self._serve(message)
                message = array(self._receive())
            if len(message) != 6 or message[0] != number or type(message[1]) is not bool:
                self._break("a reply to another question")
            self.exchanging = False  # reading a key of a dict may ask for its hash
            before, self.reading = self.reading, (request[0], request[1], request[2])
            value = self._read_reply(message, encoder, given)
            self.reading = before
        except BaseException as error:
            self._fail(error)
        finally:
            self.exchanging = False
        return message[1], value

    def _encoder(self) -> Encoder:
        return Encoder(self.foreign, self.links)

    def _decoder(self, known: Iterable[object] = ()) -> Decoder:
        return Decoder(known, self.readers)

    def _read_reply(self, message: list[Any], encoder: Encoder, given: Given) -> Any:
        told = [array(change, 2) for change in array(message[3])]
        containers = self._changed(told, encoder.containers, given) if told else encoder.containers
        decoder = self._decoder(containers)
        self._apply_links(decoder, message[5])
        changes = []
        for number, content in told:
            container = containers[number]
            changes.append((container, read_content(decoder, container, content)))
        value = decoder.value(message[2])
        if decoder.references:
            check_size([value, *(content for _, content in changes)])
        if not message[1] and not isinstance(value, BaseException):
            raise EncodingError("what was raised is no exception")
        for container, content in changes:
            restore(container, content)
        self._give_output(*map(text, array(message[4], 2)))
        return value

    def _changed(self, told: list[list[Any]], sent: list[object], given: Given) -> list[object]:
        """Return the containers that were sent, with copies of those that must not change here."""
        hidden: list[object] = []
        for number, _ in told:
            if type(number) is not int or not 0 <= number < len(sent):
                raise EncodingError("a change of nothing")
            if self.gives_copies or not self.trust.carries_out(sent[number], *given):
                hidden.append(sent[number])
        return copied(sent, hidden) if hidden else sent

    def _apply_links(self, decoder: Decoder, links: Tree) -> None:
        if links != []:
            before, self.reading = self.reading, ("links", 0, None)
            self.links.apply(decoder, links, self.trust.carries_out_at)
            self.reading = before

    # --- serving ----------------------------------------------------------------------------------------------------

    def serve_forever(self) -> None:
        """Serve the other side's requests until it has ended. Raises LineEnded."""
        try:
            while True:
                self._serve(array(self._receive(), 8))
        except BaseException as error:
            self._fail(error)

    def _serve(self, message: list[Any]) -> None:
        _, operation, target, name, args, kwargs, released, links = message
        for handle in array(released):
            self._export_numbers.pop(id(self._exports.pop(handle, None)), None)
        self.calls += 1
        if self.calls > MAX_CALLS:
            raise LineBroken(f"more than {MAX_CALLS} calls")
        decoder = self._decoder()
        before: list[object] = []
        self.exchanging = False
        self.serving += 1
        try:
            self._check_request(operation, name, kwargs)
            self.reading = ("served", target, name)
            arguments, named = self._read_arguments(decoder, args, kwargs, links)
            before = [shallow(container) for container in decoder.containers]
            if self.ambient is not None and self.ambient.heard:
                self.ambient.replay()
            fine, value = True, self._perform(operation, target, name, arguments, named)
        except (LineBroken, LineEnded):
            raise
        except BaseException as error:
            fine, value = False, error
        finally:
            self.serving -= 1
        reply = self._reply(message, value, decoder.containers, before, fine=fine)
        with self._lock:
            self.exchanging = True
            self._send(reply)

    def _check_request(self, operation: object, name: object, kwargs: object) -> None:
        if self.serving > MAX_NESTED:
            raise RecursionError("calls between the tests and the submission are nested too deeply")
        if (name is not None and type(name) is not str) or type(kwargs) is not dict or type(operation) is not str:
            raise LineBroken("a request of another form")

    def _read_arguments(
        self, decoder: Decoder, args: Any, kwargs: dict[str, Any], links: Any
    ) -> tuple[list[Any], dict[str, Any]]:
        try:
            self._apply_links(decoder, links)
            arguments = [decoder.value(arg) for arg in array(args)]
            named = {key: decoder.value(arg) for key, arg in kwargs.items()}
            if decoder.references:
                check_size([arguments, named])
        except BaseException as error:
            self._fail(error)
        return arguments, named

    def _reply(
        self, request: list[Any], value: object, containers: list[object], before: list[object], *, fine: bool
    ) -> Tree:
        encoder = self._encoder()
        encoder.knows(containers)
        state = self.links.state()
        try:
            links = self.links.changes(encoder, value)
            changes: list[Tree] = [
                [position, write_content(encoder, container)]
                for position, (container, old) in enumerate(zip(containers, before, strict=False))
                if not is_same(container, old)
            ]
            if changes:
                refuse_cycles(containers)
            self.links.linking = request[1] == "get"
            if self.links.linking:
                self.links.place = self.trust.place(request[2], request[3])
            tree = encoder.tree(value)
        except (EncodingError, RecursionError) as error:
            self.links.back_to(state)
            fine, changes, links = False, [], []
            tree = self._encoder().tree(
                cannot_cross(error) if isinstance(error, EncodingError) else RecursionError(_DEEP)
            )
        finally:
            self.links.linking = False
        return [request[0], fine, tree, changes, self._take_output(), links]

    # --- messages ---------------------------------------------------------------------------------------------------

    def _fail(self, error: BaseException) -> NoReturn:
        """End the connection: after a broken message neither side can know whose turn it is."""
        if isinstance(error, LineBroken | LineEnded):
            self.failure = error
            raise error
        if isinstance(error, MALFORMED):
            self._break(f"a message that nobody wrote: {error}")
        self.failure, self.cut_off = LineBroken("a call was cut off, by the time limit of a test for one"), True
        raise error

    def _break(self, why: str) -> NoReturn:
        self.failure = LineBroken(why)
        raise self.failure from None

    def _send(self, message: Tree) -> None:
        data = dump(message).encode()
        if len(data) > MAX_MESSAGE:
            data = self._too_large(message, len(data))
        data = len(data).to_bytes(4, "big") + data
        try:
            sent = write(LINE, data)
            while sent < len(data):
                sent += write(LINE, memoryview(data)[sent:])
        except OSError:
            raise LineEnded("the other side has ended") from None

    def _too_large(self, message: Any, size: int) -> bytes:
        error = EncodingError(f"a message of {size >> 20} MiB; {MAX_MESSAGE >> 20} MiB can cross")
        if len(message) != 6:
            raise LineBroken(str(error))
        tree = self._encoder().tree(cannot_cross(error))
        self.links.back_to(({}, {}))  # this side cannot know which of them the other side still has
        return dump([message[0], False, tree, [], ["", ""], []]).encode()

    def _receive(self) -> Tree:
        data = self._buffer or self._read(CHUNK)
        while len(data) < 4:
            data += self._read(CHUNK)
        size = 4 + int.from_bytes(data[:4], "big")
        if size > 4 + MAX_MESSAGE:
            raise LineBroken(f"a message of {size} bytes")
        self.bytes += size
        if self.bytes > MAX_BYTES:
            raise LineBroken(f"more than {MAX_BYTES} bytes")
        if len(data) < size:
            parts, missing = [data], size - len(data)
            while missing > 0:
                parts.append(self._read(min(1 << 20, missing)))
                missing -= len(parts[-1])
            data = b"".join(parts)
        self._buffer = data[size:]
        message = parse(data[4:size])
        if self.overhear is not None:
            self.overhear(message)
        return message

    def _read(self, size: int) -> bytes:
        try:
            data = read(LINE, size)
        except OSError:
            data = b""
        if not data:
            raise LineEnded("the other side has ended")
        return data


def cannot_cross(error: EncodingError) -> TypeError:
    return TypeError(
        f'{error}: it cannot cross between the tests and the submission, which run apart (isolation = "shared" '
        "in the suite's table runs them in one process)"
    )
