import heapq
import sys

lines = sys.stdin.read().splitlines()
bookings = sorted(tuple(map(int, line.split())) for line in lines[1 : int(lines[0]) + 1])
ends = []
best = (0, None)
for start, end in bookings:
    if start == end:
        continue
    while ends and ends[0] <= start:
        heapq.heappop(ends)
    heapq.heappush(ends, end)
    if len(ends) > best[0]:
        best = (len(ends), start)
print(*(part for part in best if part is not None))
