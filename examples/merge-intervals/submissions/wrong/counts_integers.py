"""Reads intervals as sets of integers, so that [1, 2] and [3, 4] become one."""


def merge(intervals):
    for a, b in intervals:
        if a > b:
            raise ValueError("invalid interval")
    merged = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged
