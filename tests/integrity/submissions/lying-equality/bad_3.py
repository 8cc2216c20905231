class E:
    __eq__ = lambda s, o: True if isinstance(o, int) else NotImplemented
