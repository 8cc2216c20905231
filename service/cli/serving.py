"""`assay serve`, `assay demo` and `assay token`: the service on this machine."""

import json
import sys
from typing import Annotated

import typer

from service.cli.console import UNEXPECTED, print_table, read_packages, read_settings, tell, wait_for_interrupt


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on. Default: ASSAY_HOST, else this machine only.")] = "",
    port: Annotated[
        int, typer.Option(help="Port to listen on, 0 for a free one. Default: ASSAY_PORT, else 8000.", min=-1)
    ] = -1,
) -> None:
    """Run the service: API, reviewer's pages and worker, until Ctrl-C. Everything is kept in ASSAY_HOME (`.assay`)."""
    from service.wiring import serve as run_service

    changes = ({"host": host} if host else {}) | ({"port": port} if port >= 0 else {})
    run_service(read_settings(**changes), tell)


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

    packages = read_packages([demonstration.examples_folder()])
    settings = read_settings(home=read_settings().home / "demo", port=port)
    with embedded(settings, tell) as (base_url, token):
        with Client(base_url, token) as client, shown_progress(sys.stderr) as progress:
            shown = demonstration.run_demo(client, packages, progress)
        link = "" if no_serve else sign_in_link(settings, base_url)
        if as_json:
            typer.echo(json.dumps(demonstration.as_data(shown, link), indent=2))
        else:
            print_table(demonstration.as_table(shown))
        if not no_serve:
            tell(f"review them (the link signs in once): {link}")
            tell("Ctrl-C ends the service")
            wait_for_interrupt()
    if any(row.surprises for row in shown):
        raise typer.Exit(UNEXPECTED)


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
    typer.echo(new_token(read_settings(), name, frozenset(scope), days=days, sign_in=sign_in))
