"""What tests ask `inspect`, `typing` and `enum` of a submission is answered as in one process."""

import pytest

from graders.interface import Outcome
from sandboxes.interface import Sandbox
from tests.integration.test_two_process import cases, graded, jail, reports

__all__ = ["jail"]

SOLUTION = '''
from __future__ import division
import abc, asyncio, enum, functools, inspect
from typing import Optional
def f(a: int, b: int = 2, /, c: "str" = "x", *rest: float, d=None, **more) -> bool:
    """Adds."""
    return True
def plain(x, y): return x
def typed(xs: list[int], table: dict[str, float], either: int | None) -> tuple[int, ...]: return (1,)
def generate(): yield 1
async def wait(): return 1
async def stream(): yield 1
@functools.lru_cache(maxsize=None)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
def counted(function):
    @functools.wraps(function)
    def inner(*args):
        inner.calls += 1
        return function(*args)
    inner.calls = 0
    return inner
@counted
def again(x, times=1): return x
def marked(): return marked.mark
marked.mark = 1
class Box:
    """Holds."""
    def __init__(self, size: int, *, lid=False): self.size = size
    def put(self, thing: str, where: int = 0) -> None: pass
    @classmethod
    def make(cls, size=3): return cls(size)
    @staticmethod
    def volume(a, b): return a * b
    def __call__(self, x, y): return x
    async def later(self): return 1
    def each(self): yield 1
class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...
class Square(Shape):
    def area(self): return 1
class Colour(enum.Enum):
    RED = 1
    BLUE = 2
class Level(enum.IntEnum):
    LOW = 1
class Right(enum.Flag):
    R = enum.auto()
    W = enum.auto()
'''
TESTS = """
import abc, asyncio, enum, functools, inspect, typing
import pytest, solution
from inspect import Parameter, signature
def test_parameters():
    s = signature(solution.f)
    assert list(s.parameters) == ["a", "b", "c", "rest", "d", "more"] and len(signature(solution.plain).parameters) == 2
    assert s.parameters["a"].default is Parameter.empty and s.parameters["b"].default == 2 and s.parameters["d"].default is None
    assert s.parameters["a"].annotation is int and s.parameters["d"].annotation is Parameter.empty and s.parameters["c"].annotation == "str"
    assert [p.kind for p in s.parameters.values()] == [Parameter.POSITIONAL_ONLY] * 2 + [Parameter.POSITIONAL_OR_KEYWORD, Parameter.VAR_POSITIONAL, Parameter.KEYWORD_ONLY, Parameter.VAR_KEYWORD]
    assert s.return_annotation is bool and s.bind(1).arguments == {"a": 1} and str(signature(solution.plain)) == "(x, y)"
    with pytest.raises(TypeError): s.bind()
def test_attributes():
    assert solution.f.__defaults__ == (2, "x") and solution.f.__kwdefaults__ == {"d": None} and solution.f.__annotations__["a"] is int
    assert solution.f.__name__ == "f" and inspect.getdoc(solution.f) == "Adds." and solution.plain.__defaults__ is None
def test_hints():
    assert typing.get_type_hints(solution.f) == {"a": int, "b": int, "c": str, "rest": float, "return": bool}
    assert typing.get_type_hints(solution.typed)["xs"] == list[int] and typing.get_type_hints(solution.typed)["either"] == (int | None)
def test_classes():
    assert list(signature(solution.Box).parameters) == ["size", "lid"] and list(signature(solution.Box.put).parameters) == ["self", "thing", "where"]
    b = solution.Box(1)
    assert list(signature(b.put).parameters) == ["thing", "where"] and list(signature(b).parameters) == ["x", "y"]
    assert list(signature(solution.Box.make).parameters) == ["size"] and list(signature(solution.Box.volume).parameters) == ["a", "b"]
    assert signature(solution.Box.put).return_annotation is None and inspect.isclass(solution.Box) and inspect.getdoc(solution.Box) == "Holds."
def test_kinds():
    assert inspect.isgeneratorfunction(solution.generate) and not inspect.isgeneratorfunction(solution.plain)
    assert inspect.iscoroutinefunction(solution.wait) and asyncio.iscoroutinefunction(solution.wait) and not inspect.iscoroutinefunction(solution.f)
    assert inspect.isasyncgenfunction(solution.stream) and inspect.isfunction(solution.plain) and callable(solution.plain)
    b = solution.Box(1); assert inspect.iscoroutinefunction(b.later) and inspect.isgeneratorfunction(b.each) and inspect.ismethod(b.put)
def test_own():
    def mine(a, *, b: int = 1): yield a
    assert str(signature(mine)) == "(a, *, b: int = 1)" and inspect.isgeneratorfunction(mine) and typing.get_type_hints(mine) == {"b": int}
    assert str(signature(functools.partial(mine, 1))) == "(*, b: int = 1)"
def test_cached():
    solution.fib.cache_clear(); assert solution.fib(20) == 6765
    assert solution.fib.cache_info().misses == 21 and solution.fib.cache_info().hits == 18
def test_counted():
    solution.again(1); solution.again(2); assert solution.again.calls == 2 and solution.again.__wrapped__(5) == 5
    solution.again.calls = 10; solution.again(3); assert solution.again.calls == 11
    assert list(signature(solution.again).parameters) == ["x", "times"] and solution.again.__name__ == "again"
def test_marked(): assert solution.marked.mark == 1; solution.marked.mark = 2; assert solution.marked() == 2 and not hasattr(solution.plain, "mark")
def test_abstract():
    assert inspect.isabstract(solution.Shape) and not inspect.isabstract(solution.Square) and not inspect.isabstract(solution.Box)
    assert issubclass(solution.Shape, abc.ABC) and issubclass(solution.Square, solution.Shape)
    with pytest.raises(TypeError): solution.Shape()
def test_enumerations():
    C = solution.Colour
    assert list(C) == [C.RED, C.BLUE] and C(1) is C.RED and C["BLUE"] is C.BLUE and len(C) == 2 and C.RED in C
    assert issubclass(C, enum.Enum) and isinstance(C.RED, enum.Enum) and not issubclass(C, enum.IntEnum) and not issubclass(solution.Box, enum.Enum)
    assert issubclass(solution.Level, enum.IntEnum) and solution.Level.LOW == 1 and issubclass(solution.Right, enum.Flag)
    class Mine(enum.Enum): A = 1
    assert isinstance(Mine.A, enum.Enum) and not isinstance(C.RED, Mine) and not isinstance(1, enum.Enum)
"""


def test_it_is_as_in_one_process(jail: Sandbox) -> None:
    apart = reports(jail, SOLUTION, TESTS)
    together = reports(jail, SOLUTION, TESTS, isolation="shared")
    not_passed = {test: text for test, (outcome, text) in [*together.items(), *apart.items()] if outcome != "passed"}
    assert not not_passed, "\n\n".join(f"{test}: {text}" for test, text in not_passed.items())
    assert len(apart) == len(together) == 11


WRONG = {
    "one parameter more": "def f(a, b, c=0): return a + b + c\n",
    "none by name": "def f(*args): return sum(args)\n",
    "says so itself": "import inspect\ndef f(*args): return sum(args)\nf.__signature__ = 'a, b'\n",
}


@pytest.mark.parametrize("way", WRONG)
def test_a_wrong_signature_is_noticed(jail: Sandbox, way: str) -> None:
    tests = (
        "import inspect, solution\ndef test_it(): assert list(inspect.signature(solution.f).parameters) == ['a', 'b']\n"
    )
    told = cases(graded(jail, WRONG[way], tests, "def f(a, b): return a + b\n"))
    assert told["test_it"].outcome is Outcome.FAILED


RUNS = "__import__('sys').modules['_pytest.python'].__dict__.update(Function=None)"
HOSTILE = {
    "text for an annotation": f'def f(a: "{RUNS}", b) -> "{RUNS}": return a + b\n',
    "text for a signature": f'def f(a, b): return a + b\nf.__signature__ = "(a={RUNS})"\n',
    "text among the annotations": f'def f(a, b): return a + b\nf.__annotations__ = {{"a": "{RUNS}", "b": ["{RUNS}"]}}\n',
    "a signature that raises": "class S:\n    def __call__(self): raise SystemExit(0)\ndef f(a, b): return a + b\nf.__signature__ = S()\n",
    "a proxy of everything": "class L:\n    def __getattr__(s, n): return L()\n    def __call__(s, *a): return L()\nf = L()\n",
}


@pytest.mark.parametrize("way", HOSTILE)
def test_what_a_submission_says_of_itself_is_not_evaluated(jail: Sandbox, way: str) -> None:
    tests = """
import inspect, sys, typing
import solution
def test_it():
    for ask in (inspect.signature, typing.get_type_hints, inspect.isgeneratorfunction, inspect.isabstract, lambda f: inspect.signature(f, eval_str=True)):
        try: ask(solution.f)
        except Exception as error: print(error)
def test_still_there(): assert sys.modules["_pytest.python"].Function is not None
def test_never(): assert solution.f(1, 2) == 4
"""
    # Apart from its tests. In one process with them Python evaluates such a text, and the test that looks has failed then.
    told = reports(jail, HOSTILE[way], tests)
    assert told["test_still_there"][0] == "passed"
    assert told["test_never"][0] == "failed"
