"""Prepares this host for `./assay demo` and `./assay test`: engine, image tools, box image.

Missing packages are installed only on Debian and Ubuntu, and only as root. Elsewhere the error names what to install.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from sandboxes.diagnosis import facts, probing
from sandboxes.diagnosis.conditions import Condition, diagnose, lacking
from sandboxes.engine import connection, images, own_engine
from sandboxes.engine.connection import Report
from sandboxes.engine.sweep import sweep
from sandboxes.interface import SandboxError, Tier
from sandboxes.tiers import Open, Tiers, adapters

IDLE_SLOTS = 4
"""Boxes of each evaluator for one submission at a time: two for its hidden tests, one for its analyzers, one for another
task.
"""


class HostError(Exception):
    """This host lacks something that Assay cannot install by itself. The message names the remedy."""


def prepare(report: Report, *, base_image: str = "", minimum: Tier = Tier.JAIL) -> Tiers:
    """Make what boxes need and this host lacks; `report` receives each step as it begins.

    Yields the tiers from `minimum` on that this host can hold; the weakest of them has run a program.
    Raises HostError or SandboxError, each with what to do.
    """
    with _one_at_a_time():
        if not connection.running():
            _install(_engine_programs(), report)
            if not connection.running():  # With systemd, installing the package starts the engine.
                connection.start(report)
        client = connection.connect()
        own_engine.learn(client, report)
        if images.find(client, base_image) is None and not base_image:
            _install({"mmdebstrap": "mmdebstrap"}, report, optional=True)
        image = images.ensure(client, report, base=base_image)
        left_over = sweep(client)
        if left_over:
            report(f"removed {left_over} containers that an earlier run left behind")

    def restore() -> str:
        return images.ensure(client, report, base=base_image)

    return _hold(adapters(client, image, restore), diagnose(facts.collect(client, base_image)), minimum, report)


def reopen(offered: Sequence[Tier], *, base_image: str) -> Tiers:
    """Return these tiers, which `prepare` found that this host can hold, for another process. Raises SandboxError."""
    client = connection.connect()

    def restore() -> str:
        return images.ensure(client, _say_nothing, base=base_image)

    found = adapters(client, restore(), restore, idle_slots=IDLE_SLOTS)
    return Tiers({tier: found[tier] for tier in offered})


def leave(tiers: Tiers) -> None:
    """Close these tiers, and remove every box that this process made, also those that are in use. Raises SandboxError."""
    try:
        tiers.close()
    finally:
        with closing(connection.connect()) as client:
            sweep(client, own=True)


def tidy() -> None:
    """Remove the boxes of processes of Assay on this host that have died. Raises SandboxError."""
    with closing(connection.connect()) as client:
        sweep(client)


def _say_nothing(line: str) -> None:
    """Ignore a line that was reported already."""


def _hold(found: Mapping[Tier, Open], conditions: Sequence[Condition], minimum: Tier, report: Report) -> Tiers:
    """Return the tiers from `minimum` on for which nothing is missing; the first of them has run a program.

    If a tier does not hold, the next stricter one takes its place and `report` receives that. Raises HostError.
    """
    problems = {tier: _problem(conditions, tier) for tier in found if tier.at_least(minimum)}
    while held := [tier for tier, problem in problems.items() if not problem]:
        tiers = Tiers({tier: found[tier] for tier in held})
        try:
            probe = probing.starts(tiers.at_least(minimum))
        except SandboxError as error:
            problems[held[0]] = "; ".join(error.diagnostics().values())
        else:
            if probe.held:
                for tier, problem in problems.items():
                    if not tier.at_least(held[0]):
                        report(f"tier {tier} cannot be held here, tier {held[0]} takes its place: {problem}")
                return tiers
            problems[held[0]] = f"a program did not run: {probe.says}"
        tiers.close()
    lines = (f"\n  {tier}: {problem}" for tier, problem in problems.items())
    raise HostError(f"this host holds no tier from {minimum} on (`assay doctor` says more):" + "".join(lines))


def _problem(conditions: Sequence[Condition], tier: Tier) -> str:
    return "; ".join(f"{each.says}: {each.remedy}" for each in lacking(conditions, tier))


def lacks() -> dict[Tier, str]:
    """Return the tiers that this host cannot hold now, each with what is missing and what to do. Raises SandboxError."""
    client = connection.connect()
    try:
        conditions = diagnose(facts.collect(client))
    finally:
        client.close()
    return {tier: problem for tier in Tier if (problem := _problem(conditions, tier))}


def missing() -> Sequence[str]:
    """Return what a worker needs and this host lacks right now, in words for an operator."""
    return () if connection.running() else ("the Docker engine does not answer",)


def install_programs(programs: dict[str, str], report: Report) -> None:
    """Install the Debian packages of those programs (program -> package) that are missing. Raises HostError."""
    with _one_at_a_time():
        _install(programs, report)


def _install(programs: dict[str, str], report: Report, *, optional: bool = False) -> None:
    missing = [package for program, package in programs.items() if not _has(program)]
    if not missing:
        return
    names = " ".join(missing)
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        if optional:
            return
        raise HostError(f"install {names} first; on Debian or Ubuntu, as root: apt-get install {names}")
    report(f"installing {names} with apt-get")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _apt(["update"], environment)
    # what is recommended beside docker.io (a CRI, git, ...) is not needed to run it; its own engine parts are dependencies
    _apt(["install", "-y", "--no-install-recommends", *missing], environment)


def _engine_programs() -> dict[str, str]:
    """Return program -> Debian package. With AppArmor an engine cannot make a container before its profile is loaded."""
    return {"dockerd": "docker.io", **({"apparmor_parser": "apparmor"} if facts.apparmor() else {})}


def _has(program: str) -> bool:
    return shutil.which(program) is not None or shutil.which(program, path="/usr/sbin:/sbin") is not None


def _apt(arguments: Sequence[str], environment: dict[str, str]) -> None:
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", *arguments]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last_words = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise HostError(f"`{' '.join(command)}` failed:\n{last_words}")


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Hold a lock: two first runs at once (a demo beside the tests) must not both build or install."""
    path = Path(tempfile.gettempdir()) / f"assay-host-{os.getuid()}.lock"
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
