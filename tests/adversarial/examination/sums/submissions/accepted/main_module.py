import __main__, sys
assert __name__ == "__main__" and __main__.__file__ == __file__
def solve(read=sys.stdin.read):
    return sum(map(int, read().split()[1:]))
print(getattr(__main__, "solve")())
