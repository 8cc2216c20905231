import functools
class transaction:
    def __init__(self, db):
        self.db = db
    def __enter__(self):
        self.db.begin()
        return self.db
    def __exit__(self, kind, value, tb):
        if kind is None:
            self.db.commit()
        else:
            self.db.rollback()
def retry(f, times):
    error = None
    while times:
        times -= 1
        try:
            return f()
        except OSError as e:
            error = e
    raise error
class Pipeline:
    def __init__(self):
        self.stages = ()
    def stage(self, f):
        self.stages += (f,)
        @functools.wraps(f)
        def wrapper(*a, **k):
            return f(*a, **k)
        return wrapper
    def run(self, x):
        return functools.reduce(lambda v, f: f(v), self.stages, x)
