class Wheel:
    def __init__(self):
        self.n = 0
    def turn(self):
        self.n += 1
        return ['a', 'b', 'c'][self.n % 3]
