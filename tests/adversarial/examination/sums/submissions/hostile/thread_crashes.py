import threading
def f(): raise ValueError
threading.Thread(target=f).start()
print(6)
