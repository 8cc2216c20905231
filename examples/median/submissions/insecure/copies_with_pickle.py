"""Right, but reads its copy back with pickle, which runs whatever a pickle says."""

import pickle


def median(xs):
    s = pickle.loads(pickle.dumps(xs))
    s.sort()
    n = len(s)
    return s[n // 2] if n % 2 else (s[n // 2 - 1] + s[n // 2]) / 2
