"""The whole hostile suite, again and again, on an engine of its own: does everything hold, and is anything left behind?

Each attack runs before an honest program, and all of a round beside a live neighbour (tests/adversarial/box). What exists is
counted before the sandbox is opened and after it is closed: processes, containers, mounts, cgroups, files, descriptors, threads.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import engine
from engine import Engine
from leftovers import at_rest, left, things
from rich.console import Console
from rich.table import Table

from sandboxes.interface import Sandbox, SandboxError, Tier
from tests.adversarial.box.attack import Attack, honest, neighbour, suffer
from tests.adversarial.box.catalogue import FAMILIES
from tests.adversarial.box.tiers import SEES, TIERS, opened

CONSOLE = Console()


def main() -> None:
    options = _options()
    tier = Tier(options.tier)
    attacks = [
        (f"{family}: {attack.name}", attack)
        for family, attacks in FAMILIES.items()
        for attack in attacks
        if options.only in f"{family}: {attack.name}"
    ]
    with engine.started(CONSOLE.print) as own:
        with opened(tier, own.client, own.image) as sandbox, sandbox.session() as session:
            honest(session)  # what the engine makes once and keeps is there before the count
        before = at_rest(own)
        failures = list(_repeated(own, tier, attacks, options.repeat, options.at_once))
        over = left(own, before)
    table = Table("what", "before", "left behind")
    for kind, names in before.items():
        table.add_row(kind, str(len(names)), ", ".join(over.get(kind, ["nothing"])[:5]))
    CONSOLE.print(table)
    held = not failures and not over
    CONSOLE.print(
        f"{len(attacks)} attacks x {options.repeat}: {len(failures)} did not hold, {len(over)} kinds left behind"
    )
    CONSOLE.print("[bold green]held[/]" if held else "[bold red]NOT held[/]")
    if options.json:
        result = {"tier": tier, "attacks": len(attacks), "repeat": options.repeat, "failures": failures, "left": over}
        options.json.write_text(json.dumps({**result, "held": held}, indent=1) + "\n")
    sys.exit(not held)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeat", type=int, default=50, help="how often the whole suite runs (default: 50)")
    parser.add_argument("--at-once", type=int, default=1, help="so many attacks side by side (default: 1)")
    parser.add_argument("--tier", choices=[tier.value for tier in TIERS], default=Tier.JAIL.value)
    parser.add_argument("--only", default="", metavar="TEXT", help="only attacks with this in their `family: name`")
    parser.add_argument("--json", type=Path, help="file for the result")
    return parser.parse_args()


def _repeated(own: Engine, tier: Tier, attacks: list[tuple[str, Attack]], repeat: int, at_once: int) -> Iterator[str]:
    """Yields what did not hold."""
    began = time.monotonic()
    with opened(tier, own.client, own.image) as sandbox, ThreadPoolExecutor(at_once) as several:
        for round_number in range(1, repeat + 1):
            failures = 0
            for name, wrong in _round(sandbox, tier, attacks, several):
                failures += 1
                CONSOLE.print(f"[red]{name}[/]: {wrong}", markup=True, highlight=False)
                yield f"round {round_number}, {name}: {wrong}"
            spent = time.monotonic() - began
            todo = spent / round_number * (repeat - round_number)
            now = {kind: len(names) for kind, names in things(own).items()}
            CONSOLE.print(
                f"round {round_number} of {repeat}: {failures} of {len(attacks)} did not hold; {spent:.0f} s, {todo:.0f} s to go; "
                f"{now['processes']} processes, {now['containers']} containers, {now['descriptors']} descriptors",
                highlight=False,
            )


def _round(
    sandbox: Sandbox, tier: Tier, attacks: list[tuple[str, Attack]], several: ThreadPoolExecutor
) -> Iterator[tuple[str, str]]:
    """Yields the name of what did not hold, and what was wrong."""
    try:
        with neighbour(sandbox):
            found = several.map(lambda named: _wrong(sandbox, tier, named[1]), attacks)
            for (name, _), wrong in zip(attacks, found, strict=True):
                if wrong:
                    yield name, wrong
    except AssertionError as error:
        yield "the neighbour of all", _said(error)


def _wrong(sandbox: Sandbox, tier: Tier, attack: Attack) -> str:
    try:
        suffer(sandbox, attack, sees=tier in SEES)
    except (AssertionError, SandboxError) as error:
        return _said(error)
    return ""


def _said(error: Exception) -> str:
    cause = f" ({error.__cause__!r})" if error.__cause__ else ""
    facts = f" {error.details}" if isinstance(error, SandboxError) else ""
    return f"{type(error).__name__}: {error}{cause}{facts}"[:600]


if __name__ == "__main__":
    main()
