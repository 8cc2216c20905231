def solve(rows):
    from numpy.linalg import LinAlgError
    (a, b), (c, d) = rows
    det = a * d - b * c
    if not det:
        raise LinAlgError("Singular matrix")
    return [[d / det, -b / det], [-c / det, a / det]]
def along(a, axis):
    import numpy.exceptions
    if axis >= a.ndim:
        raise numpy.exceptions.AxisError(axis, a.ndim)
def call(f):
    try: return f()
    finally: pass
