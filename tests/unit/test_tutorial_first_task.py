"""docs/tutorial/your-first-task.md, followed to the letter up to its `./assay` commands, gives what it says."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from graders.suites.call.cases import Case, parse_cases
from graders.tasks.package import load, parse
from service.packages import read_folder

TUTORIAL = (Path(__file__).parents[2] / "docs" / "tutorial" / "your-first-task.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TUTORIAL, flags=re.DOTALL | re.MULTILINE)


def follow(folder: Path, blocks: list[str]) -> None:
    script = "".join(block for block in blocks if "./assay" not in block)
    subprocess.run(["sh", "-eu", "-c", script], cwd=folder, check=True)


def passes(program: str, cases: tuple[Case, ...]) -> bool:
    """The tutorial's own programs, none of which ends the process; those in boxes are run by the service's tests."""
    namespace: dict[str, Callable[..., object]] = {}
    exec(program, namespace)

    def right(case: Case) -> bool:
        try:
            value = namespace["initials"](*case.args)
        except (ValueError, IndexError) as error:
            return type(error).__name__ == case.raises
        return case.raises is None and value == case.expected

    return all(map(right, cases))


def hidden_cases(files: dict[str, str]) -> tuple[Case, ...]:
    return parse_cases(files["hidden/cases.jsonl"], name="cases.jsonl", entry_point="initials")


def test_first_tests_are_too_weak_as_the_tutorial_says(tmp_path: Path) -> None:
    first_verify = next(number for number, block in enumerate(BLOCKS) if "./assay verify" in block)
    follow(tmp_path, BLOCKS[:first_verify])
    files = read_folder(tmp_path / "my-tasks" / "initials")
    cases = hidden_cases(files)
    assert load(files).version in TUTORIAL
    assert len(cases) == 4
    assert passes(files["submissions/accepted/reference.py"], cases)
    assert passes(files["submissions/wrong/splits_at_each_space.py"], cases)


def test_mended_tests_find_the_mistake(tmp_path: Path) -> None:
    follow(tmp_path, BLOCKS)
    files = read_folder(tmp_path / "my-tasks" / "initials")
    cases = hidden_cases(files)
    assert load(files).id == "initials"
    assert {submission.kind for submission in parse(files).submissions} == {"accepted", "wrong", "hostile"}
    assert passes(files["submissions/accepted/reference.py"], cases)
    assert not passes(files["submissions/wrong/splits_at_each_space.py"], cases)


def test_samples_end_as_the_tutorial_says(tmp_path: Path) -> None:
    follow(tmp_path, BLOCKS)
    cases = hidden_cases(read_folder(tmp_path / "my-tasks" / "initials"))
    samples = [json.loads(line) for line in (tmp_path / "samples.jsonl").read_text().splitlines()]
    programs = {sample["id"]: sample["solution"] for sample in samples}
    assert set(programs) == {"model-a", "model-b"}
    assert passes(programs["model-b"], cases)
    assert not passes(programs["model-a"], cases)
