class Stop(BaseException):
    pass
def f(x):
    raise Stop
