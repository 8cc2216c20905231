import asyncio
from unittest.mock import Mock, call

import pytest
from solution import Bus, gather, retry


class Clock:
    def __init__(self):
        self.now = 0
        self.waits = []

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


def test_each_handler_is_told():
    bus, first, second = Bus(Clock()), Mock(), Mock()
    bus.subscribe("a", first)
    bus.subscribe("a", second)
    assert bus.publish("a", 1) == 2
    first.assert_called_once_with(1)
    second.assert_called_once_with(1)


def test_nobody_else_is_told():
    bus, other = Bus(Clock()), Mock()
    bus.subscribe("b", other)
    assert bus.publish("a", 1) == 0
    other.assert_not_called()


def test_in_order():
    bus, handler = Bus(Clock()), Mock()
    bus.subscribe("a", handler)
    for number in range(3):
        bus.publish("a", number)
    assert handler.mock_calls == [call(0), call(1), call(2)]
    assert handler.call_count == 3


def test_handlers_may_refuse():
    bus, seen = Bus(Clock()), []

    def handler(message):
        assert message == "fine", message
        seen.append(message)

    bus.subscribe("a", handler)
    assert bus.publish("a", "fine") == 1
    with pytest.raises(AssertionError):
        bus.publish("a", "bad")
    assert seen == ["fine"]


def test_handlers_look_at_the_bus():
    bus = Bus(Clock())

    def handler(message):
        assert bus.history("a")[-1] == message

    bus.subscribe("a", handler)
    bus.publish("a", 5)
    bus.publish("a", 6)
    assert bus.history("a") == [5, 6]


def test_history_is_a_copy():
    bus = Bus(Clock())
    bus.publish("a", 1)
    bus.history("a").append(2)
    assert bus.history("a") == [1]


def test_paused():
    bus, handler = Bus(Clock()), Mock()
    bus.subscribe("a", handler)
    with bus.pause():
        bus.publish("a", 1)
        handler.assert_not_called()
    handler.assert_called_once_with(1)


def test_retry_waits():
    clock = Clock()
    flaky = Mock(side_effect=[ValueError(), ValueError(), 7])
    assert retry(3, 5, clock)(flaky)("x") == 7
    assert clock.waits == [5, 5]
    assert clock.now == 10
    assert flaky.call_args_list == [call("x")] * 3


def test_retry_gives_up():
    clock = Clock()
    flaky = Mock(side_effect=ValueError("no"))
    with pytest.raises(ValueError):
        retry(2, 1, clock)(flaky)()
    assert flaky.call_count == 2
    assert clock.waits == [1]


def test_gather():
    started = []

    async def source(number):
        started.append(number)
        await asyncio.sleep(0)
        return number * 2

    assert asyncio.run(gather([source(1), source(2), source(3)])) == [2, 4, 6]
    assert sorted(started) == [1, 2, 3]


def test_gather_of_none():
    assert asyncio.run(gather([])) == []
