import functools
class Recorder:
    """A double with state, properties and a callback."""
    def __init__(self):
        self._events = []
        self.limit = 3
    @property
    def count(self):
        return len(self._events)
    def record(self, event):
        self._events.append(event)
        if len(self._events) > self.limit:
            raise OverflowError("too many")
    def __len__(self): return len(self._events)
    def __contains__(self, e): return e in self._events
    def __iter__(self): return iter(list(self._events))
    def __getitem__(self, i): return self._events[i]
    def __enter__(self): self.record("enter"); return self
    def __exit__(self, *a): self.record("exit")
    def __call__(self, x): self.record(x); return x
class Shared:
    total = 0
    @classmethod
    def add(cls, n):
        cls.total += n
        return cls.total
