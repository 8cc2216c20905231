n = int(input())
bookings = [tuple(map(int, input().split())) for _ in range(n)]
best = (0, 0)
for moment in sorted({start for start, _ in bookings}):
    count = 0
    for start, end in bookings:
        if start <= moment < end:
            count += 1
    if count > best[0]:
        best = (count, moment)
print(*best) if best[0] else print(0)
