"""The part that all commands share: exit codes, the terminal, and the service that a command talks to.

Only the imports that every command needs are at the top, so that `assay --help` answers at once.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from service.client import Client
    from service.settings import Settings

UNEXPECTED, MISTAKE, OUR_FAILURE, INTERRUPTED = 1, 2, 3, 130

Server = Annotated[
    str,
    typer.Option(
        "--server",
        envvar="ASSAY_SERVER",
        help="Address of a running service. Default: one is started for this command.",
    ),
]
Token = Annotated[
    str, typer.Option("--token", envvar="ASSAY_TOKEN", help="API token for --server; `assay token` makes one.")
]


@contextmanager
def open_client(server: str, token: str, *, workers: int | None = None) -> "Iterator[Client]":
    """Yield a client of that server, or of a service started for this command on the data in ASSAY_HOME."""
    from service.client import Client

    if server:
        with Client(server, token) as client:
            yield client
        return
    from service.wiring import embedded

    settings = read_settings(port=0) if workers is None else read_settings(port=0, workers=workers)
    with embedded(settings, tell) as (base_url, own_token), Client(base_url, own_token) as client:
        yield client


def read_packages(paths: list[Path]) -> list[Mapping[str, str]]:
    """Return the packages at these places, all read before the first is used."""
    from service.importers.tasks import read_tasks

    return [task.files for path in paths for task in read_tasks(path).values()]


def read_settings(**changes: Any) -> "Settings":
    from service.settings import Settings

    return Settings(**changes)


def tell(message: str) -> None:
    typer.echo(f"assay: {message}", err=True)


def print_table(table: object) -> None:
    from rich.console import Console

    # A pipe or a log does not have a width; 80 columns would fold every cell.
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def wait_for_interrupt() -> None:
    import threading

    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
