def f(q):
    while True:
        try:
            q.get()
        except Exception:
            pass
