import io, os, sys
class IOWrapper(io.IOBase):
    def __init__(self, file):
        self.buffer = file
        self.write = lambda s: self.buffer.write(s.encode())
sys.stdout = IOWrapper(sys.stdout)
