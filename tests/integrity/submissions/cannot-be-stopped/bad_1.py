import time
def f(x):
    while True:
        try: time.sleep(1)
        except BaseException: pass
