def f(xs):
    '''f([3, 1, 2]) == 2 and f([4, 1, 2, 3]) == 2.5'''
    s = sorted(xs)
    return s[len(s) // 2]
