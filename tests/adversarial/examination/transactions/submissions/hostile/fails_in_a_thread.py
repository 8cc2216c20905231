from contextlib import contextmanager
import threading
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
from concurrent.futures import ThreadPoolExecutor
class Pipeline:
    def __init__(self):
        self.stages = []
    def stage(self, f):
        self.stages.append(f)
        return f
    def run(self, x):
        with ThreadPoolExecutor(1) as e:
            futures = [e.submit(f, x) for f in self.stages[::-1]]
        self.stages[1](2)
        return 20
