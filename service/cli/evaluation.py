"""`assay eval` and `assay export`: solutions in, verdicts and training data out."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from service.cli.console import UNEXPECTED, Server, Token, open_client, tell

SHOWN = 20
"""Most lines of a file that are listed; the others are counted."""


def evaluate(
    tasks: Annotated[
        Path, typer.Argument(help="Folder of a task package or of several, or what `assay tasks import` takes.")
    ],
    samples: Annotated[
        Path, typer.Option(help="Solutions, a JSON object a line: task_id, and solution, completion or files.")
    ],
    out: Annotated[
        Path, typer.Option(help="Results, a line each. If the command was interrupted, repeat it to continue.")
    ],
    server: Server = "",
    token: Token = "",
) -> None:
    """Evaluate a file of solutions."""
    from service.batch_eval.command import evaluate as run_evaluation
    from service.batch_eval.samples import read_samples
    from service.importers.tasks import read_tasks
    from service.progress import shown_progress

    all_tasks = read_tasks(tasks)
    all_samples = read_samples(samples)
    with open_client(server, token) as client, shown_progress(sys.stderr) as progress:
        summary = run_evaluation(client, all_tasks, all_samples, out, progress)
    counts = (
        ", ".join(f"{count} {outcome}" for outcome, count in sorted(summary.outcomes.items())) or "nothing left to do"
    )
    tell(f"{out}: {counts}" + (f"; {summary.kept} were there already" if summary.kept else ""))
    if disputed := summary.outcomes.get("disputed", 0):
        tell(
            f"{disputed} disputed, which is neither passed nor failed (their reward is null): "
            "two examinations disagree, and a reviewer decides"
        )
    for trouble in summary.troubles:
        tell(f"ungradable: {trouble}")
    for line in summary.left_out[:SHOWN]:
        tell(f"left out: {line}")
    if summary.left_out:
        tell(f"{len(summary.left_out)} left out in all; the results have a row for each that has an id of its own")
    if summary.troubles or summary.left_out:
        raise typer.Exit(UNEXPECTED)


def export(
    format: Annotated[str, typer.Option(help="preference, kto or jsonl.")],
    out: Annotated[Path | None, typer.Option(help="File to write. Default: stdout.")] = None,
    server: Server = "",
    token: Token = "",
) -> None:
    """Write what reviewers decided as training data. Nothing that only the machine suggested is in it."""
    with open_client(server, token, workers=0) as client:
        lines = client.export(format)
        if out is None:
            for line in lines:
                typer.echo(line)
            return
        draft = out.with_name(f"{out.name}.new")
        with draft.open("w", encoding="utf-8") as file:
            count = sum(1 for line in lines if file.write(f"{line}\n"))
        # Only a whole export takes the place of an older one.
        draft.replace(out)
    tell(f"{out}: {count} rows")
