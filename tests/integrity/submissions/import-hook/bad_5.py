import sys
class M:
    f = staticmethod(len)
sys.modules['random'] = M()
