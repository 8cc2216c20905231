def f(x):
    while 1:
        try:
            x = x + 1
        except:
            continue
