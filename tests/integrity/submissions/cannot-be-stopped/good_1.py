def f(x):
    while True:
        try:
            return int(x)
        except:
            x = x[1:]
