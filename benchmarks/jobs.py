"""The jobs: the same three for each contender."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from graders.drivers import PROPERTY
from graders.drivers import PYTEST as PYTEST_DRIVER
from graders.interface import Harness, Suite

SOLUTION = """
def merge_intervals(intervals):
    merged = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged
"""

CASES = (
    ("[]", "[]"),
    ("[[1, 2]]", "[[1, 2]]"),
    ("[[1, 3], [2, 6]]", "[[1, 6]]"),
    ("[[1, 3], [4, 6]]", "[[1, 3], [4, 6]]"),
    ("[[4, 6], [1, 3]]", "[[1, 3], [4, 6]]"),
    ("[[1, 4], [4, 5]]", "[[1, 5]]"),
    ("[[1, 9], [2, 3]]", "[[1, 9]]"),
    ("[[1, 2], [1, 2]]", "[[1, 2]]"),
    ("[[-3, -1], [-2, 0]]", "[[-3, 0]]"),
    ("[[0, 1], [2, 3], [1, 2]]", "[[0, 3]]"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A program that ends with exit code 0 and prints `says` if all is well."""

    argv: tuple[str, ...]
    files: Mapping[str, str]
    says: str
    environment: Mapping[str, str] = field(default_factory=dict)
    harness: Harness = field(default_factory=Harness)
    """That of the grader for such jobs: tier jail imports it ahead, other ways do not need it."""

    def passed(self, code: int | None, output: bytes) -> None:
        """Raise RuntimeError if the job did not come out right: a cheap wrong answer is not fast."""
        if code != 0 or self.says.encode() not in output:
            raise RuntimeError(f"{' '.join(self.argv)} ended with {code} and said {output[-500:]!r}")


SMALL = Job(
    argv=("python3", "job.py"),
    files={
        "job.py": SOLUTION
        + "".join(f"assert merge_intervals({given}) == {wanted}\n" for given, wanted in CASES)
        + "print('all right')\n"
    },
    says="all right",
)
"""A function and ten assertions in one file."""

PYTEST = Job(
    # Lean: no plugin but pytest's own, no cache on disk.
    argv=("python3", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_job.py"),
    files={
        "job.py": SOLUTION,
        "test_job.py": "from job import merge_intervals\n"
        + "".join(
            f"\n\ndef test_{number}():\n    assert merge_intervals({given}) == {wanted}\n"
            for number, (given, wanted) in enumerate(CASES)
        ),
    },
    says="10 passed",
    environment={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    harness=PYTEST_DRIVER.harness,
)
"""The same as ten tests beside a module."""
WITH_HYPOTHESIS = replace(PYTEST, harness=PROPERTY.harness)
"""The same with Hypothesis imported ahead as well."""

CALLS = Suite(
    id="hidden",
    kind="call",
    files={
        "cases.jsonl": "".join(
            f'{{"id": "{number}", "call": "merge_intervals({given})", "returns": "{wanted}"}}\n'
            for number, (given, wanted) in enumerate(CASES)
        )
    },
    options={"entry_point": "merge_intervals"},
)
"""The same as a call suite: ten questions to the box, ten answers that the host compares."""

TWICE = Suite(id="hidden", kind="pytest", files={"test_job.py": PYTEST.files["test_job.py"]})
"""The ten tests as a pytest suite: together with the submission in one box, then apart from it in two."""
TOGETHER = Suite(id="hidden", kind="pytest", files=TWICE.files, options={"isolation": "shared"})
"""In one box only."""
WRONG = SOLUTION.replace("return merged", "return merged[:-1] or None")
"""A solution that fails all ten."""
CALLS_ACROSS = 1000
ACROSS = Suite(
    id="across",
    kind="pytest",
    files={
        "test_across.py": f"""
import time
from job import merge_intervals

def test_calls():
    took = []
    for _ in range({CALLS_ACROSS}):
        before = time.perf_counter()
        merge_intervals([[1, 3], [2, 6]])
        took.append(time.perf_counter() - before)
    took.sort()
    raise AssertionError(f"median {{took[len(took) // 2] * 1e6:.1f}} us")
"""
    },
)
"""A test that fails with what a small call across to the submission takes."""
