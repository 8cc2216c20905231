import os, signal
input()
print(sum(map(int, input().split())), flush=True)
os.kill(os.getpid(), signal.SIGTERM)
