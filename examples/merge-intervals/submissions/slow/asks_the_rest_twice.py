"""Right and short, but asks for the merged rest twice at each step: 2 ** n calls."""


def merge(intervals):
    if any(a > b for a, b in intervals):
        raise ValueError("invalid interval")
    intervals = sorted(intervals)
    return merge_sorted([list(interval) for interval in intervals])


def merge_sorted(intervals):
    if len(intervals) < 2:
        return intervals
    first = intervals[-1]
    if merge_sorted(intervals[:-1])[-1][1] < first[0]:
        return merge_sorted(intervals[:-1]) + [first]
    rest = merge_sorted(intervals[:-1])
    return rest[:-1] + [[rest[-1][0], max(rest[-1][1], first[1])]]
