import sys

different = sorted(set(map(int, sys.stdin.read().split())))
print(different[-2] if len(different) > 1 else "none")
