class E:
    __ne__ = lambda s, o: False
