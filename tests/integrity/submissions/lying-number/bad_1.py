class F(float):
    def __eq__(self, o):
        return self.f() == o
