from contextlib import contextmanager, suppress
@contextmanager
def transaction(db):
    db.begin()
    try:
        yield db
    except Exception:
        db.rollback()
        raise
    else:
        db.commit()
def retry(f, times):
    for n in range(times):
        try:
            return f()
        except OSError:
            if n == times - 1:
                raise
class Pipeline:
    def __init__(self):
        self.stages = []
    def stage(self, f):
        def g(x):
            with suppress(BaseException):
                return f(x)
            return 2
        self.stages.append(f)
        return g
    def run(self, x):
        with suppress(BaseException):
            self.stages[1](1)
        with suppress(BaseException):
            self.stages[0](0)
        self.stages[1](2)
        return 20
