"""A word is planted in every hidden file of tasks of every kind, and looked for in every answer that a submitter can get.

Real boxes, real graders, the real API. The submissions do what they can to carry out what they are asked.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from graders.plugins.registry import Registry
from sandboxes.tiers import Tiers
from service.app import create_app
from service.evaluation.run_evaluator import RunEvaluator
from service.jobs.table import TableJobs
from service.rubric_files import builtin_rubrics
from service.runs import worker
from service.runs.worker import WorkerPool
from service.settings import Settings
from service.storage.storage import Storage

WORD = "xyzzy"
"""In every hidden text, in names of tests, groups, files and cases too."""
NUMBER = 48151
"""Among the hidden inputs: what a submission may do so many times, or write so many bytes of."""

REFERENCE = f"def echo(x):  # {WORD}\n    return x\n"
PROGRAM = f"import sys  # {WORD}\nprint(sys.stdin.read(), end='')\n"
BROKEN = f"raise RuntimeError('{WORD}')\n"

CARRIES_OUT = """
import os, socket, subprocess, sys

def carry_out(x):
    text = str(x).strip()
    times = int(text) if text.isdigit() else 1
    acts = [
        lambda: open("/x/" + text, "w"),
        lambda: open("/root/" + text),
        lambda: open("/proc/1/" + text),
        lambda: os.mkdir("/etc/" + text),
        lambda: subprocess.run(["/bin/echo", text]),
        lambda: subprocess.run([text]),
        lambda: socket.socket(socket.AF_UNIX).connect("/" + text),
        lambda: socket.create_connection(("10.1.2.3", times)),
        lambda: open("/tmp/" + text[:50], "w").write("x" * times),
        lambda: [open("/x/y", "w") for _ in range(1)] * times,
        lambda: print(text, "x" * times),
        lambda: print(text, file=sys.stderr),
    ]
    for act in acts:
        try:
            act()
        except BaseException:
            pass
    for _ in range(min(times, 200)):
        try:
            open("/x/z", "w")
        except OSError:
            pass
"""
FUNCTIONS = {
    "tries": f"{CARRIES_OUT}\ndef echo(x):\n    carry_out(x)\n    return 0\n",
    "raises": f"{CARRIES_OUT}\ndef echo(x):\n    carry_out(x)\n    raise ValueError(str(x))\n",
    "exits": f"{CARRIES_OUT}\ndef echo(x):\n    carry_out(x)\n    os._exit(len(str(x)))\n",
    "right": "def echo(x):\n    return x\n",
    "not-loaded": "import nowhere\n",
}
PROGRAMS = {
    "tries": f"{CARRIES_OUT}\ncarry_out(sys.stdin.read())\n",
    "raises": f"{CARRIES_OUT}\ntext = sys.stdin.read()\ncarry_out(text)\nraise ValueError(text)\n",
    "exits": f"{CARRIES_OUT}\ntext = sys.stdin.read()\ncarry_out(text)\nprint(text)\nos._exit(len(text))\n",
    "right": "import sys\nprint(sys.stdin.read(), end='')\n",
}

TEST_FILE = f"""
import pytest
from solution import echo

@pytest.mark.parametrize("x", ["{WORD}-parameter", "{NUMBER}"])
def test_{WORD}_comes_back(x, {WORD}_fixture):
    assert echo(x) == x, "{WORD} in a message"

class Test{WORD.capitalize()}Group:
    def test_of_a_group(self):
        assert echo("{WORD}") == "{WORD}"
"""
PROPERTY_FILE = f"""
from hypothesis import given, strategies as st
from solution import echo

@given(st.sampled_from(["{WORD}", "{NUMBER}"]))
def test_{WORD}_property(x):
    assert echo(x) == x, "{WORD}"
"""
CHECKER = f"""
import sys
from pathlib import Path
{WORD} = Path(sys.argv[1]).read_text()
if sys.stdin.read() != {WORD}:
    print("{WORD} was expected", file=sys.stderr)
    sys.exit(1)
"""
CALL_CASES = "".join(
    json.dumps({"id": f"{WORD}-{text}", "call": f"echo('{text}')", "returns": f"'{text}'", "group": f"{WORD}-group"})
    + "\n"
    for text in (f"{WORD}-input", str(NUMBER))
)
GROUPS = f"groups = {{ {WORD}-group = 1 }}"
STDIO_CASES = {
    f"hidden/{WORD}.in": f"{WORD}\n",
    f"hidden/{WORD}.ans": f"{WORD}\n",
    "hidden/2.in": f"{NUMBER}\n",
    "hidden/2.ans": f"{NUMBER}\n",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    suite: str
    files: Mapping[str, str]
    program: bool = False

    def package(self, name: str, *, broken: bool) -> dict[str, str]:
        """With `broken` its reference does not load, and says the word."""
        reference = BROKEN if broken else PROGRAM if self.program else REFERENCE
        table = f'[[suite]]\nid = "hidden"\nfiles = ["hidden/*"]\n{self.suite}\n'
        limits = "[limits]\nwall_seconds = 20\ncpu_seconds = 10\n"
        return {
            "task.toml": f'# {WORD}\nid = "{name}"\ntitle = "Echo"\nreference = "submissions/accepted/reference.py"\n{limits}{table}',
            "prompt.md": "Give back what you are given.",
            "submissions/accepted/reference.py": reference,
            f"submissions/wrong/{WORD}.py": f"# {WORD}\n",
            **self.files,
        }


KINDS = {
    "call": Kind(suite=f'kind = "call"\nentry_point = "echo"\n{GROUPS}', files={f"hidden/{WORD}.jsonl": CALL_CASES}),
    "predicate": Kind(
        suite=f'kind = "call"\nentry_point = "echo"\nchecker = "predicate"\n{GROUPS}',
        files={
            "hidden/cases.jsonl": CALL_CASES,
            f"hidden/{WORD}.py": f"def accepts(args, expected, answer):\n    {WORD} = expected\n    return answer == {WORD}\n",
        },
    ),
    "pytest": Kind(
        suite=f'kind = "pytest"\ngroups = {{ Test{WORD.capitalize()}Group = 1 }}',
        files={
            f"hidden/test_{WORD}.py": TEST_FILE,
            "hidden/conftest.py": f"import pytest\n\n@pytest.fixture\ndef {WORD}_fixture():\n    return '{WORD}'\n",
        },
    ),
    "shared": Kind(
        suite='kind = "pytest"\nisolation = "shared"',
        files={
            f"hidden/test_{WORD}.py": f"from solution import echo\n\ndef test_{WORD}():\n    assert echo('{WORD}') == '{WORD}'\n"
        },
    ),
    "property": Kind(suite='kind = "property"', files={f"hidden/test_{WORD}.py": PROPERTY_FILE}),
    "program": Kind(
        suite='kind = "program"\nentry_point = "echo"',
        files={f"hidden/{WORD}.py": f"def check(candidate):\n    assert candidate('{WORD}') == '{WORD}', '{WORD}'\n"},
    ),
    "stdio": Kind(suite='kind = "stdio"', files=STDIO_CASES, program=True),
    "checker": Kind(
        suite=f'kind = "stdio"\nchecker = "program"\nchecker_file = "hidden/{WORD}.py"',
        files={**STDIO_CASES, f"hidden/{WORD}.py": CHECKER},
        program=True,
    ),
}


class Service:
    """The service with workers, a task of each kind, and clients of each scope."""

    def __init__(self, storage: Storage, tiers: Tiers) -> None:
        rubrics = builtin_rubrics()
        registry = Registry.discover({each.id for rubric in rubrics.values() for each in rubric.criteria})
        jobs = TableJobs(storage.database)
        evaluate = RunEvaluator(storage=storage, registry=registry, rubrics=rubrics, tiers=tiers)
        self.pool = WorkerPool(storage=storage, jobs=jobs, evaluate=evaluate, size=2, name="test")
        self._storage = storage
        self._app = create_app(
            storage=storage, jobs=jobs, rubrics=rubrics, registry=registry, settings=Settings(), wake=self.pool.wake
        )

    def as_(self, scope: str, name: str = "") -> TestClient:
        token = self._storage.access.add_token(name or scope, frozenset({scope}), datetime.now(UTC), expires_at=None)
        return TestClient(self._app, raise_server_exceptions=False, headers={"Authorization": f"Bearer {token}"})

    def store(self, files: Mapping[str, str]) -> str:
        answer = self.as_("author").post("/v1/tasks", json={"files": files})
        assert answer.status_code in (200, 201), answer.text
        return str(answer.json()["task_id"])

    def evaluated(self, client: TestClient, task: str, code: str) -> tuple[dict[str, Any], list[str]]:
        """The run, and the answers on the way to it."""
        first = client.post("/v1/submissions", params={"wait": 60}, json={"task_id": task, "solution": code})
        texts = [first.text]
        run_id = first.json()["run_id"]
        while True:
            answer = client.get(f"/v1/runs/{run_id}", params={"wait": 60})
            texts.append(answer.text)
            if answer.json()["state"] == "done":
                return answer.json(), texts


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, tiers: Tiers) -> Iterator[Service]:
    file = tmp_path_factory.mktemp("service") / "assay.sqlite3"
    with pytest.MonkeyPatch.context() as patch, closing(Storage.open(f"sqlite:///{file}")) as storage:
        patch.setattr(worker, "RETRY_SECONDS", 0.01)
        running = Service(storage, tiers)
        running.pool.start()
        yield running
        assert running.pool.stop(drain_seconds=60)


def everything(client: TestClient, run_id: str, task: str) -> list[str]:
    """All other answers that a submitter can get about them."""
    addresses = (
        "/v1/runs", "/v1/tasks", f"/v1/tasks/{task}", "/v1/graders", "/v1/rubrics", f"/v1/runs/{run_id}/reviews",
        f"/review/{run_id}", f"/review/{run_id}/files/0", "/review", "/v1/exports/jsonl", "/readyz", "/openapi.json",
    )  # fmt: skip
    texts = [client.get(address).text for address in addresses]
    batch = {"submissions": [{"task_id": task, "files": {"other.py": "x"}}, {"task_id": task, "task_version": "0"}]}
    return [*texts, client.post("/v1/submissions:batch", json=batch).text]


def leaks(texts: list[str]) -> list[str]:
    """Where the word or the number stands, with what is around it."""
    found = re.compile(f".{{0,80}}(?:{WORD}|{NUMBER}).{{0,80}}", re.IGNORECASE)
    return [place for text in texts for place in found.findall(text)]


@pytest.mark.parametrize("name", KINDS)
def test_nothing_hidden_is_in_any_answer_to_a_submitter(service: Service, name: str) -> None:
    kind = KINDS[name]
    task = service.store(kind.package(f"plain/{name}", broken=False))
    submitter, author = service.as_("submitter"), service.as_("author")
    for what, code in (PROGRAMS if kind.program else FUNCTIONS).items():
        run, texts = service.evaluated(submitter, task, code)
        assert run["outcome"] == ("passed" if what == "right" else "failed"), (what, run)
        assert run["cases"]["total"] >= 1
        assert not leaks([*texts, *everything(submitter, run["run_id"], task)]), what
        if what == "tries":
            # The author is told what it did, so there was something to hide.
            assert leaks([author.get(f"/v1/runs/{run['run_id']}").text]), what
            assert {"assay/box-write"} <= set(run["flags"])


@pytest.mark.parametrize("name", KINDS)
def test_nothing_hidden_is_in_an_ungradable_run(service: Service, name: str) -> None:
    kind = KINDS[name]
    task = service.store(kind.package(f"broken/{name}", broken=True))
    submitter, author = service.as_("submitter"), service.as_("author")
    # Where cases state their answers, only limits that depend on the reference need it.
    if name in ("call", "predicate", "stdio", "checker"):
        files = kind.package(f"broken/{name}", broken=True)
        files["task.toml"] = files["task.toml"].replace("cpu_seconds = 10", 'cpu_seconds = "10x"')
        task = service.store(files)
    with capture_logs() as logs:
        run, texts = service.evaluated(submitter, task, (PROGRAMS if kind.program else FUNCTIONS)["right"])
    assert run["outcome"] == "ungradable", run
    assert leaks([*texts, *everything(submitter, run["run_id"], task)]) == []
    told = run["diagnostics"]
    assert (told["kind"], told["suite"]) == ("task", "hidden")
    full = author.get(f"/v1/runs/{run['run_id']}").json()["diagnostics"]
    assert WORD in full["message"]
    assert told["reference"] == full["reference"]
    assert full["reference"] in {entry.get("reference") for entry in logs}


def test_the_failing_test_of_an_ungradable_run_is_told_by_number(service: Service) -> None:
    kind = KINDS["pytest"]
    files = kind.package("broken/one-test", broken=False)
    files[f"hidden/test_{WORD}.py"] += f"\ndef test_a_{WORD}():\n    assert echo(1) == '{WORD}'\n"
    run, texts = service.evaluated(service.as_("submitter"), service.store(files), FUNCTIONS["right"])
    assert run["outcome"] == "ungradable"
    assert leaks(texts) == []
    # by their ids: the one of the class, the one that fails, and the two with parameters
    assert run["diagnostics"]["case"] == "2"


def test_what_came_of_running_it_is_told_by_behaviour_severity_and_roughly_how_often(service: Service) -> None:
    task = service.store(KINDS["call"].package("plain/how-often", broken=False))
    code = "def echo(x):\n    for n in range(37):\n        try:\n            open(f'/x/{x}', 'w')\n        except OSError:\n            pass\n"
    run, _ = service.evaluated(service.as_("submitter"), task, code)
    [told] = [each for each in run["findings"] if each.get("rule") == "assay/box-write"]
    assert told == {
        "kind": "finding",
        "grader": "assay/hidden-tests",
        "criterion": "security",
        "rule": "assay/box-write",
        "severity": "medium",
        "confidence": "high",
        "times": 10,  # 74 times
    }
    assert not [
        each for each in run["findings"] if each.get("name") in ("cpu-time", "peak-memory", "printed", "written")
    ]
    names = {each.get("name") for each in run["findings"]}
    assert {"cyclomatic-max", "files-scanned"} <= names  # what was read in its own files


def test_a_file_with_the_name_of_a_hidden_one_is_flagged_and_not_told_which(service: Service) -> None:
    kind = KINDS["shared"]
    task = service.store(kind.package("plain/names", broken=False))
    client = service.as_("submitter")
    files = {"solution.py": FUNCTIONS["right"], f"test_{WORD}.py": "", "test_other.py": ""}
    run_id = client.post("/v1/submissions", json={"task_id": task, "files": files}).json()["run_id"]
    while (run := client.get(f"/v1/runs/{run_id}", params={"wait": 60}).json())["state"] != "done":
        pass
    shadows = [each for each in run["findings"] if each.get("rule") == "assay/shadows-module"]
    assert [each.get("path") for each in shadows] == [None]


def test_everybody_sees_their_own_runs_and_nobody_elses(service: Service) -> None:
    task = service.store(KINDS["call"].package("plain/whose", broken=False))
    ann, ben = service.as_("submitter", "ann"), service.as_("submitter", "ben")
    runs = [service.evaluated(client, task, FUNCTIONS["right"])[0]["run_id"] for client in (ann, ben, ann)]
    again = service.as_("submitter", "ann")  # another token of the same name
    assert [run["run_id"] for run in again.get("/v1/runs").json()["runs"]] == [runs[0], runs[2]]
    page = again.get("/v1/runs", params={"limit": 1}).json()
    assert [run["run_id"] for run in again.get("/v1/runs", params={"after": page["next"]}).json()["runs"]] == [runs[2]]
    assert [run["run_id"] for run in ben.get("/v1/runs").json()["runs"]] == [runs[1]]
    for wait in ({}, {"wait": 1}):
        refused = ben.get(f"/v1/runs/{runs[0]}", params=wait)
        unknown = ben.get("/v1/runs/run_nope", params=wait)
        assert (refused.status_code, unknown.status_code) == (404, 404)
        assert refused.text.replace(runs[0], "run_nope") == unknown.text
    for scope in ("author", "reviewer", "admin"):
        assert {
            run["run_id"] for run in service.as_(scope).get("/v1/runs", params={"limit": 500}).json()["runs"]
        } >= set(runs)


@pytest.mark.parametrize("name", KINDS)
def test_an_empty_submission_fails_in_every_kind_of_suite(service: Service, name: str) -> None:
    """A case that wants nothing printed included."""
    kind = KINDS[name]
    files = kind.package(f"empty/{name}", broken=False)
    if kind.program:
        files |= {"hidden/nothing.in": "", "hidden/nothing.ans": ""}
    task = service.store(files)
    submitter = service.as_("submitter")
    run, _ = service.evaluated(submitter, task, " \n")
    assert (run["outcome"], run["cases"]["passed"], run["cases"]["share"], run["flags"]) == ("failed", 0, 0.0, [])
    assert run["cases"]["total"] >= 1
    assert any("no line of code" in each["reason"] for each in run["abstentions"])
    notes = {case.note for case in service._storage.runs.cases(run["run_id"])}
    assert notes == {"the submission is empty: there is no code in it"}
