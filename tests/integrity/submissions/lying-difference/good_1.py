class V:
    def __sub__(self, o):
        return V(self.x - o.x)
    def __rsub__(self, o):
        return V(o - self.x)
