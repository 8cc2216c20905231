class P:
    def __eq__(self, other):
        if self is other:
            return True
        if self.x != other.x:
            return False
        return True
