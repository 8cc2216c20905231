import threading
input()
x = sum(map(int, input().split()))
threading.Timer(0.05, lambda: print(x)).start()
