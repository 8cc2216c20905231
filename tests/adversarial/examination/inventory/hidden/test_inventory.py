import threading

import pytest
from solution import Inventory, Item, OutOfStock, merge


def stocked():
    inventory = Inventory()
    inventory.add("bolt", 10, 0.25)
    inventory.add("nut", 5, 0.1)
    return inventory


def test_value():
    assert stocked().value() == pytest.approx(3.0)


def test_value_is_near():
    assert abs(stocked().value() - 3.0) < 1e-9


def test_value_between():
    assert 2.9 < stocked().value() < 3.1


def test_take():
    inventory = stocked()
    inventory.take("bolt", 4)
    assert inventory.count("bolt") == 6
    assert inventory.count("gear") == 0


def test_too_many():
    inventory = stocked()
    with pytest.raises(OutOfStock) as caught:
        inventory.take("nut", 6)
    assert caught.value.missing == 1
    assert inventory.count("nut") == 5


def test_names():
    assert stocked().names() == ["bolt", "nut"]


def test_is_a_container():
    inventory = stocked()
    assert len(inventory) == 2
    assert "bolt" in inventory
    assert "gear" not in inventory
    assert [item.name for item in inventory] == ["bolt", "nut"]


def test_items_are_values():
    assert Item("bolt", 1, 0.25) == Item("bolt", 1, 0.25)
    assert Item("bolt", 1, 0.25) != Item("bolt", 2, 0.25)
    assert Item("bolt", 1, 0.25) < Item("nut", 1, 0.25)


def test_batch():
    inventory = stocked()
    with inventory.batch():
        inventory.take("bolt", 1)
        assert inventory.count("bolt") == 9
    assert inventory.count("bolt") == 9


def test_batch_goes_back():
    inventory = stocked()
    with pytest.raises(OutOfStock):
        with inventory.batch():
            inventory.take("bolt", 1)
            inventory.take("nut", 99)
    assert inventory.count("bolt") == 10


def test_watchers():
    inventory, seen = stocked(), []
    inventory.watch(lambda name, count: seen.append((name, count)))
    inventory.take("bolt", 2)
    inventory.take("nut", 1)
    assert seen == [("bolt", 8), ("nut", 4)]


def test_watchers_see_what_is_left():
    inventory = stocked()

    def look(name, count):
        assert inventory.count(name) == count

    inventory.watch(look)
    inventory.take("bolt", 3)
    inventory.take("bolt", 3)
    assert inventory.count("bolt") == 4


def test_merge():
    left, right = {"bolt": 1}, {"bolt": 2, "nut": 1}
    assert merge(left, right) == {"bolt": 3, "nut": 1}
    assert left == {"bolt": 1} and right == {"bolt": 2, "nut": 1}


def test_report():
    report = stocked().report()
    assert report.startswith("2 items")
    assert "bolt" in report and report.count("\n") == 2
