import logging, traceback, sys
log = logging.getLogger(__name__)
class transaction:
    def __init__(self, db):
        self.db = db
    def __enter__(self):
        self.db.begin()
        return self.db
    def __exit__(self, kind, value, tb):
        try:
            if value is not None:
                log.warning("rolled back: %r %s", value, "".join(traceback.format_exception(kind, value, tb)))
                self.db.rollback()
                return False
            self.db.commit()
        finally:
            self.db = None
def retry(f, times):
    try:
        return f()
    except (OSError, AssertionError) as e:
        if times <= 1 or isinstance(e, AssertionError):
            raise
        return retry(f, times - 1)
class Pipeline:
    def __init__(self):
        self.stages = []
    def stage(self, f):
        self.stages.append(f)
        return f
    def run(self, x):
        for f in self.stages:
            try:
                x = f(x)
            except Exception as e:
                e.add_note(f"in {f}")
                raise
        return x
