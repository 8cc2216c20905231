"""A list linked in both directions, closed to a ring by one link that holds no entry."""


class Link:
    __slots__ = ("after", "before", "key", "value")

    def __init__(self, key, value):
        self.key = key
        self.value = value


class Chain:
    def __init__(self):
        self._ring = Link(None, None)
        self._ring.before = self._ring.after = self._ring

    def append(self, key, value):
        link = Link(key, value)
        self._insert_last(link)
        return link

    def move_to_end(self, link):
        self._remove(link)
        self._insert_last(link)

    def pop_first(self):
        first = self._ring.after
        self._remove(first)
        return first

    def keys(self):
        link = self._ring.after
        while link is not self._ring:
            yield link.key
            link = link.after

    def _insert_last(self, link):
        link.before, link.after = self._ring.before, self._ring
        link.before.after = self._ring.before = link

    def _remove(self, link):
        link.before.after, link.after.before = link.after, link.before
