class X:
    def __getattribute__(self, name):
        if name == '__class__':
            return int
        return object.__getattribute__(self, name)
