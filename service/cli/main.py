"""The `assay` program: the table of its commands.

Each command imports what it needs when it runs, so that `assay --help` answers at once.

Exit codes: 0 done; 1 done, and something is not as it should be (an expectation differs, a run is ungradable); 2 a
mistake in what was asked; 3 we failed (server away, no Docker, no disk); 130 interrupted.
"""

from typing import Annotated

import typer

from service.cli.authoring import amplify, verify
from service.cli.errors import Commands
from service.cli.evaluation import evaluate, export
from service.cli.machine import doctor, run_tests
from service.cli.serving import demo, serve, token
from service.cli.tasks import TaskCommands, import_, init, store

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="First steps: `assay demo`. Exit codes: 0 done, 1 not as expected, 2 a mistake in what was asked, 3 we failed.",
)
tasks_app = typer.Typer(
    cls=TaskCommands,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Make, import and store task packages. `assay tasks FOLDER` is short for `assay tasks store FOLDER`.",
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        from importlib.metadata import version

        typer.echo(f"assay {version('assay')}")
        raise typer.Exit


@app.callback()
def assay(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Runs AI-written code against hidden tests in isolated containers, and pre-fills the rubric for human reviewers."""


app.command(epilog="Example: `assay serve --port 8080`")(serve)
app.command(epilog="Example: `assay demo --no-serve --json | jq .as_expected`")(demo)
app.command("eval", epilog="Example: `assay eval HumanEvalPlus.jsonl.gz --samples samples.jsonl --out results.jsonl`")(
    evaluate
)
app.command(epilog="Example: `assay verify examples/median`")(verify)
app.command(epilog="Example: `assay amplify examples/median`")(amplify)
app.command(epilog="Example: `assay doctor --tier container`")(doctor)
app.command(epilog="Example: `assay export --format preference --out pairs.jsonl`")(export)
app.command(epilog="Example: `assay token alice --scope reviewer --sign-in`")(token)
app.command(
    "test",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="Example: `./assay test --fast`, `./assay test -k encoding`; `pytest --help` lists pytest's own options",
)(run_tests)

app.add_typer(tasks_app, name="tasks")
tasks_app.command(epilog="Example: `assay tasks init my-task --kind call`")(init)
tasks_app.command("import", epilog="Example: `assay tasks import auto HumanEvalPlus.jsonl.gz --out my-tasks`")(import_)
tasks_app.command(epilog="Example: `assay tasks store my-task --server http://127.0.0.1:8000 --token ...`")(store)


def main() -> None:
    app()
