"""Walks over all starts and ends and counts how many intervals are open."""


def merge(intervals):
    events = []
    for start, end in intervals:
        if start > end:
            raise ValueError(f"[{start}, {end}] is reversed")
        events += [(start, 0), (end, 1)]
    merged = []
    open_intervals = 0
    for position, is_end in sorted(events):
        if is_end:
            open_intervals -= 1
            if open_intervals == 0:
                merged.append([first, position])
        else:
            if open_intervals == 0:
                first = position
            open_intervals += 1
    return merged
