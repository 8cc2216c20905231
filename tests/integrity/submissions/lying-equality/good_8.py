class P:
    def __eq__(self, other):
        try:
            return self.x == other.x
        except AttributeError:
            return False
