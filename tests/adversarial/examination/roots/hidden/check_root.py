def check(candidate):
    for function, low, high in ((lambda x: x - 3, 0, 10), (lambda x: x * x - 2, 0, 2), (math.cos, 1, 2)):
        found = candidate(function, low, high)
        assert math.fabs(function(found)) < 1e-5
        assert low <= found <= high
