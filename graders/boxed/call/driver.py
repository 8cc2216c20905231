"""Runs inside the box: loads a module and calls one of its functions, once for each question on the channel.

    question    {"nonce": str, "module": str, "function": str}                  first: load
                {"nonce": str, "args": [tree...], "kwargs": {name: tree}}       then: call
    answer      {"nonce": str, "value": tree} or {"nonce": str, "raised": {"type": str, "mro": [str...], "message": str}}
                or {"nonce": str, "refused": str}: the encoding does not have the value

No expected value ever enters this process, so a submission that searches it finds only its own inputs, and one that
writes answers to the channel gains no more than by returning them. Because of the nonce, answers that were written
ahead of their question are worthless.

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
    """Return the type, the names of the bases and the text of an exception, without trusting any of its methods."""
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
    """Return the result of an awaitable, on a loop that all calls share, as they would in one program."""
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
        except BaseException as error:  # SystemExit and KeyboardInterrupt too: any exception is an answer
            answer["raised"] = describe(error)
        send(answer)
