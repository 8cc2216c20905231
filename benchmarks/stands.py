"""Does the service stand? Hostile plugins, packages and clients at the same time, while honest submissions flow.

It starts a real service. Another process (stands_sampler.py) requests `/healthz` and `/readyz` at a fixed pace: first without
attacks, then during all of them, at last while the database refuses writes. The benchmark prints how long the answers took,
how many honest submissions were graded rightly, and whether `/readyz` was truthful.
"""

import argparse
import json
import os
import platform
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from threading import Event, Thread
from typing import Any

from measure import share
from rich.console import Console
from rich.table import Table
from stands_hostile import Clients, Target, failures

from service import wiring
from service.client import ApiError, Client
from service.packages import read_folder
from service.schemas import RunOut, SubmissionIn
from service.settings import Settings
from tests.integration.serving import installed, serving

CONSOLE = Console()
MEDIAN = Path(__file__).parents[1] / "examples" / "median"
PLUGIN = "acme/misbehaving"
WAYS = (
    "hangs", "eats_memory", "eats_shared_memory", "forks", "burns_in_copies", "exits", "exits_at_once", "yields_for_ever",
    "crashes_the_interpreter", "kills_its_parent", "stops_its_parent", "leaves_a_daemon", "opens_many_boxes", "says_a_large_message",
    "says_a_broad_message", "makes_the_log_non_blocking", "closes_all_files",
)  # fmt: skip
"""The attacks of the plugin, in turn (tests/integration/plugins/misbehaving.py)."""
WORKERS = 4
AT_ONCE = 2
"""Submissions under way of those at which the plugin looks, and of honest people: each a thread that waits for its run."""
PACE_SECONDS = 0.05
MOST_MS = 200.0
"""The promise for `/healthz`, on a machine without other work."""
QUIET_SECONDS, LOCKED_SECONDS = 3.0, 7.0
TOLD_SECONDS = 4.0
"""Seconds until `/readyz` reports a fault: the patience of its checks, and of one that was under way."""
LATEST_SECONDS = 60.0
"""Seconds for honest submissions that are under way when the attacks end."""


@dataclass(slots=True)
class Honest:
    """The results of honest submissions."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    """In words: graded wrongly, flagged, or not graded."""
    seconds: list[float] = field(default_factory=list)
    """From handing each in to its findings."""
    again: int = 0
    """That took more than one attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """When each ended, by the monotonic clock."""

    quiet: float
    harm: float
    locked: tuple[float, float]


def main() -> None:
    options = _options()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="assay-stands-")))
        settings = Settings(home=home)
        tokens = {
            name: wiring.new_token(settings, name, frozenset({"submitter", *more}), days=1, sign_in=False)
            for name, more in {"honest": {"author"}, "hostile": set(), "hostile-author": {"author"}}.items()
        }
        environment = {
            "PYTHONPATH": installed(home / "site", "misbehaving", "misbehaving:Misbehaving"),
            "ASSAY_GRADER_SECONDS": "4",
            "ASSAY_GRADER_MEMORY_MIB": "512",
            "ASSAY_WORKERS": str(WORKERS),
        }
        process, url = stack.enter_context(serving(home, **environment))
        stack.enter_context(_log(process, home / "log"))
        result = _watched(url, tokens, settings, options)
        result["service_ended"] = process.poll()
        log = (home / "log").read_text(errors="replace")
        result["tracebacks"] = log.count("Traceback (most recent call last)")
    held = _judge(result)
    CONSOLE.print("[bold green]stands[/]" if all(held.values()) else "[bold red]does NOT stand[/]")
    if options.json:
        document = {"machine": _machine(), "seconds": options.seconds, **result, "held": held}
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    if options.log:
        options.log.write_text(log)
    sys.exit(not all(held.values()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=30, help="how long all do harm at the same time")
    parser.add_argument("--clients", default="", help="only hostile clients whose name has this in it (`none`: none)")
    parser.add_argument("--no-plugin", action="store_true", help="nobody submits to tasks with the hostile plugin")
    parser.add_argument("--json", type=Path, help="write the result to this file")
    parser.add_argument("--log", type=Path, help="write the service's log to this file")
    return parser.parse_args()


def _machine() -> dict[str, object]:
    return {
        "kernel": platform.release(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load_before": _LOAD,
    }


_LOAD = round(os.getloadavg()[0], 2)


@contextmanager
def _log(process: subprocess.Popen[str], file: Path) -> Iterator[None]:
    """Store the service's output; a pipe without a reader would stop it."""
    assert process.stderr is not None
    fd = process.stderr.fileno()

    def read() -> None:
        with file.open("ab") as kept:
            while more := os.read(fd, 1 << 16):
                kept.write(more)

    thread = Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        thread.join()  # until the last of its evaluators has ended


def _watched(url: str, tokens: Mapping[str, str], settings: Settings, options: argparse.Namespace) -> dict[str, Any]:
    host, port = url.removeprefix("http://").split(":")
    with Client(url, tokens["honest"]) as client:
        files = read_folder(MEDIAN)
        client.put_task(files)
        for way in WAYS:
            client.put_task(_with_plugin(files, way))
        first = [
            client.submit(_submission("median", f"{_solutions('accepted')[0]}\n# {at}\n", "first"))
            for at in range(2 * WORKERS)
        ]
        for each in first:  # what they start is there for the others
            while client.run(each.run_id, wait_seconds=10).state != "done":
                pass
    sampler = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("stands_sampler.py")), host, port, str(PACE_SECONDS)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    pause, over = Event(), Event()
    pause.wait(QUIET_SECONDS)
    quiet = time.monotonic()
    clients = Clients(
        Target(address=(host, int(port)), submitter=tokens["hostile"], author=tokens["hostile-author"], over=over),
        options.clients,
    )
    honest, ways = Honest(), Counter[str]()
    turn = cycle(WAYS)
    threads = [Thread(target=_submit_honestly, args=(url, tokens["honest"], over, honest, n)) for n in range(AT_ONCE)]
    if not options.no_plugin:
        threads += [
            Thread(target=_submit_to_plugin, args=(url, tokens["hostile"], over, turn, ways)) for _ in range(AT_ONCE)
        ]
    for thread in threads:
        thread.start()
    clients.start()
    pause.wait(options.seconds)
    harm = time.monotonic()
    clients.stop()
    for thread in threads:
        thread.join()
    locked = _locked(settings, lambda: _submit_once(url, tokens["honest"], honest))
    said, _ = sampler.communicate()
    phases = Phases(quiet=quiet, harm=harm, locked=locked)
    return _result(json.loads(said), phases, honest, ways, clients)


def _locked(settings: Settings, meanwhile: Callable[[], None]) -> tuple[float, float]:
    """Have the database take no write for a while, and then again. What is begun `meanwhile` ends after that."""
    thread = Thread(target=meanwhile)
    with closing(sqlite3.connect(settings.home / "assay.sqlite3", isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        thread.start()
        Event().wait(LOCKED_SECONDS)
        other.execute("ROLLBACK")
        ended = time.monotonic()
    Event().wait(TOLD_SECONDS)
    thread.join()
    return began, ended


# --- who submits ------------------------------------------------------------------------------------------------------


def _with_plugin(files: Mapping[str, str], way: str) -> dict[str, str]:
    toml = files["task.toml"].replace('id = "median"', f'id = "{way.replace("_", "-")}"', 1)
    return {**files, "task.toml": f'{toml}\n[graders."{PLUGIN}"]\nway = "{way}"\n'}


def _solutions(kind: str) -> list[str]:
    return [file.read_text() for file in sorted((MEDIAN / "submissions" / kind).iterdir())]


def _submission(task: str, code: str, tag: str) -> SubmissionIn:
    return SubmissionIn(task_id=task, solution=code, tag=tag)


def _graded(client: Client, submission: SubmissionIn) -> RunOut:
    run_id = client.submit(submission).run_id
    deadline = time.monotonic() + LATEST_SECONDS
    while (run := client.run(run_id, wait_seconds=10)).state != "done" and time.monotonic() < deadline:
        pass
    return run


def _submit_honestly(url: str, token: str, over: Event, honest: Honest, number: int) -> None:
    solutions = [(code, "passed") for code in _solutions("accepted")] + [
        (code, "failed") for code in _solutions("wrong")
    ]
    with Client(url, token) as client:
        for at in count(number, AT_ONCE):
            if over.is_set():
                return
            code, wanted = solutions[at % len(solutions)]
            began = time.monotonic()
            run = _graded(client, _submission("median", f"{code}\n# {at}\n", "honest"))
            honest.seconds.append(time.monotonic() - began)
            honest.again += run.attempt > 1
            if run.outcome == wanted and not (run.flags and wanted == "passed"):
                honest.right += 1
            else:
                honest.wrong.append(f"{run.state} {run.outcome}, not {wanted}; flags {run.flags}; {run.diagnostics}")


def _submit_once(url: str, token: str, honest: Honest) -> None:
    """A submission that the client has to repeat, while the database takes no write."""
    with Client(url, token) as client:
        try:
            run = _graded(client, _submission("median", f"{_solutions('accepted')[0]}\n# locked\n", "locked"))
        except ApiError as error:
            honest.wrong.append(f"while the database was locked: {error}")
            return
        honest.right += run.outcome == "passed"
        if run.outcome != "passed":
            honest.wrong.append(f"while the database was locked: {run.state} {run.outcome}")


def _submit_to_plugin(url: str, token: str, over: Event, turn: Iterator[str], ways: Counter[str]) -> None:
    right = _solutions("accepted")[0]
    with Client(url, token) as client:
        while not over.is_set():
            way = next(turn)
            run = _graded(client, _submission(way.replace("_", "-"), f"{right}\n# {time.monotonic_ns()}\n", "plugin"))
            ways[f"{way}: {run.outcome}"] += 1


# --- what was seen ----------------------------------------------------------------------------------------------------


def _result(
    said: Mapping[str, Sequence[Any]], phases: Phases, honest: Honest, ways: Counter[str], clients: Clients
) -> dict[str, Any]:
    health, ready = said["/healthz"], said["/readyz"]
    worst = max(_between(health, phases.quiet, phases.harm), key=lambda sample: float(sample[1]))
    under_way = {
        name for began, ended, name in clients.moments if began <= worst[0] + worst[1] / 1e3 and ended >= worst[0]
    }
    in_harm = _between(ready, phases.quiet, phases.harm)
    began, ended = phases.locked
    # An answer under way while writes become possible again may be either.
    late = [sample for sample in ready if began + TOLD_SECONDS <= sample[0] and sample[0] + sample[1] / 1e3 < ended]
    after = [sample for sample in ready if sample[0] >= ended + TOLD_SECONDS / 2]
    return {
        "healthz_ms": {
            "quiet": _spread(_between(health, 0, phases.quiet)),
            "harm": _spread(_between(health, phases.quiet, phases.harm)),
        },
        "readyz_ms": {"quiet": _spread(_between(ready, 0, phases.quiet)), "harm": _spread(in_harm)},
        "healthz_not_200": sum(sample[2] != 200 for sample in health),
        "under_way_at_the_slowest": sorted(under_way),
        "readyz": {
            "asked_in_harm": len(in_harm),
            "said_not_ready_in_harm": sorted({sample[3] for sample in in_harm if sample[2] != 200}),
            "said_so_without_writes": bool(late)
            and all(sample[2] == 503 and "database" in sample[3] for sample in late),
            "ready_again": bool(after) and all(sample[2] == 200 for sample in after),
        },
        "honest": {
            "right": honest.right,
            "not_right": honest.wrong,
            "more_than_one_attempt": honest.again,
            "seconds_p50": round(share(honest.seconds, 0.5), 2) if honest.seconds else None,
            "seconds_max": round(max(honest.seconds, default=0.0), 2),
        },
        "plugin": dict(sorted(ways.items())),
        "clients": {name: dict(said.most_common()) for name, said in clients.said.items()},
        "failures_told_to_clients": failures(clients.said),
    }


def _between(samples: Sequence[Any], begin: float, end: float) -> list[Any]:
    return [sample for sample in samples if begin <= sample[0] < end]


def _spread(samples: Sequence[Any]) -> dict[str, float]:
    took = [float(sample[1]) for sample in samples]
    return {
        "asked": len(took),
        **{name: round(share(took, part), 1) for name, part in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))},
    }


def _judge(result: Mapping[str, Any]) -> dict[str, bool]:
    """Return each promise and whether it held; print both."""
    health, ready, honest = result["healthz_ms"]["harm"], result["readyz"], result["honest"]
    table = Table("milliseconds", "asked", "p50", "p99", "max")
    for path in ("healthz", "readyz"):
        for phase, spread in result[f"{path}_ms"].items():
            table.add_row(f"/{path}, {phase}", *(f"{spread[key]:g}" for key in ("asked", "p50", "p99", "max")))
    CONSOLE.print(table)
    CONSOLE.print(f"honest submissions: {honest}")
    CONSOLE.print(f"plugin: {result['plugin']}")
    for name, said in result["clients"].items():
        CONSOLE.print(f"client, {name}: {said}", highlight=False)
    CONSOLE.print(f"at the slowest answer: {', '.join(result['under_way_at_the_slowest'])}")
    if ready["said_not_ready_in_harm"]:
        CONSOLE.print(f"not ready, it said: {ready['said_not_ready_in_harm']}")
    held = {
        f"/healthz within {MOST_MS:g} ms": health["max"] <= MOST_MS and not result["healthz_not_200"],
        "every honest submission graded rightly": bool(honest["right"]) and not honest["not_right"],
        # Honest submissions were graded all the while, so it was ready.
        "/readyz true: ready while it was": not ready["said_not_ready_in_harm"],
        "/readyz true: not ready without writes": ready["said_so_without_writes"],
        "/readyz true: ready again": ready["ready_again"],
        "no client told of a failure of ours": not result["failures_told_to_clients"] and not result["tracebacks"],
        "the service runs": result["service_ended"] is None,
    }
    table = Table("promised", "held")
    for what, kept in held.items():
        table.add_row(what, "yes" if kept else "[bold red]NO[/]")
    CONSOLE.print(table)
    return held


if __name__ == "__main__":
    main()
