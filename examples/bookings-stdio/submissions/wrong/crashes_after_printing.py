import sys

numbers = list(map(int, sys.stdin.read().split()))
changes = []
for start, end in zip(numbers[1::2], numbers[2::2]):
    if start < end:
        changes += [(start, 1), (end, -1)]
changes.sort()
most = now = when = 0
for minute, change in changes:
    now += change
    if now > most:
        most, when = now, minute
print(f"{most} {when}" if most else 0)
sys.stdout.flush()
print(changes[len(changes)])
