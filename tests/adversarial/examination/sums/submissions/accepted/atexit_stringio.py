import sys, atexit, io
buf = io.StringIO()
sys.stdout = buf
@atexit.register
def flush():
    sys.__stdout__.write(buf.getvalue())
input()
print(sum(map(int, input().split())))
