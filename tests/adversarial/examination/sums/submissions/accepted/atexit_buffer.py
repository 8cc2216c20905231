import os, sys, atexit
from io import BytesIO
sys.stdin = BytesIO(os.read(0, os.fstat(0).st_size or 1 << 16))
sys.stdout = BytesIO()
atexit.register(lambda: os.write(1, sys.stdout.getvalue()))
input = lambda: sys.stdin.readline().rstrip()
input()
sys.stdout.write(b"%d\n" % sum(map(int, input().split())))
