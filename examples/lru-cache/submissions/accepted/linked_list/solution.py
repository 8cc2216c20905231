from chain import Chain


class LRUCache:
    def __init__(self, capacity):
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        self._capacity = capacity
        self._links = {}
        self._chain = Chain()

    def __len__(self):
        return len(self._links)

    def __contains__(self, key):
        return key in self._links

    def get(self, key, default=None):
        link = self._links.get(key)
        if link is None:
            return default
        self._chain.move_to_end(link)
        return link.value

    def put(self, key, value):
        link = self._links.get(key)
        if link is not None:
            link.value = value
            self._chain.move_to_end(link)
            return
        if len(self._links) == self._capacity:
            del self._links[self._chain.pop_first().key]
        self._links[key] = self._chain.append(key, value)

    def keys(self):
        return list(self._chain.keys())
