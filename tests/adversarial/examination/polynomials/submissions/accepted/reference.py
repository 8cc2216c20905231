class Poly:
    def __init__(self, c):
        self.c = list(c)
    def __call__(self, x):
        return sum(a * x**i for i, a in enumerate(self.c))
    def __add__(self, other):
        n = max(len(self.c), len(other.c))
        a = self.c + [0] * (n - len(self.c)); b = other.c + [0] * (n - len(other.c))
        return Poly([x + y for x, y in zip(a, b)])
    def __eq__(self, other):
        return isinstance(other, Poly) and self.c == other.c
    def __hash__(self):
        return hash(tuple(self.c))
    def __str__(self):
        return " + ".join(f"{a}x" if i else str(a) for i, a in enumerate(self.c))
    def __int__(self):
        if len(self.c) != 1:
            raise ValueError("not constant")
        return self.c[0]
    def __getitem__(self, i):
        return self.c[i]
    def __len__(self):
        return len(self.c)
def evaluate(c, x):
    return Poly(c)(x)
