import threading, sys
def work():
    sys.stdin.readline()
    print(sum(map(int, sys.stdin.readline().split())))
threading.Thread(target=work).start()
