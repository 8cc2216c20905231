def f(xs):
    n = 0
    for x in xs:
        n += 1
    return ['even', 'odd'][n % 2]
