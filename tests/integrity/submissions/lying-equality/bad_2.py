class E:
    __eq__ = lambda s, o: True
    __hash__ = None
