class Down(int):
    def __lt__(self, other):
        return int(self) > int(other)
