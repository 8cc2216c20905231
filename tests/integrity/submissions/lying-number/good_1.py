class Largest(str):
    def __lt__(x, y):
        return x + y > y + x
def f(xs):
    return ''.join(sorted(map(str, xs), key=Largest))
