"""`assay verify` and `assay amplify`: try the suites of a task package."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli.console import UNEXPECTED, Server, Token, open_client, read_packages, read_settings, tell

if TYPE_CHECKING:
    from service.authoring.strength import Strength
    from service.progress import Progress


def verify(
    packages: Annotated[list[Path], typer.Argument(help="Folders of task packages, or of several of them.")],
    server: Server = "",
    token: Token = "",
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Only run the submissions; do not try the suites.")] = False,
    seconds: Annotated[
        float,
        typer.Option(
            help="Time limit for trying the suites of a package; programs that have not run by then are left out.",
            min=1,
        ),
    ] = 120,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON, and nothing else, on stdout.")
    ] = False,
) -> None:
    """Run the submissions of task packages, compare with what their author expects of them, and report what the suites notice.

    The second part runs mutants of the reference, answers that do nothing, and the reference itself under load, in boxes
    on this host. Exit code 1 if a submission ends otherwise than stated, a case is flaky, or a trivial answer passes.
    """
    from service.authoring import strength_report
    from service.authoring.verify import as_data, as_text
    from service.authoring.verify import verify as run_verification
    from service.progress import shown_progress

    contents = read_packages(packages)
    with shown_progress(sys.stderr) as progress:
        with open_client(server, token) as client:
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
    """Yield what the suites of each package notice."""
    from graders.tasks.package import load
    from sandboxes.tiers import strictest
    from service.authoring.strength import strength
    from service.host.preparation import prepare

    settings = read_settings()
    if not contents:
        return
    with prepare(tell, base_image=settings.base_image, minimum=settings.minimum_tier) as tiers:
        for files in contents:
            sandbox = tiers.at_least(strictest(settings.minimum_tier, load(files).minimum_tier))
            yield strength(files, sandbox, progress, seconds=seconds)


def amplify(
    package: Annotated[Path, typer.Argument(help="Folder of a task package.")],
    *,
    cases: Annotated[int, typer.Option(help="Propose at most this number of cases.", min=1)] = 100,
    seconds: Annotated[
        float, typer.Option(help="Time limit; programs that have not run by then are left out.", min=1)
    ] = 60,
    seed: Annotated[int, typer.Option(help="The same seed makes the same inputs.")] = 1,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="Put the cases into the package: those of the proposed file, if it exists."),
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
        settings = read_settings()
        files = read_folder(package)
        with (
            prepare(tell, base_image=settings.base_image, minimum=settings.minimum_tier) as tiers,
            shown_progress(sys.stderr) as progress,
        ):
            sandbox = tiers.at_least(strictest(settings.minimum_tier, load(files).minimum_tier))
            report = run_amplification(files, sandbox, progress, seed=seed, seconds=seconds, most=cases)
        amplify_file.write(proposed, report)
        typer.echo(json.dumps(as_data(report, str(proposed)), indent=2) if as_json else as_text(report, str(proposed)))
    if accept and proposed.exists():
        for path in amplify_file.accept(package, proposed):
            tell(f"{path}: changed")
