from collections import OrderedDict


class LRUCache:
    def __init__(self, capacity):
        if not capacity or capacity < 0:
            raise ValueError("capacity must be positive")
        self.capacity = capacity
        self.cache = OrderedDict()

    def get(self, key, default=None):
        value = self.cache.get(key)
        if value:
            self.cache.move_to_end(key)
        return value or default

    def put(self, key, value):
        self.cache[key] = value
        self.cache.move_to_end(key)
        while len(self.cache) > self.capacity:
            self.cache.popitem(last=False)

    def keys(self):
        return list(self.cache)

    def __contains__(self, key):
        return key in self.cache

    def __len__(self):
        return len(self.cache)
