class LRUCache:
    entries = {}

    def __init__(self, capacity):
        if capacity < 1:
            raise ValueError
        self.capacity = capacity

    def get(self, key, default=None):
        if key not in self.entries:
            return default
        self.entries[key] = self.entries.pop(key)
        return self.entries[key]

    def put(self, key, value):
        self.entries.pop(key, None)
        self.entries[key] = value
        if len(self.entries) > self.capacity:
            del self.entries[next(iter(self.entries))]

    def keys(self):
        return list(self.entries)

    def __contains__(self, key):
        return key in self.entries

    def __len__(self):
        return len(self.entries)
