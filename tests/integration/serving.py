"""`assay serve` in a process of its own, what it has started, and plugins that are installed only for it."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from docker import DockerClient

from sandboxes.engine.sweep import CREATOR_LABEL, OWNER, OWNER_LABEL


@contextmanager
def serving(home: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service that keeps everything in `home`, and its address."""
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("assay")), "serve", "--port", "0"],
        env={**os.environ, "ASSAY_HOME": str(home), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = []
    reader: threading.Thread | None = None
    try:
        for line in process.stderr:
            said.append(line)
            if match := re.search(r"serving on (http://\S+),", line):
                # Somebody reads its log for as long as it runs, or it would wait for that one day.
                reader = threading.Thread(target=process.stderr.read)
                reader.start()
                yield process, match[1]
                break
        else:
            pytest.fail(f"the service did not start (exit code {process.wait()}): {''.join(said)}")
    finally:
        process.kill()
        process.wait()
        if reader is not None:
            reader.join()
        process.stderr.close()


def children_of(pid: int) -> set[int]:
    """The processes that it has started and that have not ended."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and _parent(int(folder.name)) == pid:
            found.add(int(folder.name))
    return found


def is_evaluator(pid: int) -> bool:
    return b"service.evaluation.process" in Path(f"/proc/{pid}/cmdline").read_bytes()


def alive(*pids: int) -> bool:
    """Whether one of these processes has not ended. The dead may be listed for as long as nobody collects them."""
    return any(_parent(pid) is not None for pid in pids)


def _parent(pid: int) -> int | None:
    """Who has started a process; None if it has ended."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return None if state in "ZX" else int(parent)


def containers_of(*pids: int) -> set[str]:
    """The boxes that these processes have made."""
    client = DockerClient.from_env()
    try:
        rows = client.api.containers(all=True, filters={"label": f"{OWNER_LABEL}={OWNER}"})
        return {row["Id"] for row in rows if int(row["Labels"][CREATOR_LABEL].split("/")[3]) in pids}
    finally:
        client.close()


def installed(folder: Path, name: str, place: str) -> str:
    """What PYTHONPATH has to be for a distribution with one grader, which is at `place` (`module:Class`), to be installed."""
    made = folder / f"{name}-1.0.dist-info"
    made.mkdir(parents=True)
    (made / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (made / "entry_points.txt").write_text(f"[assay.graders]\n{name} = {place}\n")
    before = [os.environ["PYTHONPATH"]] if os.environ.get("PYTHONPATH") else []
    return os.pathsep.join([str(folder), str(Path(__file__).with_name("plugins")), *before])
