import sys
from collections import Counter
from itertools import accumulate

changes = Counter()
for _ in range(int(input())):
    start, end = map(int, input().split())
    changes[start] += 1
    changes[end] -= 1
print(f"{len(changes)} moments", file=sys.stderr)
moments = sorted(changes)
counts = list(accumulate(changes[moment] for moment in moments))
most = max(counts, default=0)
sys.stdout.write("0" if most == 0 else f"  {most}\n{moments[counts.index(most)]}\n\n")
