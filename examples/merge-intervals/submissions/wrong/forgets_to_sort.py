def merge(intervals):
    if any(a > b for a, b in intervals):
        raise ValueError("invalid interval")
    merged = []
    for start, end in intervals:
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return merged
