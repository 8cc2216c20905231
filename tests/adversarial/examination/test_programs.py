"""Cheats and unusual honest programs on tasks of each kind of suite: none of the first is credited, none of the second denied.

Each folder here is a task package, and each of its submissions shows one mechanism, which its name says: `hostile` ones are to
fail, `accepted` ones to pass without a flag above low. `assay verify` runs them as well.

DISPUTED has those on which the two examinations disagree, and why that is right: a human decides then, and nobody is credited.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from graders.interface import CaseOutcome, Finding, Severity, Submission, SubmissionId, Task
from graders.plugins.registry import Registry
from graders.tasks import package
from graders.tasks.package import PackagedSubmission
from sandboxes.interface import Sandbox, Tier
from sandboxes.tiers import Tiers
from service.evaluation import pipeline
from service.evaluation.task_cache import TaskCache
from service.packages import read_folder
from service.rubric_files import builtin_rubrics
from service.storage.interface import RunOutcome, RunResult

TASKS = sorted(path.parent for path in Path(__file__).parent.glob("*/task.toml"))
OTHER = "where the reference has a plain value it has something else, which may be another representation"
DISPUTED: Mapping[str, str] = {
    "bus/writes_the_clock": "it reads an attribute of the test's clock that the reference does not, as an honest one might",
    "inventory/a_text_that_says_yes": "a text of a class of its own, which may be another representation",
    "inventory/an_object_with_the_methods_of_a_text": "an object where the reference has a text: another representation",
    "inventory/the_report_is_the_inventory": "an object where the reference has a text: another representation",
    "measures/a_class_in_the_place_of_a_dictionary": OTHER,
    "measures/a_class_with_a_floor": OTHER,
    "measures/a_dictionary_with_other_values": OTHER,
    "measures/a_float_with_another_floor": OTHER,
    "measures/a_floor_far_below_its_ceiling": OTHER,
    "measures/a_function_in_the_place_of_a_dictionary": OTHER,
    "measures/a_length_and_no_elements": OTHER,
    "measures/a_module_in_the_place_of_a_dictionary": OTHER,
    "measures/a_namespace_in_the_place_of_a_dictionary": OTHER,
    "measures/a_number_that_says_another_each_way": OTHER,
    "measures/a_partial_in_the_place_of_a_dictionary": OTHER,
    "measures/a_word_that_equals_another": OTHER,
    "measures/keys_that_are_not_its_items": OTHER,
    "measures/true_and_empty": OTHER,
    "measures/values_among_its_attributes": OTHER,
    "measures/values_that_are_not_its_items": OTHER,
    "objects/a_matrix_that_equals_all": "its own == and the compared states disagree, and nobody here knows which is right",
    "objects/its_own_context_manager": "it asks a mock for its __enter__, which does not cross",
    "objects/writes_the_events_of_a_recorder": "it reads an attribute of the test's recorder that the reference does not",
    "polynomials/an_array_inside": "the states of two of its objects hold an array of objects, which cannot cross",
    "polynomials/rounds_to_what_is_wanted": OTHER,
}
"""`task/submission` -> why no machine decides."""
RUBRIC = builtin_rubrics()["default"]
MEMORY = TaskCache()


@cache
def task_at(folder: Path) -> tuple[Task, Mapping[str, PackagedSubmission]]:
    files = read_folder(folder)
    packaged = package.parse(files)
    return packaged.task, {each.name: each for each in packaged.submissions}


def programs(kind: str) -> list[object]:
    return [
        pytest.param(folder, name, id=f"{folder.name}: {Path(name).stem}")
        for folder in TASKS
        for name, submission in task_at(folder)[1].items()
        if submission.kind == kind
    ]


@pytest.fixture(scope="module")
def jail(tiers: Tiers) -> Sandbox:
    return tiers.at_least(Tier.JAIL)


def evaluated(folder: Path, name: str, sandbox: Sandbox) -> RunResult:
    task, submissions = task_at(folder)
    registry = Registry.discover({criterion.id for criterion in RUBRIC.criteria})
    submission = Submission(id=SubmissionId(name), task_id=task.id, files=submissions[name].files)
    return pipeline.evaluate(
        task,
        submission,
        graders=registry.for_task(task),
        rubric=RUBRIC,
        sandbox=sandbox,
        remember=MEMORY.of(task.id, task.version, sandbox.name),
    )


def told(findings: RunResult) -> list[str]:
    return [
        f"{each.case}: {each.outcome} {each.got[-300:]} {each.note}"
        for each in findings.signals
        if isinstance(each, CaseOutcome) and each.outcome != "passed"
    ]


@pytest.mark.parametrize(("folder", "name"), programs("hostile"))
def test_no_cheat_is_credited(folder: Path, name: str, jail: Sandbox) -> None:
    findings = evaluated(folder, name, jail)
    right = RunOutcome.DISPUTED if f"{folder.name}/{Path(name).stem}" in DISPUTED else RunOutcome.FAILED
    assert findings.outcome is right, told(findings)


@pytest.mark.parametrize(("folder", "name"), programs("accepted"))
def test_no_honest_program_is_denied_or_accused(folder: Path, name: str, jail: Sandbox) -> None:
    findings = evaluated(folder, name, jail)
    right = RunOutcome.DISPUTED if f"{folder.name}/{Path(name).stem}" in DISPUTED else RunOutcome.PASSED
    assert findings.outcome is right, told(findings)
    flags = [each for each in findings.signals if isinstance(each, Finding) and each.flag]
    assert not [each.message for each in flags if each.severity.rank > Severity.LOW.rank]


def test_there_are_enough_of_each() -> None:
    assert len(programs("hostile")) >= 115 and len(programs("accepted")) >= 105
