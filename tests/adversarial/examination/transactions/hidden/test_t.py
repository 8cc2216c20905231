import pytest
from solution import transaction, retry, Pipeline

class Db:
    def __init__(self):
        self.log = []
    def begin(self): self.log.append("begin")
    def commit(self): self.log.append("commit")
    def rollback(self): self.log.append("rollback")

def test_commit():
    db = Db()
    with transaction(db):
        assert db.log == ["begin"]
    assert db.log == ["begin", "commit"]

def test_rollback():
    db = Db()
    with pytest.raises(KeyError):
        with transaction(db):
            raise KeyError(1)
    assert db.log == ["begin", "rollback"]

def test_retry():
    seen = []
    def work():
        seen.append(1)
        if len(seen) < 3:
            raise OSError("again")
        return len(seen)
    assert retry(work, 5) == 3
    assert len(seen) == 3

def test_retry_gives_up():
    def work():
        raise OSError("always")
    with pytest.raises(OSError, match="always"):
        retry(work, 2)

def test_pipeline():
    p = Pipeline()
    out = []
    @p.stage
    def first(x):
        assert x == 1
        return x + 1
    @p.stage
    def second(x):
        assert x == 2, "the first has to come before"
        out.append(x)
        return x * 10
    assert p.run(1) == 20
    assert out == [2]
    assert first(1) == 2
