import os
data = open("/proc/self/fd/0").read().split()
print(sum(map(int, data[1:])))
