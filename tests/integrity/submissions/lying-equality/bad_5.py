class E:
    pass
E.__eq__ = lambda s, o: True
