from contextlib import contextmanager
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
        self.stages.append(f)
        return f
    def run(self, x):
        for f in self.stages:
            x = f(x)
        return x
