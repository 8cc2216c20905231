n = int(input("How many bookings? "))
changes = []
for _ in range(n):
    start, end = map(int, input().split())
    if start < end:
        changes += [(start, 1), (end, -1)]
most = now = when = 0
for minute, change in sorted(changes):
    now += change
    if now > most:
        most, when = now, minute
print("The busiest moment has", most, "bookings at", when)
