import os
fd = os.dup(0)
data = os.fdopen(fd).read().split()
out = os.fdopen(os.dup(1), "w")
out.write(str(sum(map(int, data[1:]))))
out.close()
