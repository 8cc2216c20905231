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

import importlib
import importlib.util
import json
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

CHANNEL = 3
MESSAGE_CHARACTERS = 1000


def read_exactly(size: int) -> bytes:
    parts: list[bytes] = []
    while size:
        part = os.read(CHANNEL, size)
        if not part:
            # The host is done. Not sys.exit: threads and exit hooks of the submission have had their time.
            os._exit(0)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def write_all(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(CHANNEL, view) :]


def load_encoding(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("assay_encoding", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def describe(error: BaseException) -> dict[str, object]:
    """Of an exception: its type, the names of its bases and its text, without trusting any of its methods."""
    kind = type(error)
    try:
        message = str(error)[:MESSAGE_CHARACTERS]
    except BaseException:
        message = ""
    return {"type": kind.__name__, "mro": [base.__name__ for base in kind.__mro__], "message": message}


def load(question: dict[str, str]) -> Callable[..., object]:
    module = importlib.import_module(question["module"])
    function: Callable[..., object] = getattr(module, question["function"])
    return function


def main(folder: str) -> None:
    encoding = load_encoding(Path(__file__).with_name("encoding.py"))
    json_loads, json_dumps = json.loads, json.dumps
    decode, encode, refusal = encoding.from_json, encoding.to_json, encoding.EncodingError
    sys.path.insert(0, folder)
    function: Callable[..., object] = main  # replaced by the first question
    while True:
        (size,) = struct.unpack(">I", read_exactly(4))
        question = json_loads(read_exactly(size))
        answer = {"nonce": question["nonce"]}
        try:
            if "module" in question:
                function = load(question)
                answer["value"] = None
            else:
                args = [decode(tree) for tree in question["args"]]
                kwargs = {name: decode(tree) for name, tree in question["kwargs"].items()}
                answer["value"] = encode(function(*args, **kwargs))
        except refusal as error:
            answer["refused"] = str(error)
        except BaseException as error:  # SystemExit and KeyboardInterrupt too: whatever it raised is its answer
            answer["raised"] = describe(error)
        reply = json_dumps(answer, separators=(",", ":")).encode("ascii")
        write_all(struct.pack(">I", len(reply)) + reply)


if __name__ == "__main__":
    main(sys.argv[1])
