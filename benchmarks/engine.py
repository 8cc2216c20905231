"""A Docker engine in a cgroup of the benchmark's own, so that one counter has all CPU time.

The cost of an evaluation is spread over this process, the engine, containerd, a shim and a runc for each container (which end
too soon to be asked), the containers, and commands such as `docker run`. Adding these up from /proc counts some twice and
misses those that died between two samples, and a shared engine's work for others would count too. So this process enters a new
cgroup, starts an engine in it, and has it put its containers below it: the kernel's counter of that cgroup is the sum of
everything, dead or alive, in nanoseconds (v1: cpuacct.usage; v2: cpu.stat in microseconds).

Needs root and `dockerd`. Leaves nothing behind: engine, data, containers and cgroups are removed at the end.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from docker import DockerClient
from docker.errors import DockerException

from sandboxes.engine import images, own_engine
from sandboxes.engine.connection import Report, connect, forget_dead, running

START_SECONDS = 60.0
QUIET_SECONDS = 0.15
QUIET_SHARE = 0.05
"""Share of a core. With less than this for QUIET_SECONDS, the background work of an evaluation counts as finished."""
SETTLE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The engine, and the counter that everything runs under."""

    client: DockerClient
    image: str
    """Id of the box image in this engine."""
    folder: Path
    """Removed with the engine; containers may mount what is in it."""
    counter: Path
    cgroup_version: int
    daemon: "Daemon"

    def cpu_seconds(self) -> float:
        """User + system time of everything so far: this process, the engine, all containers, dead or alive."""
        text = self.counter.read_text()
        if self.cgroup_version == 1:
            return int(text) / 1e9
        return int(text.split()[1]) / 1e6  # the first line: usage_usec N

    def processes(self, container: str) -> list[str]:
        """Pids on the host of what runs in a container, or for it (gVisor's kernel)."""
        return (self.counter.parent / "boxes" / container / "cgroup.procs").read_text().split()

    def settle(self) -> float:
        """Wait until all background work is done (containers removed, pools full); return the CPU seconds by then."""
        deadline = time.monotonic() + SETTLE_SECONDS
        before = self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(QUIET_SECONDS)
            now = self.cpu_seconds()
            if now - before < QUIET_SHARE * QUIET_SECONDS:
                return now
            before = now
        return before


class Daemon:
    """The engine's process: may be stopped, or killed, and started again on the same data."""

    def __init__(self, folder: Path, cgroup: str) -> None:
        """Starts nothing yet. Everything of it is in `folder`."""
        self.address = f"unix://{folder}/docker.sock"
        self._folder = folder
        self._cgroup = cgroup
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and return when it answers. Raises SystemExit with its last output if it does not come up."""
        forget_dead(self._folder / "docker.pid", "dockerd")
        forget_dead(self._folder / "exec" / "containerd" / "containerd.pid", "containerd")
        program = shutil.which("dockerd") or shutil.which("dockerd", path="/usr/sbin:/sbin") or "dockerd"
        options = [
            f"--host={self.address}",
            f"--data-root={self._folder}/data",
            f"--exec-root={self._folder}/exec",
            f"--pidfile={self._folder}/docker.pid",
            f"--cgroup-parent=/{self._cgroup}/boxes",
            "--exec-opt=native.cgroupdriver=cgroupfs",
            "--bridge=none",  # no box has a network
            "--iptables=false",
            "--log-level=error",
            *own_engine.options(self._folder / "engine.json"),
        ]
        log = self._folder / "docker.log"
        with log.open("ab") as words:
            # In a network namespace of its own, because an engine without a bridge removes `docker0`, that of the host's.
            self._process = subprocess.Popen(
                ["unshare", "--net", program, *options], stdin=subprocess.DEVNULL, stdout=words, stderr=words
            )
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self.address):
            if not self.alive() or time.monotonic() > deadline:
                raise SystemExit(f"the engine did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.1)

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal and wait for its end; do nothing if it has ended already."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()


@contextmanager
def started(report: Report, *, data_mib: int = 0) -> Iterator[Engine]:
    """Yield the engine with the box image in it; `DOCKER_HOST` names it for all processes that this one starts.

    `data_mib`: size of its data's own file system, in memory; 0 for a folder of the host's.
    """
    folder = Path(tempfile.mkdtemp(prefix="assay-benchmark-"))
    folder.chmod(0o711)  # containers, which are not root, reach what they are given in it
    try:
        with _cgroup() as (name, counter, version), _data(folder / "data", data_mib):
            report("starting an engine of the benchmark's own")
            daemon = Daemon(folder, name)
            try:
                daemon.start()
                client = DockerClient(base_url=daemon.address, timeout=120)
                try:
                    image = _box_image(client, report)
                    with _environment("DOCKER_HOST", daemon.address):
                        yield Engine(
                            client=client,
                            image=image,
                            folder=folder,
                            counter=counter,
                            cgroup_version=version,
                            daemon=daemon,
                        )
                    for container in client.containers.list(all=True):
                        container.remove(force=True)
                finally:
                    client.close()
            finally:
                daemon.stop()
    finally:
        shutil.rmtree(folder)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _box_image(client: DockerClient, report: Report) -> str:
    """Return the id of the box image: a copy from the host's engine if one runs, else built here."""
    if not running():
        return images.ensure(client, report)
    host = connect()
    try:
        image = images.ensure(host, report)
        report("copying the box image from the host's engine")
        client.images.load(host.api.get_image(image))
    finally:
        host.close()
    return image


@contextmanager
def _data(folder: Path, mib: int) -> Iterator[None]:
    if not mib:
        yield
        return
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=711", "assay", folder], check=True)
    try:
        yield
    finally:
        # What a killed engine had mounted in it is still there.
        subprocess.run(["umount", "--recursive", folder], check=True)


def _answers(address: str) -> bool:
    with socket.socket(socket.AF_UNIX) as trial:  # the SDK leaves a socket open for each refused try
        if trial.connect_ex(address.removeprefix("unix://")) != 0:
            return False
    try:
        client = DockerClient(base_url=address)
    except DockerException:
        return False
    client.close()
    return True


@contextmanager
def _cgroup() -> Iterator[tuple[str, Path, int]]:
    """This process in a cgroup of its own: the cgroup's name, its counter, and the version of cgroups."""
    root, version = _hierarchy()
    name = f"assay-benchmark-{os.getpid()}"
    members = root / name / "members"
    home = root / _own_cgroup(version).lstrip("/")
    members.mkdir(parents=True)
    # Version 2 allows no processes in a cgroup that delegates to others: hence one for us beside the one for the boxes.
    _enter(members, [os.getpid()])
    try:
        yield name, root / name / ("cpuacct.usage" if version == 1 else "cpu.stat"), version
    finally:
        _enter(home, [os.getpid()])
        for file in (root / name).rglob("cgroup.procs"):  # shims whose engine was killed and did not come back
            for pid in file.read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        _remove(name)


def _hierarchy() -> tuple[Path, int]:
    """Return the folder in which CPU time is counted, and the version of cgroups."""
    unified = None
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup" and "cpuacct" in options.split(","):
            return Path(left.split()[4]), 1
        if kind == "cgroup2":
            unified = Path(left.split()[4])
    if unified is None:
        raise SystemExit("no cgroup counts CPU time here")
    return unified, 2


def _own_cgroup(version: int) -> str:
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, controllers, path = line.split(":", 2)
        if "cpuacct" in controllers.split(",") if version == 1 else number == "0":
            return path
    return "/"


def _enter(cgroup: Path, pids: Sequence[int]) -> None:
    for pid in pids:
        (cgroup / "cgroup.procs").write_text(str(pid))


def _remove(name: str) -> None:
    """Remove the cgroups of this name in all hierarchies: the engine made them wherever it sets limits."""
    deadline = time.monotonic() + START_SECONDS
    for root in {path.parent for path in Path("/sys/fs/cgroup").glob(f"**/{name}")}:
        folders = sorted((path for path in (root / name).rglob("*") if path.is_dir()), reverse=True)
        for folder in (*folders, root / name):
            while folder.exists() and time.monotonic() < deadline:
                try:
                    folder.rmdir()
                except OSError:  # a process of it is just ending
                    time.sleep(0.1)
