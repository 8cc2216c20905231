"""Right, but walks through a list of all keys at each use."""


class LRUCache:
    def __init__(self, capacity):
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        self.capacity = capacity
        self.uses = []

    def find(self, key):
        for place, (known, _) in enumerate(self.uses):
            if known == key:
                return place
        return None

    def get(self, key, default=None):
        place = self.find(key)
        if place is None:
            return default
        entry = self.uses.pop(place)
        self.uses.append(entry)
        return entry[1]

    def put(self, key, value):
        place = self.find(key)
        if place is not None:
            self.uses.pop(place)
        elif len(self.uses) == self.capacity:
            self.uses.pop(0)
        self.uses.append((key, value))

    def keys(self):
        return [key for key, _ in self.uses]

    def __contains__(self, key):
        return self.find(key) is not None

    def __len__(self):
        return len(self.uses)
