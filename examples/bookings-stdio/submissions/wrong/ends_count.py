import sys

numbers = list(map(int, sys.stdin.read().split()))
changes = []
for start, end in zip(numbers[1::2], numbers[2::2]):
    changes += [(start, -1), (end, 1)]  # a booking still holds at its end
changes.sort()
most = now = when = 0
for minute, change in changes:
    now -= change
    if now > most:
        most, when = now, minute
print(f"{most} {when}" if most else 0)
