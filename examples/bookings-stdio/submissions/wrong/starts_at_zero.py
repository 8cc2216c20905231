n = int(input())
day = [0] * 1441
for _ in range(n):
    start, end = map(int, input().split())
    for minute in range(max(start, 0), min(end, 1440)):
        day[minute] += 1
most = max(day)
print(most, day.index(most)) if most else print(0)
