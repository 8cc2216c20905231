import sys


def main():
    numbers = list(map(int, sys.stdin.read().split()))
    changes = []
    for start, end in zip(numbers[1::2], numbers[2::2]):
        if start < end:
            changes += [(start, 1), (end, -1)]
    # An end sorts before a start at the same minute: a booking does not hold at its end.
    changes.sort()
    most = now = when = 0
    for minute, change in changes:
        now += change
        if now > most:
            most, when = now, minute
    print(f"{most} {when}" if most else 0)


main()
