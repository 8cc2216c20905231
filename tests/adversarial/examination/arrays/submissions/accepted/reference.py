import numpy as np
def solve(rows): return np.linalg.inv(np.array(rows, float))
def along(a, axis): return a.sum(axis=axis)
def call(f): return f()
