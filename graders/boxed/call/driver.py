"""Runs inside the box: loads a module and calls one of its functions, once for each question on the channel.

    question    {"nonce": str, "module": str, "function": str}                  first: load
                {"nonce": str, "args": [tree...], "kwargs": {name: tree}}       then: call
    answer      {"nonce": str, "value": tree} or {"nonce": str, "raised": {"type": str, "mro": [str...], "message": str}}
                or {"nonce": str, "refused": str}: the value has no place in the encoding

No expected value ever comes in here, so a submission that takes this process apart finds its own inputs and nothing
else; one that writes answers itself gains what it would gain by returning them. The nonce makes answers that were
written ahead of their question worthless.

Standard library only, and all of it is imported before the submission's folder becomes importable.
"""

from collections.abc import Callable
from typing import Any

from graders.boxed.shared.channel import receive, send
from graders.boxed.shared.encoding import EncodingError, from_json, to_json
from graders.boxed.shared.search_path import import_submitted, make_importable

MESSAGE_CHARACTERS = 1000
LOOPS: list[Any] = []


def describe(error: BaseException) -> dict[str, object]:
    """Of an exception: its type, the names of its bases and its text, without trusting any of its methods."""
    kind = type(error)
    try:
        message = str(error)[:MESSAGE_CHARACTERS]
    except BaseException:
        message = ""
    return {"type": kind.__name__, "mro": [base.__name__ for base in kind.__mro__], "message": message}


def load(question: dict[str, str]) -> Callable[..., object]:
    function: Callable[..., object] = getattr(import_submitted(question["module"]), question["function"])
    return function


def awaited(awaitable: Any) -> object:
    """What it comes to, on a loop that all calls share, as they would in one program."""
    import asyncio  # noqa: PLC0415 - few submissions need it, and each fork would pay for it

    async def wait() -> object:
        return await awaitable

    if not LOOPS:
        LOOPS.append(asyncio.new_event_loop())
    return LOOPS[0].run_until_complete(wait())


def main(folder: str, prelude: str = "") -> None:
    make_importable(folder, prelude)
    function: Callable[..., object] = main  # replaced by the first question
    while True:
        question = receive()
        answer = {"nonce": question["nonce"]}
        try:
            if "module" in question:
                function = load(question)
                answer["value"] = None
            else:
                args = [from_json(tree) for tree in question["args"]]
                kwargs = {name: from_json(tree) for name, tree in question["kwargs"].items()}
                value = function(*args, **kwargs)
                answer["value"] = to_json(awaited(value) if hasattr(type(value), "__await__") else value)
        except EncodingError as error:
            answer["refused"] = str(error)
        except BaseException as error:  # SystemExit and KeyboardInterrupt too: whatever it raised is its answer
            answer["raised"] = describe(error)
        send(answer)
