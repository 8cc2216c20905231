from contextlib import contextmanager
from dataclasses import dataclass


class OutOfStock(Exception):
    def __init__(self, missing):
        super().__init__(f"{missing} missing")
        self.missing = missing


class Item:
    __slots__ = ('name', 'count', 'price')

    def __init__(self, name, count, price):
        self.name, self.count, self.price = name, count, price

    def _key(self):
        return self.name, self.count, self.price

    def __eq__(self, other):
        return isinstance(other, Item) and self._key() == other._key()

    def __lt__(self, other):
        return self._key() < other._key()

    def __hash__(self):
        return hash(self._key())


def merge(left, right):
    merged = dict(left)
    for name, count in right.items():
        merged[name] = merged.get(name, 0) + count
    return merged


class Inventory:
    def __init__(self):
        self._items = {}
        self._watchers = []

    def add(self, name, count, price):
        self._items[name] = Item(name, count, price)

    def watch(self, watcher):
        self._watchers.append(watcher)

    def count(self, name):
        return self._items[name].count if name in self._items else 0

    def take(self, name, count):
        left = self.count(name) - count
        if left < 0:
            raise OutOfStock(-left)
        self._items[name].count = left
        for watcher in self._watchers:
            watcher(name, left)

    def value(self):
        return sum(item.count * item.price for item in self._items.values())

    def names(self):
        return sorted(self._items)

    def __len__(self):
        return len(self._items)

    def __contains__(self, name):
        return name in self._items

    def __iter__(self):
        return iter(sorted(self._items.values()))

    @contextmanager
    def batch(self):
        before = {name: item.count for name, item in self._items.items()}
        try:
            yield self
        except BaseException:
            for name, count in before.items():
                self._items[name].count = count
            raise

    def report(self):
        lines = [f"{len(self)} items"] + [f"{item.name}: {item.count}" for item in self]
        return "\n".join(lines)
