"""The fence around every command: an error becomes a sentence on stderr and an exit code."""

import os
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from service.cli.console import INTERRUPTED, MISTAKE, OUR_FAILURE


class Commands(TyperGroup):
    """Turns an error of a command into a sentence on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # The reader closed the pipe; the interpreter must not try to flush the rest.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except Exception as error:
            code = exit_code(error)
            if code is None:
                raise
            typer.echo(f"assay: {in_words(error)}", err=True)
            raise typer.Exit(code) from None


def in_words(error: Exception) -> str:
    """Return the error in words; for a failure of ours with the facts that an operator needs to find the cause."""
    from sandboxes.interface import SandboxError

    if not isinstance(error, SandboxError):
        return str(error)
    facts = (f"\n  {name}: {value}" for name, value in error.diagnostics().items() if name != "message")
    return str(error) + "".join(facts)


def exit_code(error: Exception) -> int | None:
    """Return the exit code of an error; None for an unforeseen one, which keeps its traceback."""
    from pydantic import ValidationError

    from graders.interface import TaskUnusable
    from graders.tasks.package import PackageError
    from rubrics.input_error import InputError
    from sandboxes.interface import SandboxError
    from service.client import ApiError
    from service.host.preparation import HostError
    from service.storage.interface import StorageError

    if isinstance(error, ApiError):
        return MISTAKE if 400 <= error.status < 500 and error.status != 429 else OUR_FAILURE
    if isinstance(error, InputError | PackageError | TaskUnusable | ValidationError | FileNotFoundError):
        return MISTAKE
    return OUR_FAILURE if isinstance(error, HostError | SandboxError | StorageError | OSError) else None
