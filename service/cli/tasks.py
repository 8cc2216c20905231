"""`assay tasks`: make, import and store task packages."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from service.cli.console import UNEXPECTED, Server, Token, open_client, read_packages, tell


class TaskCommands(TyperGroup):
    """`assay tasks FOLDER...` is short for `assay tasks store FOLDER...`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["store", *args]
        return super().parse_args(ctx, args)


def init(
    name: Annotated[Path, typer.Argument(help="Folder to make; its last part becomes the id of the task.")],
    kind: Annotated[str, typer.Option(help="Kind of its suite: call, stdio, pytest, property or program.")] = "call",
) -> None:
    """Make a task package to start from. It passes `assay verify` as it is; its comments say what to put where."""
    from service.authoring.scaffold import KINDS, make_package

    if kind not in KINDS:
        raise typer.BadParameter(f"one of {', '.join(KINDS)}, not {kind!r}", param_hint="--kind")
    make_package(name, kind)
    tell(f"{name} is made. Look at its task.toml, then: assay verify {name}")


def import_(
    format: Annotated[
        str,
        typer.Argument(
            help="auto, humaneval, humaneval+, humanevalpack, bigcodebench, mbpp, mbpp+, classeval, apps, livecodebench, kattis or quixbugs."
        ),
    ],
    files: Annotated[list[Path], typer.Argument(help="Files, or folders for kattis and quixbugs.")],
    out: Annotated[Path, typer.Option(help="Folder for the task packages, one folder for each.")],
    limit: Annotated[
        int | None, typer.Option(help="Import only this number of tasks, from the first on.", min=1)
    ] = None,
    solutions: Annotated[
        Path | None,
        typer.Option(
            help="Solutions known to be right, a JSON object a line (task_id, solution), if the benchmark has none."
        ),
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the task packages that are in --out.")] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Leave out tasks that cannot be imported, and report why.")
    ] = False,
) -> None:
    """Make task packages of the tasks of a benchmark, or of Kattis problem packages. Needs no service."""
    from service.batch_eval.samples import read_solutions
    from service.importers.tasks import NAMES
    from service.importers.write import import_tasks
    from service.progress import shown_progress

    if format not in NAMES:
        raise typer.BadParameter(f"one of {', '.join(NAMES)}, not {format!r}", param_hint="FORMAT")
    known = {} if solutions is None else read_solutions(solutions)
    with shown_progress(sys.stderr) as progress:
        imported = import_tasks(
            files, format, out, progress, solutions=known, limit=limit, force=force, keep_going=keep_going
        )
    for reason in imported.left_out:
        tell(f"left out: {reason}")
    for note in imported.notes:
        tell(f"note: {note}")
    tell(f"{out}: {imported.written} task packages")
    if imported.needs:
        names = ", ".join(f"{name} ({count})" for name, count in imported.needs.items())
        tell(
            f"{imported.needy} of them need what a box does not have, and are ungradable without: {names}; see ASSAY_BASE_IMAGE"
        )
    if imported.left_out:
        raise typer.Exit(UNEXPECTED)


def store(
    packages: Annotated[list[Path], typer.Argument(help="Folders of task packages, or of several of them.")],
    server: Server = "",
    token: Token = "",
) -> None:
    """Store task packages in the service. A version that is there already stays as it is."""
    contents = read_packages(packages)
    with open_client(server, token, workers=0) as client:
        for files in contents:
            task = client.put_task(files)
            typer.echo(f"{task.task_id} {task.version} {'stored' if task.created else 'was there already'}")
