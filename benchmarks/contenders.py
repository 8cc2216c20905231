"""The contenders: each evaluates a job from beginning to end, or raises if it did not come out right."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from engine import Engine
from jobs import CALLS, PYTEST, SMALL, SOLUTION, TOGETHER, TWICE, WRONG, Job

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import CaseOutcome, Context, Limits, Outcome, Submission, SubmissionId, Suite, Task, TaskId
from sandboxes.engine.hardening import host_config
from sandboxes.interface import Command, Sandbox

READY_SECONDS = 20.0
HARDENED = (
    "--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--ipc=private",
    "--memory=512m", "--memory-swap=512m", "--pids-limit=65", "--tmpfs=/box:rw,nosuid,nodev,exec,mode=1777,size=64m",
    "--shm-size=64m", "--ulimit=core=0", "--ulimit=nofile=512", "--log-driver=none", "--user=10001:10001",
)  # fmt: skip
"""The hardening of our own containers (sandboxes/engine/hardening.py), as options of `docker run`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    name: str
    """`<job>/<who>`."""
    evaluate: Callable[[], None]
    """Evaluate the job. Raises if it did not come out right. Thread-safe if `workers` is more than one."""
    workers: int = 4


@contextmanager
def opened(engine: Engine, tiers: Mapping[str, Sandbox]) -> Iterator[list[Contender]]:
    """All of ours and the usual ways, ready to be measured."""
    with ExitStack() as stack:
        address = stack.enter_context(_runner(engine))
        container = stack.enter_context(_waiting_container(engine))
        found: list[Contender] = []
        for name, job in (("small", SMALL), ("pytest", PYTEST)):
            found += [
                # With connections of its own: what is imported ahead stays in the process behind each.
                *(
                    Contender(
                        name=f"{name}/{way}", evaluate=stack.enter_context(closing(Runner(address, job, way))).run
                    )
                    for way in ("bare", "fork", "fork-immortal")
                ),
                *(through_port(f"{name}/{tier}", job, sandbox) for tier, sandbox in tiers.items()),
                *_docker_contenders(name, job, container, engine.image),
            ]
        found += [_graded(f"calls/{name}", CALLS, tier) for name, tier in tiers.items()]
        found += [_graded(f"suite/{name}", TOGETHER, tier) for name, tier in tiers.items()]
        found += [_graded(f"twice/{name}", TWICE, tier) for name, tier in tiers.items()]
        found += [_graded(f"failing/{name}", TWICE, tier, WRONG, Outcome.FAILED) for name, tier in tiers.items()]
        yield found


def _docker_contenders(name: str, job: Job, container: str, image: str) -> Iterator[Contender]:
    execute = ["exec", "--interactive", container]
    run = ["run", "--rm", "--interactive", *HARDENED, "--entrypoint=", image]
    yield Contender(name=f"{name}/docker exec", evaluate=lambda: _docker(execute, job))
    yield Contender(name=f"{name}/docker run", evaluate=lambda: _docker(run, job))


def through_port(name: str, job: Job, sandbox: Sandbox) -> Contender:
    command = Command(
        argv=job.argv,
        files={path: text.encode() for path, text in job.files.items()},
        environment=job.environment,
        harness=job.harness,
    )

    def evaluate() -> None:
        with sandbox.session() as session:
            execution = session.run(command)
        job.passed(execution.exit_code, execution.stdout + execution.stderr)

    return Contender(name=name, evaluate=evaluate)


def task_of(suite: Suite) -> Task:
    return Task(
        id=TaskId("merge-intervals"), version="1", title="", prompt="", language="python", entry_file="job.py",
        suites=(suite,), reference={"job.py": SOLUTION}, limits=Limits(), graders={}, rubric_id="default",
    )  # fmt: skip


def _graded(
    name: str, suite: Suite, sandbox: Sandbox, solution: str = SOLUTION, outcome: Outcome = Outcome.PASSED
) -> Contender:
    """A suite as the grader `assay/hidden-tests` evaluates it, without analyzers. What it remembers of a task is ready."""
    task = task_of(suite)
    submission = Submission(id=SubmissionId("1"), task_id=task.id, files={"job.py": solution})
    remembered: dict[str, object] = {}

    def remember(key: str, make: Callable[[], object]) -> object:
        if key not in remembered:
            remembered[key] = make()
        return remembered[key]

    def evaluate() -> None:
        with sandbox.session() as session:
            context = Context(task=task, submission=submission, session=session, remember=remember)
            signals = list(HiddenTests().grade(context))
        outcomes = [signal.outcome for signal in signals if isinstance(signal, CaseOutcome)]
        if outcomes != [outcome] * 10:
            raise RuntimeError(f"the suite came out as {outcomes}")

    return Contender(name=name, evaluate=evaluate)


class Runner:
    """A job as bare subprocesses or plain forks, by `runner.py` with the box's interpreter. Thread-safe."""

    def __init__(self, address: Path, job: Job, way: str) -> None:
        """`way`: `bare`, `fork` or `fork-immortal`."""
        self._address = str(address)
        self._idle: SimpleQueue[socket.socket] = SimpleQueue()
        self._job = job
        request = {
            "argv": job.argv,
            "files": job.files,
            "environment": job.environment,
            "way": way,
            "harness": {path: content.decode() for path, content in job.harness.files},
            "preload": job.harness.preload,
        }
        self._request = json.dumps(request).encode() + b"\n"

    def run(self) -> None:
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(self._address)
        connection.sendall(self._request)
        with connection.makefile("rb") as lines:
            answer = json.loads(lines.readline())
        self._idle.put(connection)
        self._job.passed(answer["code"], answer["output"].encode())

    def close(self) -> None:
        while not self._idle.empty():
            self._idle.get().close()


@contextmanager
def _runner(engine: Engine) -> Iterator[Path]:
    """The socket of a runner in a container that only lends its interpreter: no filter of system calls, no limits."""
    folder = engine.folder / "runner"
    folder.mkdir()
    folder.chmod(0o777)
    shutil.copy(Path(__file__).with_name("runner.py"), folder)
    container = engine.client.containers.run(
        engine.image,
        ["-I", "/runner/runner.py", "/runner/socket"],
        entrypoint="python3",
        detach=True,
        network_mode="none",
        security_opt=["seccomp=unconfined"],
        tmpfs={"/box": "exec,mode=1777"},
        volumes={str(folder): {"bind": "/runner", "mode": "rw"}},
    )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not (folder / "socket").is_socket():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the runner did not start: {container.logs()!r}")
            time.sleep(0.05)
        yield folder / "socket"
    finally:
        container.remove(force=True)


@contextmanager
def _waiting_container(engine: Engine) -> Iterator[str]:
    """A hardened container that waits for `docker exec`."""
    api = engine.client.api
    container = api.create_container(
        image=engine.image,
        entrypoint=["sleep", "infinity"],
        host_config=host_config(api, memory_mib=512, processes=65, disk_mib=64),
    )["Id"]
    try:
        api.start(container)
        yield container
    finally:
        api.remove_container(container, force=True)


def _docker(command: list[str], job: Job) -> None:
    """The job through the `docker` command: its files in a script over stdin, into a folder of its own."""
    variables = [f"{name}={value}" for name, value in job.environment.items()]
    files = "".join(f"cat > {path} <<'END-OF-FILE'\n{text}\nEND-OF-FILE\n" for path, text in job.files.items())
    script = f"cd $(mktemp -d /box/XXXXXX)\n{files}exec env {' '.join(variables)} {' '.join(job.argv)}\n"
    done = subprocess.run(["docker", *command, "sh"], input=script.encode(), capture_output=True, check=False)
    job.passed(done.returncode, done.stdout + done.stderr)
