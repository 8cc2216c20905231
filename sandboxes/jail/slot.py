"""A slot of tier jail: one long-lived hardened container with a zygote in it (sandboxes/inside/zygote.py).

The zygote connects to a socket of ours, in a folder that only this user can enter and that the container has mounted read-only.
As soon as it has connected, the folder is removed. The container never has a network, and programs never see the socket.
"""

import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from docker import DockerClient

from sandboxes.engine import control_group
from sandboxes.engine.hardening import host_config
from sandboxes.engine.remover import Remover
from sandboxes.engine.seccomp_profile import profile
from sandboxes.engine.sweep import labels, new_mark, state_of
from sandboxes.engine.users import BoxUsers
from sandboxes.inside.program import ENVIRONMENT
from sandboxes.interface import Command, Harness, SandboxError

START_SECONDS = 60.0
"""Time from the start of the container until its zygote has imported everything, on a busy machine."""
OWN_PROCESSES = 3
"""Process 1 of the container, the zygote, and process 1 of the program's namespace."""
START_MEMORY_MIB = 512
"""The limit until the zygote has reported its own need; then the limit is that need plus the program's own limit."""
ZYGOTE_ENVIRONMENT = {**ENVIRONMENT, "LD_BIND_NOW": "1"}
"""The programs' own environment, because they are forks of this interpreter. LD_BIND_NOW: the zygote looks up each function of a
library once, so that the programs that are forked need not. No program gets that setting."""
ZYGOTE = (
    *("env", "-i", *(f"{name}={value}" for name, value in ZYGOTE_ENVIRONMENT.items())),
    *("python3", "-P", "-s", "/opt/assay/sandboxes/inside/zygote.py"),
)
"""`env -i`, so that no setting of the box image reaches the zygote; -P and -s, so that it imports nothing but what is installed."""
LOOK_SECONDS = 1.0
"""Interval at which a container that has not connected yet is checked: it may be dead."""
MESSAGE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class SlotKey:
    """The properties that a slot is made for; any command with the same key can run in it."""

    harness: Harness
    memory_mib: int
    processes: int

    @classmethod
    def of(cls, command: Command) -> "SlotKey":
        return cls(command.harness, command.limits.memory_mib, command.limits.processes)


class Slot:
    """One container. `control` is the connection to its zygote; used by one program at a time."""

    def __init__(self, client: DockerClient, image: str, key: SlotKey, users: BoxUsers, remover: Remover) -> None:
        """Start it and wait until it can take a program. Raises the engine SDK's errors and SandboxError."""
        self._client = client
        self._users = users
        self._remover = remover
        self.key = key
        self.runs = 0
        self._peak: int | None = None
        mark = new_mark()
        folder = Path(tempfile.mkdtemp(prefix="assay-slot-", dir=_socket_folder()))
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
                # The mount's source lies in a folder that no other user can enter, so the socket may be open to all.
                shared = folder / "shared"
                shared.mkdir(mode=0o755)
                listener.bind(str(shared / "s"))
                (shared / "s").chmod(0o666)
                listener.listen(1)
                listener.settimeout(LOOK_SECONDS)
                self.container = self._start(image, shared, mark)
                self.control = self._accept(listener)
                self._set_up()
        except BaseException:
            if hasattr(self, "control"):
                self.control.close()
            remover.remove_marked(mark)  # the engine may have made it and died before it answered
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def alive(self) -> bool:
        """Return False if the zygote has hung up: its container was killed, or the engine restarted."""
        try:
            return bool(self.control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def reset_peak(self) -> None:
        if self._peak is not None:
            os.pwrite(self._peak, b"0", 0)

    def peak_bytes(self) -> int | None:
        """Return the most memory in use since `reset_peak`; None if this user may not reset the counter."""
        return None if self._peak is None else int(os.pread(self._peak, 64, 0))

    def cpu_seconds(self) -> float | None:
        """Return the CPU time of all that ever ran in it; None if this user cannot see it."""
        return control_group.cpu_seconds(self._cpu)

    def threads(self) -> Mapping[int, control_group.Scheduled]:
        """Return the live threads in it; see `control_group.threads`."""
        return control_group.threads(self._cpu)

    def state(self, *, ended_within: float = 0.0) -> Mapping[str, Any]:
        """Return the engine's state of the container; see `sweep.state_of`. Raises SandboxError."""
        return state_of(self._client, self.container, ended_within=ended_within)

    def close(self) -> None:
        """End everything in it, and have it removed."""
        self.control.close()
        if self._peak is not None:
            os.close(self._peak)
            self._peak = None
        self._remover.remove(self.container)

    # --- start --------------------------------------------------------------------------------------------------------

    def _start(self, image: str, shared: Path, mark: str) -> str:
        api = self._client.api

        def configure(user: str) -> Mapping[str, Any]:
            config: Mapping[str, Any] = api.create_container_config(
                image=image,
                command=None,
                entrypoint=list(ZYGOTE),
                user=user,
                hostname="box",
                labels=labels(mark),
                stop_signal="SIGKILL",  # an engine that is stopped need not wait: nothing in here has anything to save
                network_disabled=True,
                host_config=host_config(
                    api,
                    memory_mib=max(START_MEMORY_MIB, self.key.memory_mib),
                    processes=self.key.processes + OWN_PROCESSES,
                    disk_mib=1,
                    seccomp=profile(namespaces=True),
                    apparmor="unconfined",  # the engine's own profile forbids the mounts that lock a program in
                    binds=[f"{shared}:/run/assay:ro"],
                ),
            )
            return config

        container = self._users.create(configure)
        api.start(container)
        return container

    def _accept(self, listener: socket.socket) -> socket.socket:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                connection, _ = listener.accept()
            except TimeoutError as error:
                state = self.state()
                if not state["Running"] or time.monotonic() > deadline:
                    raise SandboxError("the zygote did not connect", state=state) from error
            else:
                connection.settimeout(START_SECONDS)
                return connection

    def _set_up(self) -> None:
        """Send the zygote its harness, and add the memory that it needs itself to the container's limit."""
        harness = self.key.harness
        with request_file((), {}, dict(harness.files)) as files:
            message = json.dumps({"preload": harness.preload}).encode()
            socket.send_fds(self.control, [message], [files.fileno()])
        try:
            answer = json.loads(self.control.recv(MESSAGE_BYTES) or b"{}")
        except (OSError, ValueError, RecursionError) as error:
            raise SandboxError("the zygote did not answer", state=self.state(), error=error) from error
        if "memory_bytes" not in answer:
            raise SandboxError("the zygote could not set itself up", answer=answer, state=self.state())
        limit = (self.key.memory_mib << 20) + int(answer["memory_bytes"])
        self._client.api.update_container(self.container, mem_limit=limit, memswap_limit=limit)
        pid = int(self.state()["Pid"])
        self._cpu = control_group.cpu_counter(pid)
        self._peak = _open_peak(pid)
        self.control.setblocking(False)


def request_file(argv: Sequence[str], environment: Mapping[str, str], files: Mapping[str, bytes]) -> IO[bytes]:
    """Return an open file in memory, in the form that `inside.program.ProgramRequest` reads. Raises ValueError for a NUL."""
    words = [str(len(argv)), *argv, str(len(environment)), *(f"{name}={value}" for name, value in environment.items())]
    for path, content in files.items():
        words += (path, str(len(content)))
    header = "\0".join(words).encode("utf-8", "surrogateescape")
    if header.count(b"\0") != len(words) - 1:
        raise ValueError("a command line, an environment or a file name has a NUL in it")
    file = os.fdopen(os.memfd_create("assay", os.MFD_CLOEXEC), "wb", buffering=0)
    data = b"".join((len(header).to_bytes(4, "big"), header, *files.values()))
    while data:
        data = data[file.write(data) :]
    return file


def _socket_folder() -> str | None:
    """Return a folder with a short path on a file system that the engine sees too; None for the default of temp files."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    candidates = ("/run", runtime) if runtime else ("/run",)
    return next((folder for folder in candidates if os.access(folder, os.W_OK)), None)


def _open_peak(pid: int) -> int | None:
    """Return the counter of peak memory of the control group of process `pid`, open for resetting it; None if it cannot be."""
    file = control_group.counter(pid, "memory", "memory.max_usage_in_bytes", "memory.peak")
    if file is None:
        return None
    try:
        fd = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        os.pwrite(fd, b"0", 0)
    except OSError:
        os.close(fd)
        return None
    return fd
