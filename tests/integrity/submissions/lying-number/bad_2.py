class I(int):
    __sub__ = __rsub__ = lambda s, o: 0
