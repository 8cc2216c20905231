"""The `assay` program. Each command imports what it needs when it runs, so that `assay --help` answers at once.

Exit codes: 0 done; 1 done, and something is not as it should be (an expectation differs, a run is ungradable); 2 a
mistake in what was asked; 3 we failed (server away, no Docker, no disk); 130 interrupted.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from service.authoring.strength import Strength
    from service.client import Client
    from service.progress import Progress
    from service.settings import Settings

UNEXPECTED, MISTAKE, OUR_FAILURE, INTERRUPTED = 1, 2, 3, 130
SHOWN = 20
"""Lines of a file that are told one by one; the others are counted."""


class Commands(TyperGroup):
    """The commands, inside the fence where an error becomes a sentence on stderr and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # Whoever read our output has seen enough; the interpreter must not try to flush what is left.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except Exception as error:
            code = _exit_code(error)
            if code is None:
                raise
            typer.echo(f"assay: {_in_words(error)}", err=True)
            raise typer.Exit(code) from None


class TaskCommands(TyperGroup):
    """`assay tasks FOLDER...` is short for `assay tasks store FOLDER...`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["store", *args]
        return super().parse_args(ctx, args)


def _in_words(error: Exception) -> str:
    """The error and, where we failed, the facts that an operator needs to find the cause."""
    from sandboxes.interface import SandboxError

    if not isinstance(error, SandboxError):
        return str(error)
    facts = (f"\n  {name}: {value}" for name, value in error.diagnostics().items() if name != "message")
    return str(error) + "".join(facts)


def _exit_code(error: Exception) -> int | None:
    """None for what nobody foresaw: that keeps its traceback."""
    from pydantic import ValidationError

    from graders.interface import TaskUnusable
    from graders.tasks.package import PackageError
    from rubrics.loader import RubricError
    from sandboxes.interface import SandboxError
    from service.client import ApiError
    from service.host.preparation import HostError
    from service.importers.package_text import FormatError
    from service.storage.interface import StorageError

    if isinstance(error, ApiError):
        return MISTAKE if 400 <= error.status < 500 and error.status != 429 else OUR_FAILURE
    if isinstance(error, FormatError | PackageError | RubricError | TaskUnusable | ValidationError | FileNotFoundError):
        return MISTAKE
    return OUR_FAILURE if isinstance(error, HostError | SandboxError | StorageError | OSError) else None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="First steps: `assay demo`. Exit codes: 0 done, 1 not as expected, 2 a mistake in what was asked, 3 we failed.",
)

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


@app.command(epilog="Example: `assay serve --port 8080`")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on. Default: ASSAY_HOST, else this machine only.")] = "",
    port: Annotated[
        int, typer.Option(help="Port to listen on, 0 for a free one. Default: ASSAY_PORT, else 8000.", min=-1)
    ] = -1,
) -> None:
    """Run the service: API, reviewer's pages and worker, until Ctrl-C. Everything is kept in ASSAY_HOME (`.assay`)."""
    from service.wiring import serve as run_service

    changes = ({"host": host} if host else {}) | ({"port": port} if port >= 0 else {})
    run_service(_settings(**changes), _tell)


@app.command(epilog="Example: `assay demo --no-serve --json | jq .as_expected`")
def demo(
    *,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="End after the table.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the table as JSON, and nothing else, on stdout.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port of the service, 0 for a free one.", min=0, max=65535)] = 0,
) -> None:
    """Set this machine up, run all example submissions, and show what a reviewer would see.

    A second run finds the runs of the first again. Remove `.assay/demo` to run everything anew.
    """
    from service.cli import demo as demonstration
    from service.client import Client
    from service.progress import shown_progress
    from service.wiring import embedded, sign_in_link

    packages = _read_packages([demonstration.examples_folder()])
    settings = _settings(home=_settings().home / "demo", port=port)
    with embedded(settings, _tell) as (base_url, token):
        with Client(base_url, token) as client, shown_progress(sys.stderr) as progress:
            shown = demonstration.run_demo(client, packages, progress)
        link = "" if no_serve else sign_in_link(settings, base_url)
        if as_json:
            typer.echo(json.dumps(demonstration.as_data(shown, link), indent=2))
        else:
            _print(demonstration.as_table(shown))
        if not no_serve:
            _tell(f"review them (the link signs in once): {link}")
            _tell("Ctrl-C ends the service")
            _wait_for_interrupt()
    if any(row.surprises for row in shown):
        raise typer.Exit(UNEXPECTED)


@app.command(
    "eval",
    epilog="Example: `assay eval HumanEvalPlus.jsonl.gz --samples samples.jsonl --out results.jsonl`",
)
def evaluate(
    tasks: Annotated[
        Path, typer.Argument(help="Folder of a task package or of several, or what `assay tasks import` takes.")
    ],
    samples: Annotated[
        Path, typer.Option(help="Solutions, a JSON object a line: task_id, and solution, completion or files.")
    ],
    out: Annotated[
        Path, typer.Option(help="Results, a line each. Repeating the command goes on where it was interrupted.")
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
    with _client(server, token) as client, shown_progress(sys.stderr) as progress:
        summary = run_evaluation(client, all_tasks, all_samples, out, progress)
    counts = (
        ", ".join(f"{count} {outcome}" for outcome, count in sorted(summary.outcomes.items())) or "nothing left to do"
    )
    _tell(f"{out}: {counts}" + (f"; {summary.kept} were there already" if summary.kept else ""))
    if disputed := summary.outcomes.get("disputed", 0):
        _tell(
            f"{disputed} disputed, which is neither passed nor failed (their reward is null): "
            "two examinations disagree, and a reviewer decides"
        )
    for trouble in summary.troubles:
        _tell(f"ungradable: {trouble}")
    for line in summary.left_out[:SHOWN]:
        _tell(f"left out: {line}")
    if summary.left_out:
        _tell(f"{len(summary.left_out)} left out in all; the results have a row for each that has an id of its own")
    if summary.troubles or summary.left_out:
        raise typer.Exit(UNEXPECTED)


@app.command(epilog="Example: `assay verify examples/median`")
def verify(
    packages: Annotated[list[Path], typer.Argument(help="Folders of task packages, or of several of them.")],
    server: Server = "",
    token: Token = "",
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Only run the submissions; do not try the suites.")] = False,
    seconds: Annotated[
        float, typer.Option(help="For trying the suites of a package; what was not run by then is left out.", min=1)
    ] = 120,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, and nothing else, on stdout.")
    ] = False,
) -> None:
    """Run the submissions of task packages, compare with what their author expects of them, and say what the suites notice.

    The second part runs mutants of the reference, answers that do nothing, and the reference itself under load, in boxes
    on this host. Exit code 1 where a submission ends otherwise than stated, a case is flaky, or a trivial answer passes.
    """
    from service.authoring import strength_report
    from service.authoring.verify import as_data, as_text
    from service.authoring.verify import verify as run_verification
    from service.progress import shown_progress

    contents = _read_packages(packages)
    with shown_progress(sys.stderr) as progress:
        with _client(server, token) as client:
            reports = [run_verification(files, client, progress) for files in contents]
        # What a suite notices is asked with the reference as the measure.
        tried = [number for number, report in enumerate(reports) if report.reference_passed and not quick]
        strengths = dict(zip(tried, _strengths([contents[number] for number in tried], progress, seconds), strict=True))
    if as_json:
        document = as_data(reports)
        for number, strength in strengths.items():
            document["tasks"][number]["strength"] = strength_report.as_data(strength)
        typer.echo(json.dumps(document, indent=2))
    else:
        typer.echo(as_text(reports))
        for strength in strengths.values():
            typer.echo(f"\n{strength_report.as_text(strength)}")
    if not all(report.as_stated for report in reports) or not all(each.sound for each in strengths.values()):
        raise typer.Exit(UNEXPECTED)


def _strengths(contents: "list[Mapping[str, str]]", progress: "Progress", seconds: float) -> "Iterator[Strength]":
    """What the suites of these packages notice, one after the other."""
    from graders.tasks.package import load
    from sandboxes.tiers import strictest
    from service.authoring.strength import strength
    from service.host.preparation import prepare

    settings = _settings()
    if not contents:
        return
    with prepare(_tell, base_image=settings.base_image, minimum=settings.minimum_tier) as tiers:
        for files in contents:
            sandbox = tiers.at_least(strictest(settings.minimum_tier, load(files).minimum_tier))
            yield strength(files, sandbox, progress, seconds=seconds)


@app.command(epilog="Example: `assay amplify examples/median`")
def amplify(
    package: Annotated[Path, typer.Argument(help="Folder of a task package.")],
    *,
    cases: Annotated[int, typer.Option(help="Propose so many cases at most.", min=1)] = 100,
    seconds: Annotated[float, typer.Option(help="Programs that were not run after so many are left out.", min=1)] = 60,
    seed: Annotated[int, typer.Option(help="The same seed makes the same inputs.")] = 1,
    accept: Annotated[
        bool,
        typer.Option(
            "--accept", help="Put the cases into the package: those of the proposed file, where there is one."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, and nothing else, on stdout.")
    ] = False,
) -> None:
    """Propose cases that notice mistakes which a task's suites let pass, found by asking its reference.

    They are written beside the package, into PACKAGE.amplified.jsonl; look at them, remove lines, and --accept the rest.
    """
    from graders.tasks.package import load
    from sandboxes.tiers import strictest
    from service.authoring.amplify import file as amplify_file
    from service.authoring.amplify.amplify import amplify as run_amplification
    from service.authoring.amplify.report import as_data, as_text
    from service.host.preparation import prepare
    from service.packages import read_folder
    from service.progress import shown_progress

    proposed = amplify_file.beside(package)
    if not (accept and proposed.exists()):
        settings = _settings()
        files = read_folder(package)
        with (
            prepare(_tell, base_image=settings.base_image, minimum=settings.minimum_tier) as tiers,
            shown_progress(sys.stderr) as progress,
        ):
            sandbox = tiers.at_least(strictest(settings.minimum_tier, load(files).minimum_tier))
            report = run_amplification(files, sandbox, progress, seed=seed, seconds=seconds, most=cases)
        amplify_file.write(proposed, report)
        typer.echo(json.dumps(as_data(report, str(proposed)), indent=2) if as_json else as_text(report, str(proposed)))
    if accept and proposed.exists():
        for path in amplify_file.accept(package, proposed):
            _tell(f"{path}: changed")


@app.command(epilog="Example: `assay doctor --tier container`")
def doctor(
    *,
    tier: Annotated[str, typer.Option(help="Look at this tier only: jail, container or gvisor.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the table as JSON, and nothing else, on stdout.")
    ] = False,
) -> None:
    """Say what this host can enforce, tier by tier, and what to do about the rest. Nothing is installed or started.

    Exit code 0 where the tier of --tier (or ASSAY_MINIMUM_TIER) holds, else 1.
    """
    from sandboxes.interface import Tier
    from service.host.doctor import as_data, as_table, examine
    from service.plugins import report as plugin_report
    from service.wiring import installed

    if tier not in ("", *Tier):
        raise typer.BadParameter(f"one of {', '.join(Tier)}, not {tier!r}", param_hint="--tier")
    settings = _settings()
    tiers = (Tier(tier),) if tier else tuple(Tier)
    diagnosis = examine(tiers, _tell, base_image=settings.base_image)
    plugins = installed(settings)
    if as_json:
        document = {**as_data(diagnosis, tiers), "plugins": plugin_report.as_data(plugins)}
        typer.echo(json.dumps(document, indent=2))
    else:
        _print(as_table(diagnosis, tiers))
        _print(plugin_report.as_text(plugins))
    if not diagnosis.holds(Tier(tier) if tier else settings.minimum_tier):
        raise typer.Exit(UNEXPECTED)


@app.command(epilog="Example: `assay export --format preference --out pairs.jsonl`")
def export(
    format: Annotated[str, typer.Option(help="preference, kto or jsonl.")],
    out: Annotated[Path | None, typer.Option(help="File to write. Default: stdout.")] = None,
    server: Server = "",
    token: Token = "",
) -> None:
    """Write what reviewers decided as training data. Nothing that only the machine suggested is in it."""
    with _client(server, token, workers=0) as client:
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
    _tell(f"{out}: {count} rows")


@app.command(epilog="Example: `assay token alice --scope reviewer --sign-in`")
def token(
    name: Annotated[str, typer.Argument(help="Who will use it; shown beside what was done with it.")],
    scope: Annotated[list[str], typer.Option(help="submitter, author, reviewer or admin; may be repeated.")],
    days: Annotated[int, typer.Option(help="How long an API token is valid.", min=1)] = 90,
    *,
    sign_in: Annotated[
        bool, typer.Option("--sign-in", help="Make a link instead that signs a person in to the pages, once.")
    ] = False,
) -> None:
    """Make an API token, or a sign-in link, for the service that keeps its data in ASSAY_HOME. It is shown once."""
    from service.edge.access import SCOPES
    from service.wiring import new_token

    unknown = sorted(set(scope) - SCOPES)
    if unknown:
        raise typer.BadParameter(f"one of {', '.join(sorted(SCOPES))}, not {unknown[0]!r}", param_hint="--scope")
    typer.echo(new_token(_settings(), name, frozenset(scope), days=days, sign_in=sign_in))


tasks_app = typer.Typer(
    cls=TaskCommands,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Make, import and store task packages. `assay tasks FOLDER` is short for `assay tasks store FOLDER`.",
)
app.add_typer(tasks_app, name="tasks")


@tasks_app.command(epilog="Example: `assay tasks init my-task --kind call`")
def init(
    name: Annotated[Path, typer.Argument(help="Folder to make; its last part becomes the id of the task.")],
    kind: Annotated[str, typer.Option(help="Kind of its suite: call, stdio, pytest, property or program.")] = "call",
) -> None:
    """Make a task package to start from. It passes `assay verify` as it is; its comments say what to put where."""
    from service.authoring.scaffold import KINDS, make_package

    if kind not in KINDS:
        raise typer.BadParameter(f"one of {', '.join(KINDS)}, not {kind!r}", param_hint="--kind")
    make_package(name, kind)
    _tell(f"{name} is made. Look at its task.toml, then: assay verify {name}")


@tasks_app.command("import", epilog="Example: `assay tasks import auto HumanEvalPlus.jsonl.gz --out my-tasks`")
def import_(
    format: Annotated[
        str,
        typer.Argument(
            help="auto, humaneval, humaneval+, humanevalpack, bigcodebench, mbpp, mbpp+, classeval, apps, livecodebench, kattis or quixbugs."
        ),
    ],
    files: Annotated[list[Path], typer.Argument(help="Files, or folders for kattis and quixbugs.")],
    out: Annotated[Path, typer.Option(help="Folder for the task packages, one folder for each.")],
    limit: Annotated[int | None, typer.Option(help="Import the first so many tasks only.", min=1)] = None,
    solutions: Annotated[
        Path | None,
        typer.Option(
            help="Solutions known to be right, a JSON object a line (task_id, solution), where the benchmark has none."
        ),
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the task packages that are in --out.")] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Leave out tasks that cannot be imported, and say why.")
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
        _tell(f"left out: {reason}")
    for note in imported.notes:
        _tell(f"note: {note}")
    _tell(f"{out}: {imported.written} task packages")
    if imported.needs:
        names = ", ".join(f"{name} ({count})" for name, count in imported.needs.items())
        _tell(
            f"{imported.needy} of them need what a box does not have, and are ungradable without: {names}; see ASSAY_BASE_IMAGE"
        )
    if imported.left_out:
        raise typer.Exit(UNEXPECTED)


@tasks_app.command(epilog="Example: `assay tasks store my-task --server http://127.0.0.1:8000 --token ...`")
def store(
    packages: Annotated[list[Path], typer.Argument(help="Folders of task packages, or of several of them.")],
    server: Server = "",
    token: Token = "",
) -> None:
    """Store task packages in the service. A version that is there already stays as it is."""
    contents = _read_packages(packages)
    with _client(server, token, workers=0) as client:
        for files in contents:
            task = client.put_task(files)
            typer.echo(f"{task.task_id} {task.version} {'stored' if task.created else 'was there already'}")


@app.command(
    "test",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog="Example: `./assay test --fast`, `./assay test -k encoding`; `pytest --help` tells pytest's own options",
)
def run_tests(
    context: typer.Context,
    *,
    fast: Annotated[
        bool,
        typer.Option(
            "--fast", help="Only what needs no engine, no browser and no type check: a minute. Prepares nothing."
        ),
    ] = False,
    box: Annotated[
        str, typer.Option(metavar="TIER", help="Only what runs in boxes of this tier: `jail`, `container` or `gvisor`.")
    ] = "",
    nightly: Annotated[
        bool,
        typer.Option("--nightly", help="Only what is long and shows again what the other tests show, in all tiers."),
    ] = False,
) -> None:
    """Run the project's own tests, all but the nightly ones. Everything else on the line goes to pytest.

    Marks, for pytest's -m, which takes the place of a selection: box, jail, container, gvisor, browser, gate, slow, nightly.
    """
    from sandboxes.interface import Tier
    from service.host import selftest

    if fast + bool(box) + nightly > 1:
        raise typer.BadParameter("expected one of --fast, --box and --nightly")
    if box and box not in list(Tier):
        raise typer.BadParameter(f"--box: expected one of {', '.join(Tier)}, got {box}")
    selection = selftest.WHOLE
    if fast:
        selection = selftest.FAST
    elif nightly:
        selection = selftest.NIGHTLY
    elif box:
        selection = selftest.of_tier(Tier(box))
    raise typer.Exit(selftest.run(selection, context.args))


@contextmanager
def _client(server: str, token: str, *, workers: int | None = None) -> "Iterator[Client]":
    """A client of that server, or of a service that is started for this command, on the data in ASSAY_HOME."""
    from service.client import Client

    if server:
        with Client(server, token) as client:
            yield client
        return
    from service.wiring import embedded

    settings = _settings(port=0) if workers is None else _settings(port=0, workers=workers)
    with embedded(settings, _tell) as (base_url, own_token), Client(base_url, own_token) as client:
        yield client


def _read_packages(paths: list[Path]) -> list[Mapping[str, str]]:
    """The packages at these places, all read before the first is used."""
    from service.importers.tasks import read_tasks

    return [task.files for path in paths for task in read_tasks(path).values()]


def _settings(**changes: Any) -> "Settings":
    from service.settings import Settings

    return Settings(**changes)


def _tell(message: str) -> None:
    typer.echo(f"assay: {message}", err=True)


def _print(table: object) -> None:
    from rich.console import Console

    # A pipe or a log has no width of its own; 80 columns would fold every cell.
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _wait_for_interrupt() -> None:
    import threading

    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return


def main() -> None:
    app()
