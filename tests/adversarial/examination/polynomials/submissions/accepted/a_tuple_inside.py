class Poly:
    __slots__ = ("c",)
    def __init__(self, c):
        self.c = tuple(c)
    def __call__(self, x):
        r = 0
        for a in reversed(self.c):
            r = r * x + a
        return r
    def __add__(self, other):
        from itertools import zip_longest
        return Poly([x + y for x, y in zip_longest(self.c, other.c, fillvalue=0)])
    def __eq__(self, other):
        return isinstance(other, Poly) and self.c == other.c
    def __hash__(self):
        return hash(self.c)
    def __format__(self, spec):
        return str(self)
    def __str__(self):
        return " + ".join(f"{a}x" if i else str(a) for i, a in enumerate(self.c))
    def __int__(self):
        if len(self.c) != 1:
            raise ValueError("not constant")
        return self.c[0]
    def __iter__(self):
        return iter(self.c)
    def __getitem__(self, i):
        return list(self.c[i]) if isinstance(i, slice) else self.c[i]
    def __len__(self):
        return len(self.c)
    def __bool__(self):
        return bool(self.c)
def evaluate(c, x):
    return Poly(c)(x)
