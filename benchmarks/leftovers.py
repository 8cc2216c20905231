"""Our containers, processes and files by name, counted before and after to find what was left behind."""

import os
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from engine import Engine

SETTLE_SECONDS = 20.0
"""How long the engine may take to forget what was removed."""

Things = Mapping[str, frozenset[str]]
"""Kind of thing -> names."""


def things(engine: Engine) -> Things:
    """All that a sandbox on this engine could leave behind.

    Other people's containers and processes do not count, because the engine and its cgroup are the benchmark's own.
    """
    group, folder = engine.counter.parent, engine.folder
    return {
        "processes": frozenset(_processes(group)),
        "containers": frozenset(row["Id"][:12] for row in engine.client.api.containers(all=True)),
        "mounts": frozenset(
            line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(folder) in line
        ),
        "cgroups": frozenset(
            path for top in (group, *Path("/sys/fs/cgroup").glob(f"*/{group.name}")) for path in _folders_below(top)
        ),
        "files of the engine": frozenset(_below(folder / "data", 3)) | frozenset(_below(folder / "exec", 3)),
        "temporary files": frozenset(
            str(path) for place in {tempfile.gettempdir(), "/run"} for path in Path(place).glob("assay-slot-*")
        ),
        "descriptors": frozenset(fd.name for fd in Path("/proc/self/fd").iterdir()),
        "threads": frozenset(str(thread.ident) for thread in threading.enumerate()),
    }


def at_rest(engine: Engine) -> Things:
    """The same while nothing runs: without the connections to the engine that its client keeps for later."""
    engine.client.close()
    return things(engine)


def left(engine: Engine, before: Things) -> Mapping[str, list[str]]:
    """Return what exists now and did not before, after time for it to go; kinds without any are left out."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        after = at_rest(engine)
        more = {kind: sorted(after[kind] - before[kind]) for kind in after if after[kind] - before[kind]}
        # a descriptor or a thread may have another number than before
        more = {
            kind: names
            for kind, names in more.items()
            if kind not in ("descriptors", "threads") or len(after[kind]) > len(before[kind])
        }
        if not more or time.monotonic() > deadline:
            return more
        time.sleep(0.5)


def _processes(group: Path) -> list[str]:
    """Process id and command of all in the cgroup and below."""
    found = []
    for folder in (str(group), *_folders_below(group)):
        try:
            pids = Path(folder, "cgroup.procs").read_text().split()
        except OSError:  # its container has just gone
            continue
        for pid in pids:
            try:
                found.append(f"{pid} {Path(f'/proc/{pid}/comm').read_text().strip()}")
            except OSError:  # it has just ended
                continue
    return found


def _folders_below(folder: Path) -> list[str]:
    """All, however deep; one that goes while this looks is left out."""
    return [f"{parent}/{name}" for parent, folders, _ in os.walk(folder) for name in folders]


def _below(folder: Path, depth: int) -> list[str]:
    """Paths to this depth: a container's folder, not what is in it."""
    found = []
    for parent, folders, files in os.walk(folder):
        found += [f"{parent}/{name}" for name in (*folders, *files)]
        if len(Path(parent).relative_to(folder).parts) >= depth - 1:
            folders.clear()
    return found
