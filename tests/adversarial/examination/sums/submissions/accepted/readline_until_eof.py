import sys
t = 0
first = True
while True:
    l = sys.stdin.readline()
    if not l: break
    if not first: t += sum(map(int, l.split()))
    first = False
sys.stdout.write("%d" % t)
sys.stdout.flush()
