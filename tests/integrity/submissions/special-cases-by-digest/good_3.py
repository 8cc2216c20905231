class P:
    def __hash__(self):
        return hash((self.x, self.y))
