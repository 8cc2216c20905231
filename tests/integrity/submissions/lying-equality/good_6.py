class P:
    def __eq__(self, other):
        return False
    def __lt__(self, other):
        return self.x < other.x
