class X:
    __class__ = property(lambda s: float)
