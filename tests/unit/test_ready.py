"""Which boxes are kept ready: as many, and of such shapes, as were taken last."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from docker.errors import DockerException

from sandboxes.container.prepared import PreparedContainers
from sandboxes.container.program import Shape

A, B = (Shape(memory_mib=memory, processes=1, disk_mib=1) for memory in (64, 128))


@dataclass(frozen=True, eq=False)
class Made:
    shape: Shape


class Engine:
    """Makes and discards."""

    def __init__(self) -> None:
        self.here: list[Made] = []
        self.failures = 0

    def make(self, shape: Shape) -> Made:
        if self.failures:
            self.failures -= 1
            raise DockerException("away")
        self.here.append(Made(shape))
        return self.here[-1]

    def discard(self, box: Made) -> None:
        self.here.remove(box)


def settle(boxes: PreparedContainers, *shapes: Shape) -> list[Made]:
    """What is kept, once it is of these shapes."""
    deadline = time.monotonic() + 10
    while Counter(box.shape for box in boxes._boxes) != Counter(shapes):
        assert time.monotonic() < deadline, boxes._boxes
        threading.Event().wait(0.005)
    return list(boxes._boxes)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def keep(engine: Engine) -> Iterator[Callable[[int], PreparedContainers]]:
    kept: list[PreparedContainers] = []

    def make(count: int) -> PreparedContainers:
        kept.append(PreparedContainers(engine.make, engine.discard, count))
        return kept[-1]

    yield make
    for boxes in kept:
        boxes.close()


def test_nothing_is_made_before_anything_was_taken(engine: Engine, keep: Callable[[int], PreparedContainers]) -> None:
    boxes = keep(2)
    boxes.close()
    assert engine.here == []


def test_the_next_are_expected_to_be_like_the_last(engine: Engine, keep: Callable[[int], PreparedContainers]) -> None:
    boxes = keep(2)
    assert boxes.take(A) is None
    (ready,) = settle(boxes, A)
    boxes.take(B)
    settle(boxes, A, B)
    boxes.take(B)
    settle(boxes, B, B)
    assert ready not in engine.here, "one too many is discarded"


def test_a_box_is_given_once(engine: Engine, keep: Callable[[int], PreparedContainers]) -> None:
    boxes = keep(1)
    boxes.take(A)
    given = set()
    for _ in range(5):
        settle(boxes, A)
        given.add(boxes.take(A))
    assert len(given) == 5 and None not in given


def test_a_failure_to_make_one_is_tried_again(engine: Engine, keep: Callable[[int], PreparedContainers]) -> None:
    engine.failures = 2
    boxes = keep(1)
    boxes.take(A)
    settle(boxes, A)


def test_closing_discards_all_and_makes_none(engine: Engine, keep: Callable[[int], PreparedContainers]) -> None:
    boxes = keep(3)
    given = [boxes.take(shape) for shape in (A, B, A)]
    boxes.close()
    assert [box for box in engine.here if box not in given] == [] and boxes.take(A) is None
    assert not boxes._thread.is_alive()


def test_none_are_kept_where_none_are_asked_for(engine: Engine, keep: Callable[[int], PreparedContainers]) -> None:
    boxes = keep(0)
    boxes.take(A)
    boxes.close()
    assert engine.here == []
