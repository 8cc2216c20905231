import sys
r = sys.stdin.buffer
r.readline()
sys.stdout.buffer.writelines([b"%d" % sum(map(int, r.readline().split())), b"\n"])
