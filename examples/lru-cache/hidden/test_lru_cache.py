import random

import pytest
from solution import LRUCache


def filled(capacity, keys):
    cache = LRUCache(capacity)
    for key in keys:
        cache.put(key, key.upper())
    return cache


def plain_keys(cache):
    keys = cache.keys()
    assert type(keys) is list
    assert all(type(key) in (str, int, tuple, type(None)) for key in keys)
    return keys


def test_new_cache_is_empty():
    cache = LRUCache(3)
    size = len(cache)
    assert type(size) is int
    assert size == 0
    assert plain_keys(cache) == []


@pytest.mark.parametrize("capacity", [0, -1, -100])
def test_capacity_must_be_positive(capacity):
    with pytest.raises(ValueError):
        LRUCache(capacity)


def test_get_returns_what_was_put():
    cache = filled(2, "a")
    value = cache.get("a")
    assert type(value) is str
    assert value == "A"


def test_get_returns_the_very_object():
    cache = LRUCache(1)
    value = object()
    cache.put("k", value)
    assert cache.get("k") is value


def test_missing_key_gives_none():
    assert LRUCache(1).get("nothing") is None


def test_missing_key_gives_the_default():
    default = object()
    assert LRUCache(1).get("nothing", default) is default


@pytest.mark.parametrize("value", [None, 0, "", False, []], ids=repr)
def test_falsy_values_are_values(value):
    cache = LRUCache(1)
    cache.put("k", value)
    found = cache.get("k", "default")
    assert (found, type(found)) == (value, type(value))
    assert ("k" in cache) is True


def test_missing_key_does_not_appear():
    cache = filled(2, "a")
    cache.get("b")
    assert ("b" in cache) is False
    assert len(cache) == 1


def test_oldest_goes_when_full():
    cache = filled(2, "abc")
    assert plain_keys(cache) == ["b", "c"]
    assert cache.get("a") is None


def test_size_never_exceeds_capacity():
    cache = LRUCache(5)
    for number in range(50):
        cache.put(number, number)
        assert len(cache) == min(number + 1, 5)


def test_get_is_a_use():
    cache = filled(2, "ab")
    cache.get("a")
    cache.put("c", "C")
    assert plain_keys(cache) == ["a", "c"]


def test_put_of_a_known_key_replaces_its_value():
    cache = filled(2, "ab")
    cache.put("a", "new")
    assert cache.get("a") == "new"
    assert len(cache) == 2


def test_put_of_a_known_key_is_a_use():
    cache = filled(2, "ab")
    cache.put("a", "new")
    cache.put("c", "C")
    assert plain_keys(cache) == ["a", "c"]


def test_put_of_a_known_key_pushes_nothing_out():
    cache = filled(3, "abc")
    cache.put("b", "new")
    assert plain_keys(cache) == ["a", "c", "b"]


def test_contains_is_no_use():
    cache = filled(2, "ab")
    assert ("a" in cache) is True
    cache.put("c", "C")
    assert ("a" in cache) is False


def test_len_and_keys_are_no_use():
    cache = filled(3, "abc")
    assert len(cache) == 3
    assert plain_keys(cache) == ["a", "b", "c"]
    cache.put("d", "D")
    assert plain_keys(cache) == ["b", "c", "d"]


def test_failed_get_is_no_use():
    cache = filled(2, "ab")
    cache.get("x")
    assert plain_keys(cache) == ["a", "b"]


def test_changing_the_list_of_keys_changes_nothing():
    cache = filled(2, "ab")
    cache.keys().clear()
    assert plain_keys(cache) == ["a", "b"]


def test_capacity_of_one():
    cache = filled(1, "ab")
    assert plain_keys(cache) == ["b"]
    assert cache.get("a") is None
    assert cache.get("b") == "B"


def test_any_hashable_is_a_key():
    cache = LRUCache(3)
    for key in ((1, 2), None, 7):
        cache.put(key, "value")
    assert plain_keys(cache) == [(1, 2), None, 7]
    assert cache.get(None) == "value"


def test_caches_share_nothing():
    one, other = filled(2, "a"), filled(2, "b")
    assert plain_keys(one) == ["a"]
    assert plain_keys(other) == ["b"]


def test_a_key_that_went_may_come_back():
    cache = filled(2, "abc")
    cache.put("a", "again")
    assert plain_keys(cache) == ["c", "a"]
    assert cache.get("a") == "again"


def test_agrees_with_a_list_of_uses():
    rng = random.Random(5)
    cache, uses = LRUCache(8), []
    for step in range(3000):
        key = rng.randrange(16)
        if rng.random() < 0.5:
            cache.put(key, step)
            uses = [(k, v) for k, v in uses if k != key] + [(key, step)]
            uses = uses[-8:]
        else:
            known = dict(uses)
            assert cache.get(key, -1) == known.get(key, -1)
            if key in known:
                uses = [(k, v) for k, v in uses if k != key] + [(key, known[key])]
        assert plain_keys(cache) == [k for k, _ in uses]


def test_large_cache():
    size, uses = 15_000, 10_000
    cache = LRUCache(size)
    for number in range(size):
        cache.put(number, number)
    rng = random.Random(6)
    for _ in range(uses):
        key = rng.randrange(size)
        assert cache.get(key) == key
    for number in range(size, size + uses):
        cache.put(number, number)
    assert len(cache) == size
