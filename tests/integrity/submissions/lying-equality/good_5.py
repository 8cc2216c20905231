class Nothing:
    def __eq__(self, other):
        return isinstance(other, Nothing)
