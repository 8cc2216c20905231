class A:
    def name(self):
        return self.__class__.__name__
