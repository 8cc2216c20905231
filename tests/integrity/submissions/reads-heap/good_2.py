class Shape:
    def kinds(self):
        return type(self).__subclasses__()
def kinds():
    return [each.__name__ for each in Shape.__subclasses__()]
