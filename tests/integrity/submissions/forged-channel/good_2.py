import os, tempfile
fd, path = tempfile.mkstemp()
os.write(fd, b'x')
os.close(fd)
