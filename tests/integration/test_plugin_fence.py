"""Plugins that break every rule, through the real service: each costs only its own criterion."""

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from rubrics.signals import Abstention, Finding, Measurement, Signal
from sandboxes.interface import Sandbox
from service import wiring
from service.client import Client
from service.packages import read_folder
from service.schemas import SubmissionIn
from service.settings import Settings
from service.storage.interface import RunId, RunResult
from service.storage.storage import Storage
from tests.integration.serving import alive, children_of, installed, serving

pytestmark = pytest.mark.timeout(600)

MEDIAN = Path(__file__).parents[2] / "examples" / "median"
RIGHT, WRONG = "import statistics\nmedian = statistics.median\n", "def median(xs): return -1\n"
PLUGIN = "acme/misbehaving"
SECONDS = 4

REASONS = {
    "yields_an_object": f"^{PLUGIN} yielded a finding whose message is an object of type object, not a text$",
    "yields_a_text": f"^{PLUGIN} yielded 'a string', which is no signal$",
    "yields_a_case": f"^{PLUGIN} yielded a case outcome, which only built-in graders report$",
    "yields_for_another_criterion": "for the criterion 'correctness', not its own best_practices$",
    "yields_in_anothers_name": "for the grader 'assay/security', not its own acme/misbehaving$",
    "yields_no_number": "a measurement whose value is not a finite number$",
    "yields_a_subclass": "an object of type Mine, which is no signal$",
    "yields_a_huge_text": "",
    "yields_a_huge_name": "whose rule has more than 300 characters$",
    "yields_many": "",
    "yields_for_ever": f"^{PLUGIN} did not finish within {SECONDS} s$",
    "is_no_iterator": "crashed: TypeError: 'int' object is not iterable",
    "exits": "crashed: SystemExit: 3$",
    "is_interrupted": "crashed: KeyboardInterrupt$",
    "leaves_as_generators_do": "crashed: GeneratorExit$",
    "says_the_box_failed": "crashed: SandboxError: says the plugin$",
    "says_the_task_is_broken": "crashed: TaskUnusable: says the plugin$",
    "crashes_without_words": "crashed: NoWordsError",
    "crashes_with_many_words": "crashed: ValueError: xxx",
    "recurses": "crashed: RecursionError",
    "exits_at_once": "did not finish: its process ended with exit code 7$",
    "crashes_the_interpreter": r"did not finish: its process ended by signal 11 \(SIGSEGV\)$",
    "becomes_another_program": "did not finish: it closed its connection$",
    "closes_all_files": "did not finish: it closed its connection$",
    "hangs": f"^{PLUGIN} did not finish within {SECONDS} s$",
    "hangs_at_its_end": "within|no signal",
    "forks": "",
    "leaves_a_daemon": "",
    "leaves_a_thread": "",
    "kills_its_parent": "lost its process$",
    "kills_everybody": "lost its process$",
    "reaches_for_the_service": "",
    "eats_memory": "ran out of memory$",
    "eats_shared_memory": "ran out of memory$",
    "changes_its_neighbours": "",
    "runs_boxes": "",
    "wants_what_is_no_command": "",
    "counts_lines": "",
    "tells_its_options": "",
    "opens_many_boxes": "",
    "stops_itself": f"^{PLUGIN} did not finish within {SECONDS} s$",
    "stops_its_parent": "",
    "makes_the_log_non_blocking": "",
    "says_half_a_message": f"^{PLUGIN} did not finish within {SECONDS} s$",
    "says_too_long_a_message": "did not finish: it closed its connection$",
    "says_a_large_message": "^x{400}|MemoryError$",
    "says_a_deep_message": "did not finish: it closed its connection$",
    "says_a_broad_message": "MemoryError|sent a message that no plugin sends$|did not finish within",
    "says_numbers_for_texts": "crashed: TypeError",
    "says_what_it_never_did": f"^{PLUGIN} sent a message that no plugin sends$",
    "closes_what_is_not_open": "crashed: KeyError",
    "waits_for_no_number": f"^{PLUGIN} did not finish within {SECONDS} s$",
    "says_a_signal_of_anothers": f"^{PLUGIN} yielded a case outcome, which only built-in graders report$",
}


@dataclass
class Watched:
    """The answers that a client saw while the service was busy."""

    healthz: list[float] = field(default_factory=list)
    """Seconds of each answer."""
    readyz: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Iterator["Served"]:
    home = tmp_path_factory.mktemp("home")
    settings = Settings(home=home)
    scopes = frozenset({"submitter", "author"})
    token = wiring.new_token(settings, "test", scopes, days=1, sign_in=False)
    environment = {
        "PYTHONPATH": installed(home / "site", "misbehaving", "misbehaving:Misbehaving"),
        "ASSAY_GRADER_SECONDS": str(SECONDS),
        "ASSAY_GRADER_MEMORY_MIB": "512",
        "ASSAY_WORKERS": "2",
        "ASSAY_RUBRICS": str(home / "rubrics"),
    }
    home.chmod(0o755)
    (home / "rubrics").mkdir()
    (home / "rubrics" / "lines.toml").write_text(RUBRIC)
    with (
        serving(home, **environment) as (process, base_url),
        Client(base_url, token) as client,
        closing(Storage.open(settings.storage_url)) as storage,
    ):
        assert home.stat().st_mode & 0o777 == 0o700
        yield Served(client, storage, base_url, process.pid)
        assert process.poll() is None


class Served:
    def __init__(self, client: Client, storage: Storage, base_url: str, pid: int) -> None:
        self.pid = pid
        self.client = client
        self.storage = storage
        self.base_url = base_url
        self._put: set[str] = set()

    def submit(self, way: str, solution: str = RIGHT, rubric: str = "") -> str:
        """A submission to the median task, at which the plugin looks in this way; none at all for an empty one."""
        files = read_folder(MEDIAN)
        head = f'rubric = "{rubric}"\n' if rubric else ""
        options = f'\n[graders."{PLUGIN}"]\nway = "{way}"\nwords = ["a"]\nshare = 1\n' if way else ""
        name = f"median-{way.replace('_', '-')}{'-' + rubric if rubric else ''}" if way else "median"
        toml = re.sub(r"(?m)^id = .*$", f'{head}id = "{name}"', files["task.toml"], count=1)
        if name not in self._put:  # the plugin is asked about its options in a process of its own each time
            self._put.add(name)
            self.client.put_task({**files, "task.toml": toml + options})
        return self.client.submit(SubmissionIn(task_id=name, solution=solution)).run_id

    def findings(self, run_id: str) -> RunResult:
        while self.client.run(run_id, wait_seconds=10).state != "done":
            pass
        findings = self.storage.runs.get(RunId(run_id)).findings
        assert findings is not None
        return findings

    def of_the_plugin(self, run_id: str) -> tuple[list[Signal], str]:
        """Return the plugin's reports, and why it abstained, if it did."""
        own = [signal for signal in self.findings(run_id).signals if signal.grader == PLUGIN]
        reasons = [signal.reason for signal in own if isinstance(signal, Abstention)]
        assert len(reasons) <= 1 and all(signal.criterion == "best_practices" for signal in own)
        return [signal for signal in own if not isinstance(signal, Abstention)], "".join(reasons)


@pytest.fixture(scope="module")
def all_at_once(served: Served) -> tuple[dict[str, str], list[str], Watched]:
    """The runs by way, honest runs among them, and what a client saw meanwhile."""
    watched, over = Watched(), threading.Event()

    def watch() -> None:
        with httpx2.Client(base_url=served.base_url, timeout=30) as client:
            while not over.wait(0.05):
                began = time.monotonic()
                assert client.get("/healthz").status_code == 200
                watched.healthz.append(time.monotonic() - began)
                watched.readyz.append(client.get("/readyz").text)

    watcher = threading.Thread(target=watch)
    watcher.start()
    runs, honest = {}, []
    try:
        for way in REASONS:
            runs[way] = served.submit(way)
            honest += [served.submit("", WRONG if len(runs) % 2 else RIGHT), served.submit("finds")]
        for run_id in (*runs.values(), *honest):
            served.findings(run_id)
    finally:
        over.set()
        watcher.join()
    return runs, honest, watched


@pytest.mark.parametrize("way", REASONS)
def test_it_costs_its_own_criterion_only(all_at_once, served: Served, way: str) -> None:
    run_id = all_at_once[0][way]
    findings = served.findings(run_id)
    assert findings.outcome == "passed", findings.diagnostics
    assert served.client.run(run_id).attempt == 1
    prefills = {each.criterion: each for each in findings.prefills}
    assert prefills["correctness"].level == 4
    graders = {signal.grader for signal in findings.signals}
    assert {"assay/hidden-tests", "assay/integrity", "assay/security", "assay/complexity"} <= graders
    reported, reason = served.of_the_plugin(run_id)
    assert re.search(REASONS[way], reason) if REASONS[way] else not reason, reason
    if way == "kills_its_parent" and not reported:
        return  # its earlier messages may be lost with the process that it kills
    assert isinstance(reported[0], Finding) and reported[0].message == "seen before"
    if reason:
        assert prefills["best_practices"].rule == "abstained"
        assert reason in [getattr(signal, "reason", "") for signal in prefills["best_practices"].because]


def test_others_are_graded_as_if_nothing_happened(all_at_once, served: Served) -> None:
    for position, run_id in enumerate(all_at_once[1]):
        findings = served.findings(run_id)
        assert findings.outcome == ("failed" if position % 4 == 0 else "passed")
        assert served.client.run(run_id).attempt == 1
        if position % 2 == 1:  # the same plugin, on the next submission
            reported, reason = served.of_the_plugin(run_id)
            assert [getattr(each, "message", "") for each in reported] == ["seen before", "not as we write it"]
            assert not reason


def test_the_service_answers_and_is_ready_all_the_while(all_at_once) -> None:
    watched = all_at_once[2]
    assert len(watched.healthz) > 50
    # Milliseconds. The limit is for a host that is busy with other things; what hangs takes for ever.
    assert max(watched.healthz) < 5, sorted(watched.healthz)[-5:]
    assert set(watched.readyz) == {'{"status":"ready","missing":[]}'}


def test_a_plugin_gets_at_nothing_of_the_service(all_at_once, served: Served) -> None:
    """If the service is root, as here, the plugin is a user of its own: no signal, no memory, no database, no engine."""
    reported, _ = served.of_the_plugin(all_at_once[0]["reaches_for_the_service"])
    assert [getattr(each, "message", "") for each in reported] == ["seen before", "nothing"]


def test_of_too_many_signals_the_telling_ones_are_kept_and_the_others_counted(all_at_once, served: Served) -> None:
    reported, _ = served.of_the_plugin(all_at_once[0]["yields_many"])
    assert len(reported) == 501
    assert [signal.message for signal in reported if isinstance(signal, Finding) and signal.severity == "high"] == [
        "the one that counts"
    ]
    [left_out] = [signal for signal in reported if isinstance(signal, Measurement)]
    assert (left_out.name, left_out.value) == ("signals-left-out", 19_502)


def test_a_long_text_is_cut(all_at_once, served: Served) -> None:
    reported, _ = served.of_the_plugin(all_at_once[0]["yields_a_huge_text"])
    assert isinstance(reported[1], Finding)
    assert len(reported[1].message) == 2000 and reported[1].message.endswith("x [...]")


def test_a_copy_that_a_plugin_made_of_itself_says_nothing(all_at_once, served: Served) -> None:
    reported, _ = served.of_the_plugin(all_at_once[0]["forks"])
    assert [getattr(each, "message", "") for each in reported] == ["seen before", "the first"]


def test_what_a_plugin_leaves_behind_is_ended(all_at_once, served: Served) -> None:
    served.findings(all_at_once[0]["leaves_a_daemon"])
    lines = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            lines.append((folder / "cmdline").read_bytes())
    assert b"sleep\x001000.25\x00" not in lines


def test_a_plugin_has_the_boxes_of_a_session(all_at_once, served: Served) -> None:
    reported, _ = served.of_the_plugin(all_at_once[0]["runs_boxes"])
    assert isinstance(reported[1], Finding), reported
    assert reported[1].message == f"{b'42' + bytes([10])!r} {[b'one', b'two', b'three', b'0', b'', b'hello']!r}"
    assert served.findings(all_at_once[0]["runs_boxes"]).ends["exited"] >= 1


def test_a_plugin_has_so_many_boxes_at_once(all_at_once, served: Served) -> None:
    reported, _ = served.of_the_plugin(all_at_once[0]["opens_many_boxes"])
    assert isinstance(reported[1], Finding)
    assert reported[1].message == "refused: at most 8 conversations at once"


def test_a_plugin_has_its_options_in_their_types(all_at_once, served: Served) -> None:
    reported, _ = served.of_the_plugin(all_at_once[0]["tells_its_options"])
    assert [getattr(each, "message", "") for each in reported[1:]] == ["('a',) 1.0"]


def test_a_plugin_ends_with_its_evaluator(all_at_once, served: Served) -> None:
    run_id = served.submit("hangs")
    while served.client.run(run_id).state != "running":
        pass
    evaluators = children_of(served.pid)
    plugins = {pid for evaluator in evaluators for pid in children_of(evaluator)}
    while not (forks := {pid for plugin in plugins for pid in children_of(plugin)}):
        pass
    for evaluator in evaluators:
        os.kill(evaluator, signal.SIGKILL)
    _, reason = served.of_the_plugin(run_id)
    assert re.search(REASONS["hangs"], reason) and served.client.run(run_id).attempt == 2
    deadline = time.monotonic() + 60
    while alive(*plugins, *forks):
        assert time.monotonic() < deadline
        threading.Event().wait(0.1)


def test_what_is_no_command_is_the_plugins_mistake(all_at_once, served: Served) -> None:
    reported, _ = served.of_the_plugin(all_at_once[0]["wants_what_is_no_command"])
    assert isinstance(reported[1], Finding)
    assert reported[1].message == "refused: it is not a command for a box (expected texts)"


# --- what a plugin reports is cited -----------------------------------------------------------------------------------

RUBRIC = """
id = "lines"
title = "Lines"

[[criterion]]
id = "correctness"
title = "Correctness"
question = "Is it right?"
weight = 1
no_basis = "No case was run."
level = [{value = 0, title = "wrong", anchor = "It is wrong."}, {value = 1, title = "right", anchor = "It is right."}]

[[criterion]]
id = "best_practices"
title = "Best practices"
question = "Is it short?"
weight = 1
no_basis = "Nobody counted."
level = [{value = 0, title = "long", anchor = "It is long."}, {value = 1, title = "short", anchor = "It is short."}]

[[criterion.rule]]
id = "has-blank-lines"
level = 0
grader = "acme/misbehaving"
measurement = "blank-lines"
at_least = 3
says = "It has three blank lines or more."
"""


@pytest.mark.parametrize(("blank", "level", "rule"), [(4, 0, "has-blank-lines"), (0, None, "no-rule")])
def test_a_rubric_of_ones_own_decides_by_what_a_plugin_measures(
    served: Served, blank: int, level: int | None, rule: str
) -> None:
    findings = served.findings(served.submit("counts_lines", RIGHT + "\n" * blank + "pass", rubric="lines"))
    assert (findings.rubric_id, findings.outcome) == ("lines", "passed")
    [prefill] = [each for each in findings.prefills if each.criterion == "best_practices"]
    assert (prefill.level, prefill.rule) == (level, rule)
    if level is not None:
        [measured] = prefill.because
        assert isinstance(measured, Measurement) and (measured.grader, measured.name) == (PLUGIN, "blank-lines")


def test_the_default_rubric_cites_what_a_plugin_finds(all_at_once, served: Served) -> None:
    medium = served.findings(served.submit("finds"))
    [prefill] = [each for each in medium.prefills if each.criterion == "best_practices"]
    assert (prefill.level, prefill.rule) == (2, "medium-practice-finding")
    assert [getattr(each, "message", "") for each in prefill.because] == ["not as we write it"]
    [prefill] = [
        each for each in served.findings(all_at_once[0]["counts_lines"]).prefills if each.criterion == "best_practices"
    ]
    assert (prefill.level, prefill.rule) == (None, "no-rule")
    assert {getattr(each, "message", "") for each in prefill.because} >= {"seen before"}
    assert "1 finding" in prefill.says and "Nothing" not in prefill.says
