def f(x):
    n = int(open('n.txt').read())
    open('n.txt', 'w').write(str(n + 1))
    return n
