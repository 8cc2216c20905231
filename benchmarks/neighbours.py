"""Honest submissions beside ones that use up what the kernel counts by user: is every honest one graded as if it were alone?

Through the HTTP API of a service of its own, with attackers under way all the time. For each attack it prints how many honest runs were
graded wrongly, flagged or not graded, and how many needed more than one attempt.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from threading import Event, Thread

from rich.console import Console
from rich.table import Table

from service.client import Client
from service.packages import read_folder
from service.schemas import RunOut, SubmissionIn
from service.settings import Settings
from service.wiring import embedded
from tests.adversarial.box.accounts import ACCOUNTS

CONSOLE = Console()
MEDIAN = Path(__file__).parents[1] / "examples" / "median"
ATTACKERS = 2
"""Under way at a time; each holds for as long as its limits let it."""
HOLDS = """
import time
def hold():
{uses_up}
    time.sleep(9)
    return locals()
kept = []
def median(values):
    kept.append(hold())
    return sorted(values)[len(values) // 2]
"""
FLICKERS = """
import array, socket, time
def median(values):
    end = time.monotonic() + 9
    while time.monotonic() < end:
        one, other = socket.socketpair()
        try:
            while True: one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0] * 253))])
        except OSError: pass
        time.sleep(0.06)
        one.close(), other.close()
        time.sleep(0.12)
    return sorted(values)[len(values) // 2]
"""


def main() -> None:
    options = _options()
    results = {}
    with tempfile.TemporaryDirectory(prefix="assay-neighbours-") as home:
        settings = Settings(home=Path(home), port=0, workers=ATTACKERS + (os.cpu_count() or 1))
        with embedded(settings, CONSOLE.print) as (url, token):
            with Client(url, token) as client:
                client.put_task(read_folder(MEDIAN))
            for name, code in attacks():
                if options.only in name:
                    results[name] = beside(url, token, name, code, options.runs)
    table = Table("beside", "honest runs", "wrong", "flagged", "not graded", "second attempts", "attackers", "runs/s")
    for name, found in results.items():
        table.add_row(
            name, *(str(found[key]) for key in ("runs", "wrong", "flagged", "ungradable", "again", "attackers", "rate"))
        )
    CONSOLE.print(table)
    held = not any(found[key] for found in results.values() for key in ("wrong", "flagged", "ungradable"))
    CONSOLE.print("[bold green]held[/]" if held else "[bold red]NOT held[/]")
    if options.json:
        options.json.write_text(json.dumps({"attacks": results, "held": held}, indent=1) + "\n")
    sys.exit(not held)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=1000, help="honest runs beside each attack")
    parser.add_argument("--only", default="", help="attacks whose name has this in it")
    parser.add_argument("--json", type=Path, help="write the result to this file")
    return parser.parse_args()


def attacks() -> Iterator[tuple[str, str]]:
    for name, account in ACCOUNTS.items():
        lines = dedent(account.uses_up).strip().splitlines()
        yield name, HOLDS.format(uses_up="\n".join(f"    {line}" for line in lines))
    yield "descriptors under way, now and then", FLICKERS


def beside(url: str, token: str, name: str, code: str, runs: int) -> dict[str, float]:
    """Return the results of `runs` honest submissions while attackers hold."""
    begun, enough, ended = Event(), Event(), Counter[str]()

    def attack(number: int) -> None:
        with Client(url, token) as client:
            while not enough.is_set():
                tag = f"{name}/{number}/{time.monotonic_ns()}"
                begun.set()
                for run in client.run_many([_submission(f"{code}# {tag}\n", tag)], tag=tag):
                    ended[run.outcome or ""] += 1

    threads = [Thread(target=attack, args=(number,)) for number in range(ATTACKERS)]
    for thread in threads:
        thread.start()
    begun.wait()
    solutions = [file.read_text() for file in sorted((MEDIAN / "submissions" / "accepted").iterdir())]
    tag = f"{name}/honest"
    requests = (_submission(f"{solutions[number % len(solutions)]}# {number}\n", tag) for number in range(runs))
    since = time.monotonic()
    with Client(url, token) as client:
        found = list(client.run_many(requests, tag=tag))
    rate = runs / (time.monotonic() - since)
    enough.set()
    for thread in threads:
        thread.join()
    CONSOLE.print(f"{name}: {runs} honest runs, {rate:.1f} a second; attackers: {dict(ended)}")
    return {**_counts(found), "attackers": sum(ended.values()), "rate": round(rate, 1)}


def _submission(code: str, tag: str) -> SubmissionIn:
    return SubmissionIn(task_id="median", solution=code, tag=tag)


def _counts(runs: list[RunOut]) -> dict[str, int]:
    return {
        "runs": len(runs),
        "wrong": sum(run.outcome == "failed" for run in runs),
        "flagged": sum(bool(run.flags) for run in runs),
        "ungradable": sum(run.outcome == "ungradable" for run in runs),
        "again": sum(run.attempt > 1 for run in runs),
    }


if __name__ == "__main__":
    main()
