class M(type):
    def __instancecheck__(c, x):
        return True
