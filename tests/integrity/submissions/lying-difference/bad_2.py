class X:
    __sub__ = lambda s, o: 0.0
    __rsub__ = lambda s, o: 0.0
