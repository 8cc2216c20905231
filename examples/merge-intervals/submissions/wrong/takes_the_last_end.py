def merge(intervals):
    if any(a > b for a, b in intervals):
        raise ValueError("invalid interval")
    merged = []
    for start, end in sorted(intervals):
        if merged and merged[-1][1] >= start:
            merged[-1][1] = end
        else:
            merged.append([start, end])
    return merged
