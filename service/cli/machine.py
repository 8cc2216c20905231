"""`assay doctor` and `assay test`: this machine and this checkout."""

import json
from typing import Annotated

import typer

from service.cli.console import UNEXPECTED, print_table, read_settings, tell


def doctor(
    *,
    tier: Annotated[str, typer.Option(help="Look at this tier only: jail, container or gvisor.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the table as JSON, and nothing else, on stdout.")
    ] = False,
) -> None:
    """Report what this host can enforce, tier by tier, and what to do about the rest. Nothing is installed or started.

    Exit code 0 if the tier of --tier (or ASSAY_MINIMUM_TIER) holds, else 1.
    """
    from sandboxes.interface import Tier
    from service.host.doctor import as_data, as_table, examine
    from service.plugins import report as plugin_report
    from service.wiring import installed

    if tier not in ("", *Tier):
        raise typer.BadParameter(f"one of {', '.join(Tier)}, not {tier!r}", param_hint="--tier")
    settings = read_settings()
    tiers = (Tier(tier),) if tier else tuple(Tier)
    diagnosis = examine(tiers, tell, base_image=settings.base_image)
    plugins = installed(settings)
    if as_json:
        document = {**as_data(diagnosis, tiers), "plugins": plugin_report.as_data(plugins)}
        typer.echo(json.dumps(document, indent=2))
    else:
        print_table(as_table(diagnosis, tiers))
        print_table(plugin_report.as_text(plugins))
    if not diagnosis.holds(Tier(tier) if tier else settings.minimum_tier):
        raise typer.Exit(UNEXPECTED)


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
        typer.Option("--nightly", help="Only the long tests that repeat the others in all tiers."),
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
