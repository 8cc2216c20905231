import threading
def f(x):
    t = threading.Thread(target=x)
    t.daemon = True
    t.start()
