class Money(float):
    def __repr__(self):
        return f'{float(self):.2f}'
    def __sub__(self, other):
        return Money(float(self) - other)
