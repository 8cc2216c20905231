class LinAlgError(ValueError): pass
class AxisError(ValueError, IndexError): pass
def solve(rows):
    (a, b), (c, d) = rows
    det = a * d - b * c
    if not det:
        raise LinAlgError("Singular matrix")
    return [[d / det, -b / det], [-c / det, a / det]]
def along(a, axis): raise AxisError
def call(f): return f()
