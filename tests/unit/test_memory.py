"""What a worker remembers of a task version, with a clock of the test's own."""

import pytest
from structlog.testing import capture_logs

from graders.interface import TaskUnusable
from graders.suites.stdio.judge import NoVerdict
from sandboxes.interface import SandboxError
from service.evaluation.task_cache import FAILURE_SECONDS, LONGEST_SECONDS, TaskCache


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Reference:
    """Fails so often, then answers."""

    def __init__(self, failures: int, error: Exception | None = None) -> None:
        self.failures = failures
        self.error = error or TaskUnusable("the reference hangs on case 3")
        self.runs = 0

    def __call__(self) -> str:
        self.runs += 1
        if self.runs <= self.failures:
            raise self.error
        return "measured"


def test_a_value_is_made_once_for_a_version() -> None:
    memory, reference = TaskCache(), Reference(0)
    assert [memory.of("t", "1")("cost", reference) for _ in range(3)] == ["measured"] * 3
    assert reference.runs == 1
    memory.of("t", "2")("cost", reference)
    assert reference.runs == 2


def test_that_a_task_is_unusable_is_learnt_and_said_once() -> None:
    clock, reference = Clock(), Reference(1)
    remember = TaskCache(clock).of("t", "1", "jail")
    with capture_logs() as logs:
        for _ in range(5):
            with pytest.raises(TaskUnusable, match="the reference hangs on case 3"):
                remember("cost/hidden", reference)
    assert reference.runs == 1
    [said] = logs
    assert (said["what"], said["why"]) == ("t/1/jail/cost/hidden", "the reference hangs on case 3")


def test_what_the_failure_knows_is_remembered_with_it() -> None:
    remember = TaskCache(Clock()).of("t", "1")
    for _ in range(2):
        with pytest.raises(NoVerdict) as raised:
            remember("cost", Reference(9, NoVerdict("the checker hangs", suite="hidden", ran_out_of_time=True)))
        assert (raised.value.suite, raised.value.ran_out_of_time) == ("hidden", True)
        assert str(raised.value) == "the checker hangs"


def test_a_task_is_looked_at_again_later_and_later() -> None:
    clock, reference = Clock(), Reference(7)
    remember = TaskCache(clock).of("t", "1")
    seconds = FAILURE_SECONDS
    for number in range(1, 8):
        with pytest.raises(TaskUnusable):
            remember("cost", reference)
        clock.now += seconds - 1
        with pytest.raises(TaskUnusable):
            remember("cost", reference)
        assert reference.runs == number
        clock.now += 1
        seconds = min(2 * seconds, LONGEST_SECONDS)
    assert seconds == LONGEST_SECONDS
    assert remember("cost", reference) == "measured"


@pytest.mark.parametrize("error", [SandboxError("engine gone"), RuntimeError("a bug of ours")])
def test_a_failure_of_ours_is_not_remembered(error: Exception) -> None:
    reference = Reference(1, error)
    remember = TaskCache(Clock()).of("t", "1")
    with pytest.raises(type(error)):
        remember("cost", reference)
    assert remember("cost", reference) == "measured"
