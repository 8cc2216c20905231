"""The engine fails under load: does every submission still get its own outcome, exactly once?

On an engine with its data in a small file system of its own. The service's workers, its queue and its database are the real
ones. Submissions of `examples/median` are in flight from the beginning of each fault to its end. A submission's findings must
equal those before the first fault.
"""

import argparse
import gc
import json
import logging
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import engine
import structlog
from docker import DockerClient
from docker.errors import APIError, ImageNotFound
from engine import Engine
from leftovers import at_rest
from rich.console import Console
from rich.table import Table

from graders.interface import Abstention, CaseOutcome, Submission, SubmissionId
from graders.plugins.registry import Registry
from graders.tasks import package
from sandboxes.engine.connection import connect
from sandboxes.engine.sweep import ENGINE_ERRORS
from sandboxes.interface import Tier
from sandboxes.tiers import Tiers, adapters
from service.evaluation.run_evaluator import RunEvaluator
from service.jobs.table import TableJobs
from service.packages import read_folder
from service.rubric_files import builtin_rubrics
from service.runs.worker import WorkerPool
from service.storage.interface import RunId, RunOutcome, RunResult, SubmissionRecord, TaskRecord
from service.storage.storage import Storage

CONSOLE = Console()
MEDIAN = Path(__file__).parents[1] / "examples" / "median"
KINDS = ("accepted", "wrong")
DATA_MIB = 1536
"""Room for the box image twice: loading it needs that for a moment."""
KILL_EVERY_SECONDS = 0.1
AT_ONCE = 8
"""Fewest submissions that wait or are under way during a fault."""
LONGEST_SECONDS = 600.0
"""After the end of a fault, for all that was accepted; attempts are up to a minute apart by then."""
SETTLE_SECONDS = 30.0
ENGINE_PROGRAMS = {"dockerd", "containerd", "containerd-shim", "unshare"}

Face = tuple[object, ...]
"""The part of the findings that must not depend on faults."""


# --- the faults -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trouble:
    """The means of a fault. Each fault returns how often it struck."""

    own: Engine
    client: DockerClient
    """A client of its own, so that it does not share the sandbox's connections."""
    seconds: float
    chance: random.Random

    def strike(self, pause: float, once: Callable[[int], int]) -> int:
        """Strike every `pause` seconds until the fault's time is over and it has struck, which may be much later on a busy host.

        `once` receives the number of strikes so far, and returns how many it made.
        """
        end = time.monotonic() + self.seconds
        struck = 0
        while time.monotonic() < end + (0 if struck else LONGEST_SECONDS):
            struck += once(struck)
            time.sleep(pause)
        return struck


def kills(trouble: Trouble) -> int:
    """`docker kill` of a random box, every 100 ms."""
    return trouble.strike(KILL_EVERY_SECONDS, lambda _: _kill_one(trouble))


def stopped(trouble: Trouble) -> int:
    """The engine is asked to stop, as by a package upgrade, and is started again after a second."""
    return _restart(trouble, signal.SIGTERM)


def crashed(trouble: Trouble) -> int:
    """The engine is killed, and started again after a second."""
    return _restart(trouble, signal.SIGKILL)


def full_disk(trouble: Trouble) -> int:
    """Fill the file system of the engine's data; boxes are killed, so that new ones are needed."""
    filler = trouble.own.folder / "data" / "filler"
    try:
        with filler.open("ab", buffering=0) as file:

            def once(struck: int) -> int:
                if not struck and not _any_runs(trouble):
                    file.truncate(0)  # none can be made without room, and there must be one to kill
                    return 0
                _fill(file.fileno())
                return _kill_one(trouble)

            return trouble.strike(0.02, once)
    finally:
        filler.unlink()


def lost_image(trouble: Trouble) -> int:
    """The box image is removed with force, and with it the boxes that keep it from being removed."""
    return trouble.strike(0.1, lambda _: _image_removed(trouble))  # the engine keeps it while any box of it runs


FAULTS: Mapping[str, Callable[[Trouble], int]] = {
    "kill": kills,
    "stop": stopped,
    "crash": crashed,
    "disk": full_disk,
    "image": lost_image,
}


def _any_runs(trouble: Trouble) -> bool:
    with suppress(*ENGINE_ERRORS):
        return bool(trouble.client.api.containers())
    return False


def _kill_one(trouble: Trouble) -> int:
    with suppress(*ENGINE_ERRORS):
        running = trouble.client.api.containers()
        if running:
            return _kill(trouble, trouble.chance.choice(running)["Id"])
    return 0


def _kill(trouble: Trouble, container: str) -> int:
    try:
        trouble.client.api.kill(container)
    except APIError:  # it has ended by itself
        return 0
    return 1


def _restart(trouble: Trouble, number: signal.Signals) -> int:
    def once(_: int) -> int:
        trouble.own.daemon.stop(number)
        time.sleep(1)
        trouble.own.daemon.start()
        return 1

    return trouble.strike(2, once)


def _fill(fd: int) -> None:
    size = 1 << 24
    while size:
        try:
            os.write(fd, bytes(size))
        except OSError:
            size //= 2


def _image_removed(trouble: Trouble) -> bool:
    try:
        with ThreadPoolExecutor() as threads:  # quicker than boxes are made
            list(threads.map(lambda row: _kill(trouble, row["Id"]), trouble.client.api.containers()))
        trouble.client.api.remove_image(trouble.own.image, force=True)
    except ENGINE_ERRORS:  # a box was just started from it, or it is not restored yet
        return False
    return True


# --- the service ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    name: str
    files: Mapping[str, str]
    outcome: RunOutcome
    """By the folder that its author put it in."""


class Load:
    """The service's database, and submissions for it."""

    def __init__(self, storage: Storage) -> None:
        files = read_folder(MEDIAN)
        task = package.load(files)
        now = datetime.now(UTC)
        storage.tasks.add(TaskRecord(id=task.id, version=task.version, title=task.title, files=files, created_at=now))
        self.storage = storage
        self._task = task
        self._numbers = count()
        self.solutions = [
            Solution(
                name=f"{kind}/{path.stem}",
                files={task.entry_file: path.read_text()},
                outcome=RunOutcome.PASSED if kind == "accepted" else RunOutcome.FAILED,
            )
            for kind in KINDS
            for path in sorted((MEDIAN / "submissions" / kind).glob("*.py"))
        ]

    def accept(self, solutions: Sequence[Solution]) -> dict[RunId, Solution]:
        records = [
            SubmissionRecord(
                submission=Submission(
                    id=SubmissionId(f"sub_{next(self._numbers)}"), task_id=self._task.id, files=solution.files
                ),
                task_version=self._task.version,
                client_id=solution.name,
                tag="faults",
                created_at=datetime.now(UTC),
            )
            for solution in solutions
        ]
        ids = self.storage.runs.accept(records, [""] * len(records), [""] * len(records))
        return dict(zip(ids, solutions, strict=True))

    def wait(self, ids: Mapping[RunId, Solution], deadline: float) -> None:
        """Until all are done, or the deadline has come."""
        while len(self.storage.runs.done(ids)) < len(ids) and time.monotonic() < deadline:
            time.sleep(0.1)


@contextmanager
def serving(own: Engine, tier: Tier, home: Path, archive: Path, workers: int) -> Iterator[Load]:
    """The service as `service.wiring` puts it together, without HTTP and with one tier only."""
    rubrics = builtin_rubrics()
    registry = Registry.discover({criterion.id for rubric in rubrics.values() for criterion in rubric.criteria})
    with closing(connect()) as client, closing(Storage.open(f"sqlite:///{home}/assay.sqlite3")) as storage:

        def restore() -> str:
            try:
                client.images.get(own.image)
            except ImageNotFound:
                with archive.open("rb") as file:
                    client.images.load(file)
            return own.image

        with Tiers({tier: adapters(client, own.image, restore)[tier]}) as tiers:
            evaluate = RunEvaluator(storage=storage, registry=registry, rubrics=rubrics, tiers=tiers)
            jobs = TableJobs(storage.database)
            pool = WorkerPool(storage=storage, jobs=jobs, evaluate=evaluate, size=workers, name="faults")
            pool.start()
            try:
                yield Load(storage)
            finally:
                pool.stop(drain_seconds=60)


# --- the verdict ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The results of the submissions of one fault."""

    fault: str
    struck: int
    submissions: int
    outcomes: Mapping[str, int]
    attempts: Mapping[int, int]
    """Number of attempts -> number of runs that took them."""
    seconds: float
    after_seconds: float
    """From the end of the fault to the last finished run."""
    wrong: Sequence[str]
    """Runs that are not done, not as they must be, or done twice."""


def face(findings: RunResult) -> Face:
    cases = sorted((s.suite, s.case, s.outcome) for s in findings.signals if isinstance(s, CaseOutcome))
    abstained = sorted(signal.grader for signal in findings.signals if isinstance(signal, Abstention))
    levels = sorted((prefill.criterion, prefill.level) for prefill in findings.prefills)
    return findings.outcome, tuple(cases), tuple(abstained), tuple(levels), tuple(sorted(findings.ends.items()))


def faces(load: Load) -> Mapping[str, Face]:
    """Return the findings of each solution while nothing fails."""
    ids = load.accept(load.solutions)
    load.wait(ids, time.monotonic() + LONGEST_SECONDS)
    found = {}
    for id, solution in ids.items():
        run = load.storage.runs.get(id)
        if run.findings is None or run.findings.outcome is not solution.outcome or run.attempt != 1:
            raise SystemExit(f"{solution.name} does not come out as it must, and nothing has failed yet: {run}")
        found[solution.name] = face(run.findings)
    return found


def suffer(load: Load, fault: str, trouble: Trouble, submissions: int, right: Mapping[str, Face]) -> Result:
    """The load under one fault."""
    began = time.monotonic()
    choice = trouble.chance.choices
    ids = load.accept(choice(load.solutions, k=submissions))
    with ThreadPoolExecutor(1) as thread:
        striking = thread.submit(FAULTS[fault], trouble)
        while not striking.done():
            if len(ids) - len(load.storage.runs.done(ids)) < AT_ONCE:
                ids |= load.accept(choice(load.solutions, k=AT_ONCE))
            time.sleep(0.05)
        over = time.monotonic()
        struck = striking.result()
    load.wait(ids, over + LONGEST_SECONDS)
    now = time.monotonic()
    records = {id: load.storage.runs.get(id) for id in ids}
    wrong = [
        f"{ids[id].name}, attempt {run.attempt}: "
        + ("not done" if run.findings is None else _difference(run.findings, right[ids[id].name]))
        for id, run in records.items()
        if run.findings is None or face(run.findings) != right[ids[id].name]
    ]
    wrong += _more_than_once(load.storage)
    return Result(
        fault=fault,
        struck=struck,
        submissions=len(ids),
        outcomes=dict(Counter(run.findings.outcome.value if run.findings else "none" for run in records.values())),
        attempts=dict(Counter(run.attempt for run in records.values())),
        seconds=round(now - began, 1),
        after_seconds=round(now - over, 1),
        wrong=wrong,
    )


def _difference(findings: RunResult, right: Face) -> str:
    if findings.outcome is RunOutcome.UNGRADABLE:
        return f"ungradable: {dict(findings.diagnostics)}"[:600]
    names = ("outcome", "cases", "abstained", "levels", "ends")
    pairs = zip(names, face(findings), right, strict=True)
    return "; ".join(f"{name} {now}, not {then}" for name, now, then in pairs if now != then)[:600]


def _more_than_once(storage: Storage) -> list[str]:
    """Submissions with more than one finished run, of all so far."""
    times: Counter[str] = Counter()
    after = ""
    while True:
        page, after = storage.runs.finished(tag=None, after=after, limit=1000)
        times.update(run.submission_id for run in page)
        if len(page) < 1000:
            return [f"{id} was finished {number} times" for id, number in times.items() if number > 1]


def left_behind(own: Engine, before: Mapping[str, frozenset[str]]) -> Mapping[str, list[str]]:
    """Containers, their processes, folders, descriptors and threads that are there now and stay, and were not before.

    What an engine that was killed leaves to the next one (mounts, cgroups, shims without a container) is not counted.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    kept: dict[str, frozenset[str]] = {}
    while True:
        gc.collect()  # the SDK leaves the socket of each refused connection to it
        after = at_rest(own)
        more = {kind: after[kind] - before[kind] for kind in ("containers", "processes", "temporary files")}
        # Folders of slots that others start on this host come and go.
        kept = {kind: names & kept.get(kind, names) for kind, names in more.items()}
        over = {kind: sorted(names) for kind, names in kept.items()}
        over["processes"] = [name for name in over["processes"] if name.split()[1] not in ENGINE_PROGRAMS]
        for kind in ("descriptors", "threads"):
            over[kind] = sorted(after[kind])[len(before[kind]) :]
        if not any(over.values()) or time.monotonic() > deadline:
            return {kind: names for kind, names in over.items() if names}
        time.sleep(0.5)


# --- the command ------------------------------------------------------------------------------------------------------


def main() -> None:
    options = _options()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    results: list[tuple[str, Result]] = []
    over: dict[str, Mapping[str, list[str]]] = {}
    with engine.started(CONSOLE.print, data_mib=DATA_MIB) as own, tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "image.tar"
        with archive.open("wb") as file:
            for part in own.client.api.get_image(own.image):
                file.write(part)
        for tier in options.tiers:
            home = Path(folder) / tier
            home.mkdir()
            before = at_rest(own)
            for result in _tier(own, Tier(tier), home, archive, options):
                results.append((tier, result))
                _tell_one(result)
            over[tier] = left_behind(own, before)
    held = _tell(results, over)
    if options.json:
        document = {"results": [{"tier": tier, **asdict(each)} for tier, each in results], "left": over, "held": held}
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    sys.exit(not held)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--submissions", type=int, default=200, help="for each fault, at the least (default: 200)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each fault lasts (default: 20)")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--tiers", nargs="+", choices=["jail", "container"], default=["jail", "container"])
    parser.add_argument("--faults", nargs="+", choices=list(FAULTS), default=list(FAULTS))
    parser.add_argument("--seed", type=int, default=1, help="of which solutions are submitted and which boxes killed")
    parser.add_argument("--json", type=Path, help="file for the result")
    return parser.parse_args()


def _tier(own: Engine, tier: Tier, home: Path, archive: Path, options: argparse.Namespace) -> Iterator[Result]:
    chance = random.Random(options.seed)
    with serving(own, tier, home, archive, options.workers) as load:
        right = faces(load)
        for fault in options.faults:
            CONSOLE.print(f"{tier}, {fault}: {FAULTS[fault].__doc__}", highlight=False)
            with closing(connect()) as client:
                trouble = Trouble(own, client, options.seconds, chance)
                yield suffer(load, fault, trouble, options.submissions, right)


def _tell_one(result: Result) -> None:
    again = sum(number for attempts, number in result.attempts.items() if attempts > 1)
    CONSOLE.print(
        f"  struck {result.struck} times; {result.submissions} submissions in {result.seconds:.0f} s, the last one "
        f"{result.after_seconds:.0f} s after it was over; {again} took more than one attempt, at most {max(result.attempts)}; "
        f"{len(result.wrong)} wrong",
        highlight=False,
    )
    for line in result.wrong[:10]:
        CONSOLE.print(f"  {line}", markup=False, highlight=False, style="red")


def _tell(results: Sequence[tuple[str, Result]], over: Mapping[str, Mapping[str, list[str]]]) -> bool:
    table = Table("tier", "fault", "struck", "submissions", "outcomes", "attempts: runs", "seconds", "wrong")
    for tier, each in results:
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in sorted(each.outcomes.items()))
        attempts = ", ".join(f"{attempts}: {number}" for attempts, number in sorted(each.attempts.items()))
        numbers = (str(each.struck), str(each.submissions), outcomes, attempts, f"{each.seconds:.0f}")
        table.add_row(tier, each.fault, *numbers, str(len(each.wrong)))
    CONSOLE.print(table)
    for tier, more in over.items():
        for kind, names in more.items():
            CONSOLE.print(f"left behind by {tier}, {kind}: {', '.join(names[:5])}", markup=False, style="red")
    held = all(each.struck and not each.wrong for _, each in results) and not any(over.values())
    CONSOLE.print("[bold green]held[/]" if held else "[bold red]NOT held[/]")
    return held


if __name__ == "__main__":
    main()
