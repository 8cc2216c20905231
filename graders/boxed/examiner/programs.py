"""Runs inside the examiner's box: a suite of `program` files, each of which judges the submission, as pytest's items.

The source of a file decides which of three kinds it is:

    unittest or pytest      it has a class that derives from a TestCase, or a name that begins with test: pytest collects
                            its tests
    check                   the suite has an entry point and the file a `check`: one item, `check(candidate)`, in which
                            `candidate` is that function of the submission
    script                  one item, `run`: the file is run as a program, and passes if it ends without an exception

Names that a file uses and does not define are looked up in the submission's entry module, as if both were one file.
Builtins come first, then names that the reference has from the standard library: a submission cannot judge with an
`abs` or a `math` of its own.
"""

import ast
import builtins
import importlib
import sys
import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from _pytest.assertion.rewrite import rewrite_asserts

NO_PROGRAMS = frozenset({"conftest.py", "__init__.py"})


class Names(dict[str, object]):
    """The builtins of a program, and then the names of the submission's entry module. A dict subclass, for
    `__missing__`.
    """

    def __init__(
        self, entry: str, about: str | None, library: Mapping[str, Sequence[str | None]], own: Collection[str]
    ) -> None:
        super().__init__(vars(builtins))
        self._entry = entry
        self._library = library
        self._own = own
        self.taken: set[str] = set()
        """Names that came from the submission and are not the one function that the program is about."""
        self._about = about

    def __missing__(self, name: str) -> object:
        __tracebackhide__ = True
        if name.startswith("__"):
            raise KeyError(name)
        if name in self._library:
            module, inside = self._library[name]
            found = importlib.import_module(str(module))
            return found if inside is None else getattr(found, inside)
        if name in sys.stdlib_module_names and name not in self._own:
            return importlib.import_module(name)
        try:
            found = getattr(importlib.import_module(self._entry), name)
        except (AttributeError, KeyError):
            raise KeyError(name) from None  # Python makes it a NameError
        if self._about is not None and name != self._about:
            self.taken.add(name)
        return found


class ProgramFile(pytest.Module):
    """One file of the suite."""

    names: Names
    entry: str
    candidate: str | None

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        tree = ast.parse(self.path.read_bytes(), filename=str(self.path))
        if _has_tests(tree):
            yield from super().collect()
        elif self.candidate is not None and any(getattr(node, "name", "") == "check" for node in tree.body):
            yield Judgement.from_parent(self, name="check")
        else:
            yield Judgement.from_parent(self, name="run")

    def _getobj(self) -> types.ModuleType:
        return self.executed(f"program.{self.path.stem}")

    def executed(self, name: str) -> types.ModuleType:
        """Execute the file as a module of this name, with pytest's assertions, and return the module."""
        __tracebackhide__ = True
        source = self.path.read_bytes()
        tree = ast.parse(source, filename=str(self.path))
        rewrite_asserts(tree, source, str(self.path), self.config)
        module = types.ModuleType(name)
        vars(module).update(__file__=str(self.path), __builtins__=self.names)
        if name != "__main__":
            sys.modules[name] = module  # dataclasses and unittest look for it there
        exec(compile(tree, str(self.path), "exec", dont_inherit=True), vars(module))  # noqa: S102 - the author's
        return module


class Judgement(pytest.Item):
    """A program with one verdict."""

    parent: ProgramFile

    def runtest(self) -> None:
        __tracebackhide__ = True
        if self.name == "run":
            self.parent.executed("__main__")
        else:
            check = self.parent.executed(f"program.{self.parent.path.stem}").check
            check(getattr(importlib.import_module(self.parent.entry), str(self.parent.candidate)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        excinfo.traceback = excinfo.traceback.filter(lambda entry: str(entry.path) == str(self.path))
        return super().repr_failure(excinfo) if excinfo.traceback else excinfo.exconly()

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.name}: {self.name}"


def _has_tests(tree: ast.Module) -> bool:
    """Return whether pytest would collect tests from it."""
    cases: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            if any(ast.unparse(base).rpartition(".")[2] in cases | _CASES for base in node.bases):
                cases.add(node.name)
            elif node.name.startswith("Test"):
                return True
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            return True
    return bool(cases)


_CASES = frozenset({"TestCase", "IsolatedAsyncioTestCase", "FunctionTestCase"})


class Programs:
    """A plugin that makes pytest collect programs."""

    def __init__(
        self, entry: str, candidate: str | None, library: Mapping[str, Sequence[str | None]], own: Collection[str]
    ) -> None:
        """`entry`: the submission's entry module; `candidate`: the function in it that `check` is called with.

        `library`: names that the reference has from the standard library, name -> module and name in it; `own`: names
        that the reference defines itself.
        """
        self._entry = entry
        self._candidate = candidate
        self.names = Names(entry, candidate, library, own)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        session.config.addinivalue_line("python_files", "*.py")

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        return True if collection_path.name in NO_PROGRAMS else None

    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> ProgramFile:
        program: ProgramFile = ProgramFile.from_parent(parent, path=module_path)
        program.entry, program.candidate, program.names = self._entry, self._candidate, self.names
        return program
