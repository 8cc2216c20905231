"""A command for a box as JSON: how a plugin's process asks for one (service/plugins/grader.py)."""

from base64 import b64decode, b64encode
from dataclasses import asdict
from typing import Any

from sandboxes.interface import Command, Harness, Limits


def command_to_json(command: Command) -> dict[str, Any]:
    """Return the fields of the command; bytes in base 64."""
    return {
        "argv": list(command.argv),
        "harness": {path: text_of_bytes(content) for path, content in command.harness.files},
        "preload": list(command.harness.preload),
        "files": {path: text_of_bytes(content) for path, content in command.files.items()},
        "stdin": text_of_bytes(command.stdin),
        "limits": asdict(command.limits),
        "environment": dict(command.environment),
    }


def command_from_json(row: Any) -> Command:
    """Return the inverse of `command_to_json`. Raises ValueError for any other object, and for impossible limits."""
    try:
        return Command(
            argv=tuple(_texts(row["argv"])),
            harness=Harness(
                files=tuple((path, bytes_of_text(text)) for path, text in row["harness"].items()),
                preload=tuple(_texts(row["preload"])),
            ),
            files={path: bytes_of_text(text) for path, text in row["files"].items()},
            stdin=bytes_of_text(row["stdin"]),
            limits=Limits(**{name: _number(value) for name, value in row["limits"].items()}),
            environment=dict(zip(row["environment"], _texts(row["environment"].values()), strict=True)),
        )
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"it is not a command for a box ({type(error).__name__}: {error})") from error


def text_of_bytes(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def bytes_of_text(text: Any) -> bytes:
    """Return the inverse of `text_of_bytes`. Raises ValueError or TypeError."""
    return b64decode(text, validate=True)


def _texts(values: Any) -> list[str]:
    texts = list(values)
    if not all(isinstance(each, str) for each in texts):
        raise ValueError("it is not a command for a box (expected texts)")
    return texts


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("it is not a command for a box (a limit is a number)")  # noqa: TRY004 - one kind of error for all
    return value
