import os, sys
if "again" not in sys.argv:
    os.execv(sys.executable, [sys.executable, __file__, "again"])
input()
print(sum(map(int, input().split())))
