"""The composition root: builds the storage, jobs, workers and evaluators of a service and hands them to the app."""

import gc
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta

import uvicorn
from fastapi import FastAPI

from rubrics.model import Rubric
from sandboxes.engine.connection import Report
from sandboxes.interface import Tier
from service import logs
from service.app import create_app
from service.edge import access
from service.evaluation.pool import Evaluators
from service.evaluation.start import Start
from service.host import preparation
from service.http.server import patient
from service.jobs.table import TableJobs
from service.plugins.grader import PluginLimits
from service.plugins.installation import Installation, installation
from service.rubric_files import rubrics as all_rubrics
from service.runs.readiness import Check
from service.runs.worker import WorkerPool, sign_of_life
from service.settings import Settings
from service.storage.storage import Storage

DRAIN_SECONDS = 20.0
"""At shutdown, the time that runs under way may take. A run that is not done by then is delivered again later."""
STARTED_AHEAD = 2
"""Evaluators that start with the service; more start when they are needed, and are kept."""
ENDED_SECONDS = 5.0
"""Time that workers may take to give back the jobs of ended evaluators."""
SWITCH_SECONDS = 0.0005
"""Time that a computing thread may keep the interpreter from one that answers, a tenth of Python's default: one answer waits
a dozen times."""
EMBEDDED_TOKEN_TIME = timedelta(days=1)


def serve(settings: Settings, report: Report) -> None:
    """Run the service until SIGINT or SIGTERM, then drain. Raise the errors of `_service`."""
    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked_to_stop.set())
    with _service(settings, report) as (base_url, storage):
        report(f"serving on {base_url}, keeping everything in {settings.home.absolute()}")
        first_link = access.first_start_link(storage, base_url, datetime.now(UTC))
        if first_link is not None:
            report(f"nobody has access yet; this link signs an administrator in, once: {first_link}")
        asked_to_stop.wait()
        report("finishing the runs under way (up to 20 s; what is not done by then is done after the next start)")


@contextmanager
def embedded(settings: Settings, report: Report) -> Iterator[tuple[str, str]]:
    """Run a service inside a command. Yield its address, and a token that may submit, write tasks and export."""
    with _service(settings, report) as (base_url, storage):
        now = datetime.now(UTC)
        scopes = frozenset({"submitter", "author", "admin"})
        yield base_url, storage.access.add_token("command line", scopes, now, expires_at=now + EMBEDDED_TOKEN_TIME)


def sign_in_link(settings: Settings, base_url: str) -> str:
    """Return the address of the review page that signs its first visitor in, within a day."""
    with closing(Storage.open(settings.storage_url)) as storage:
        return access.sign_in_link(storage, base_url, "reviewer", frozenset({"reviewer"}), datetime.now(UTC))


def new_token(settings: Settings, name: str, scopes: frozenset[str], *, days: float, sign_in: bool) -> str:
    """Return an API token, or with `sign_in` a link that signs that person in, once. Only the hash is kept."""
    now = datetime.now(UTC)
    with closing(Storage.open(settings.storage_url)) as storage:
        if sign_in:
            return access.sign_in_link(storage, f"http://{settings.host}:{settings.port}", name, scopes, now)
        return storage.access.add_token(name, scopes, now, expires_at=now + timedelta(days=days))


def installed(settings: Settings) -> Installation:
    """Return the graders of this installation. Raise RegistryError or RubricError."""
    limits = PluginLimits(seconds=settings.grader_seconds, memory_mib=settings.grader_memory_mib)
    return installation(_criteria(all_rubrics(settings.rubrics)), limits)


@contextmanager
def _service(settings: Settings, report: Report) -> Iterator[tuple[str, Storage]]:
    """Run the API, the pages and the workers in this process while the block lasts. Yield the address and the storage.

    Raise HostError, SandboxError, RegistryError, RubricError, StorageError or OSError (the port is taken).
    """
    logs.configure()
    settings.home.mkdir(parents=True, exist_ok=True)
    with suppress(PermissionError):  # the folder belongs to another user, who decides
        settings.home.chmod(0o700)  # plugins run as another user if this one is root
    rubrics = all_rubrics(settings.rubrics)
    registry = installed(settings)
    for broken in registry.broken:
        report(f"this grader is left out: {broken}")
    with closing(Storage.open(settings.storage_url)) as storage:
        jobs = TableJobs(storage.database)
        with _workers(
            storage=storage, jobs=jobs, registry=registry, rubrics=rubrics, settings=settings, report=report
        ) as (wake, tiers, checks):
            app = create_app(
                storage=storage,
                jobs=jobs,
                rubrics=rubrics,
                registry=registry,
                settings=settings,
                wake=wake,
                tiers=tiers,
                checks=checks,
            )
            with _listening(app, settings) as base_url:
                yield base_url, storage


def _criteria(rubrics: Mapping[str, Rubric]) -> set[str]:
    return {criterion.id for rubric in rubrics.values() for criterion in rubric.criteria}


@contextmanager
def _workers(
    *,
    storage: Storage,
    jobs: TableJobs,
    registry: Installation,
    rubrics: Mapping[str, Rubric],
    settings: Settings,
    report: Report,
) -> Iterator[tuple[Callable[[], None], Sequence[Tier], Sequence[Check]]]:
    """Run the workers and their evaluators. Yield a function that wakes them, the tiers that they offer, and their checks.

    A host without workers needs no engine. Workers elsewhere then offer the tiers.
    """
    if settings.workers == 0:
        yield (lambda: None), tuple(Tier), ()
        return
    # Each evaluator opens the tiers for itself. This only finds out which tiers this host has.
    with preparation.prepare(report, base_image=settings.base_image, minimum=settings.minimum_tier) as tiers:
        offered = tiers.offered
    start = Start(
        storage_url=settings.storage_url,
        base_image=settings.base_image,
        tiers=offered,
        rubrics=rubrics,
        plugins=tuple(registry.plugins.values()),
        limits=registry.limits,
    )
    evaluators = Evaluators(start, alive=sign_of_life, tidy=preparation.tidy)
    pool = WorkerPool(storage=storage, jobs=jobs, evaluate=evaluators, size=settings.workers, name=socket.gethostname())
    try:
        evaluators.start_ahead(min(settings.workers, STARTED_AHEAD))
        pool.start()
        yield (
            pool.wake,
            offered,
            (
                Check("the Docker engine", preparation.missing),
                Check("the workers", pool.missing, fresh_seconds=0),
                Check("the evaluators", evaluators.missing, fresh_seconds=0),
            ),
        )
    finally:
        pool.stop(drain_seconds=DRAIN_SECONDS)
        evaluators.close()
        pool.stop(drain_seconds=ENDED_SECONDS)


@contextmanager
def _listening(app: FastAPI, settings: Settings) -> Iterator[str]:
    """Serve `app` from a thread, so that the caller's thread stays free for the command line. Yield the address."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()  # present objects live for ever; searching them for garbage stopped every thread for some 75 ms at times
    listener = socket.create_server((settings.host, settings.port))
    config = uvicorn.Config(
        app, http=patient(settings), ws="none", log_level="warning", access_log=False, timeout_graceful_shutdown=5
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="http", daemon=True)
    thread.start()
    try:
        port = listener.getsockname()[1]
        yield f"http://{settings.host}:{port}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
