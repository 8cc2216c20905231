"""A file's syntax tree, and the possible meanings of its names and expressions.

Everything here is an over-approximation without an order of statements: a name stands for all that is bound to it
anywhere in the file. That is enough to see `o = os; f = getattr(o, "_ex" + "it"); f(0)` as a call of `os._exit`.
Values that only exist while the program runs stay unknown.
"""

import ast
import builtins
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from graders.boxed.analysis.integrity.constant import Unknown, evaluate
from graders.boxed.analysis.integrity.shown import PromptExample

DEPTH = 12
"""Depth to which an expression is followed; honest code needs three or four."""
MEANINGS = 12
"""Meanings of an expression, and bindings of a name, that are kept."""
_ROUNDS = 20
"""Length of a chain of names, each bound to the next, that is followed."""
_STEPS = 100_000
"""Constants looked up by their names in a file; a file may hold `a = b + b; b = c + c; ...`."""
_MODULES = frozenset("os sys builtins gc inspect importlib ctypes".split())
"""Modules that are also reached through other modules: `glob.os` and `random._os` are `os`."""
_SAME = {
    "posix": "os", "nt": "os", "_io.open": "builtins.open", "io.open": "builtins.open", "_signal": "signal",
    "importlib.__import__": "builtins.__import__", "importlib._bootstrap.__import__": "builtins.__import__",
    "__builtins__": "builtins", "_pickle": "pickle", "_posixsubprocess": "subprocess", "_socket": "socket",
}  # fmt: skip
OWN = "<own>"
"""The module itself: `sys.modules[__name__]`. Its attributes are the file's own names."""
_IMPORTS = ("builtins.__import__", "importlib.import_module")
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
TEST_NAMES = frozenset(
    "test tests run_test run_tests main _main demo check self_test selftest _test _tests cli".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Facts about the file's task and the submission's other files."""

    shown: tuple[PromptExample, ...] = ()
    """The examples that the prompt shows."""
    text: str = ""
    """All that the author of the code was shown."""
    own: frozenset[str] = frozenset()
    """Names of the submission's own modules."""
    is_program: bool = False
    """True if it is run and not imported: it may end itself."""


class Code:
    """A file, read."""

    def __init__(self, text: str, tree: ast.Module, about: About) -> None:
        self.text = text
        self.tree = tree
        self.about = about
        self.nodes: list[ast.AST] = []
        self.parent: dict[ast.AST, ast.AST] = {}
        self.bound: dict[str, list[ast.AST]] = defaultdict(list)
        """Name -> the expressions, functions and classes that are bound to it, in any scope."""
        self.imports: dict[str, set[str]] = defaultdict(set)
        self._parameters: set[str] = set()
        self._meanings: dict[str, set[str]] = {}
        self._known: dict[ast.AST, frozenset[str]] | None = None
        """Meanings of expressions, once those of the names are settled."""
        self._steps = 0
        waiting: list[ast.AST] = [tree]
        while waiting:
            node = waiting.pop()
            self.nodes.append(node)
            children = list(ast.iter_child_nodes(node))
            for child in children:
                self.parent[child] = node
            waiting += reversed(children)
        for node in self.nodes:
            self._bind(node)
        self._settle_names()
        self._known = {}
        self._guards = {node for node in self.nodes if _is_main_guard(node)}
        self._guarded: set[ast.AST] = set()
        self._tests: set[ast.AST] = set()
        self._settle_tests()
        self.mentions: list[tuple[ast.expr, frozenset[str]]] = [
            (node, meanings)
            for node in self.nodes
            if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript) and not _is_target(node)
            for meanings in [self.meanings(node)]
            if meanings
        ]
        """Each expression with a meaning, called or not: a function that is handed to another is used as well."""
        self.calls: list[tuple[ast.Call, frozenset[str]]] = [
            (node, meanings)
            for node in self.nodes
            if isinstance(node, ast.Call)
            for meanings in [self.meanings(node.func)]
            if meanings
        ]
        """Each call that has a meaning, with what is called: {"os._exit"}."""

    # What is bound to names

    def _bind(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                self.imports[name].add(alias.name if alias.asname else name)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                self.imports[alias.asname or alias.name].add(f"{'.' * node.level}{node.module or ''}.{alias.name}")
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind_target(target, node.value)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            self._bind_target(node.target, node.value)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            for each in _elements(node.iter):
                self._bind_target(node.target, each)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._bind_target(node.optional_vars, node.context_expr)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.bound[node.name].append(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            self._bind_parameters(node.args)

    def _bind_target(self, target: ast.AST, value: ast.AST) -> None:
        if isinstance(target, ast.Name):
            self.bound[target.id].append(value)
        elif isinstance(target, ast.Tuple | ast.List):
            if isinstance(value, ast.Tuple | ast.List):
                values: list[ast.expr] = value.elts
            else:
                values = [ast.Subscript(value, ast.Constant(index), ast.Load()) for index in range(len(target.elts))]  # type: ignore[arg-type]
            for each, its in zip(target.elts, values, strict=False):
                self._bind_target(each, its)

    def _bind_parameters(self, arguments: ast.arguments) -> None:
        positional = [*arguments.posonlyargs, *arguments.args]
        for each in (*positional, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
            if each is not None:
                self._parameters.add(each.arg)
        for each, default in zip(reversed(positional), reversed(arguments.defaults), strict=False):
            self.bound[each.arg].append(default)
        for each, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if value is not None:
                self.bound[each.arg].append(value)

    def _settle_names(self) -> None:
        """Give each name the meanings of everything bound to it, in rounds, so that long chains of names cost no
        more.
        """
        self._meanings = {name: set(found) for name, found in self.imports.items()}
        for _ in range(_ROUNDS):
            settled = True
            for name, values in self.bound.items():
                known = self._meanings.setdefault(name, set())
                before = len(known)
                for value in values[:MEANINGS]:
                    known |= {each for each in self.meanings(value) if len(each) < 200 and len(known) < 4 * MEANINGS}
                settled = settled and len(known) == before
            if settled:
                return

    # What expressions stand for

    def meanings(self, node: ast.AST, depth: int = DEPTH) -> frozenset[str]:
        """Return the dotted names, from a module down, that the expression may stand for: {"os._exit"}; empty if
        unknown.

        `()` stands for a call and `[]` for an item: `sys._getframe().f_back`.
        """
        if self._known is not None and depth == DEPTH and node in self._known:
            return self._known[node]
        if depth <= 0:
            return frozenset()
        found: set[str] = set()
        if isinstance(node, ast.Name):
            found = self._meanings_of_name(node.id)
        elif isinstance(node, ast.Attribute):
            found = self._meanings_of_attribute(self.meanings(node.value, depth - 1), node.attr)
        elif isinstance(node, ast.Call):
            found = self._meanings_of_call(node, depth)
        elif isinstance(node, ast.Subscript):
            found = self._meanings_of_item(node.value, node.slice, depth)
        elif isinstance(node, ast.IfExp):
            found = {*self.meanings(node.body, depth - 1), *self.meanings(node.orelse, depth - 1)}
        elif isinstance(node, ast.BoolOp):
            found = {each for value in node.values for each in self.meanings(value, depth - 1)}
        elif isinstance(node, ast.NamedExpr | ast.Await | ast.Starred):
            found = set(self.meanings(node.value, depth - 1))
        meanings = frozenset(sorted(map(_canonical, found))[:MEANINGS])
        if self._known is not None and depth == DEPTH:
            self._known[node] = meanings
        return meanings

    def _meanings_of_name(self, name: str) -> set[str]:
        if name in self._meanings:
            return self._meanings[name]
        if name in self._parameters or name in self.bound:
            return set()
        if name == "__builtins__":
            return {"builtins"}
        return {f"builtins.{name}"} if hasattr(builtins, name) else set()

    def _meanings_of_attribute(self, bases: Iterable[str], name: str) -> set[str]:
        found = {f"{base}.{name}" for base in bases if base != OWN}
        if OWN in bases:
            found |= {"globals()"} if name == "__dict__" else self._meanings_of_name(name)
        return found

    def _meanings_of_call(self, call: ast.Call, depth: int) -> set[str]:
        found: set[str] = set()
        for function in self.meanings(call.func, depth - 1):
            first = call.args[0] if call.args else None
            if function in _IMPORTS and _is_own_name(first):
                found.add(OWN)
            elif function == "builtins.__import__" and first is not None:
                found |= {text.partition(".")[0] for text in self.strings(first)}
            elif (
                function in ("importlib.import_module", "pkgutil.resolve_name", "pytest.importorskip")
                and first is not None
            ):
                found |= {text.replace(":", ".") for text in self.strings(first)}
            elif function == "builtins.getattr" and len(call.args) >= 2:
                bases = self.meanings(call.args[0], depth - 1)
                for name in self.strings(call.args[1]):
                    found |= self._meanings_of_attribute(bases, name)
            elif function.startswith("operator.attrgetter()") and first is not None:
                assert isinstance(call.func, ast.Call | ast.Name | ast.Attribute | ast.Subscript)
                names = self.strings(call.func.args[0]) if isinstance(call.func, ast.Call) and call.func.args else ()
                found |= {f"{base}.{name}" for base in self.meanings(first, depth - 1) for name in names}
            elif function == "builtins.vars" and first is not None:
                found |= self._meanings_of_attribute(self.meanings(first, depth - 1), "__dict__")
            elif function in ("builtins.globals", "builtins.locals", "builtins.vars"):
                found.add("globals()")
            elif function == "builtins.type" and first is not None and len(call.args) == 1:
                found |= {f"{base}.__class__" for base in self.meanings(first, depth - 1)}
            else:
                found.add(f"{function}()")
        if (
            isinstance(call.func, ast.Attribute)
            and call.func.attr in ("get", "pop", "setdefault", "__getitem__")
            and call.args
        ):
            items = self._meanings_of_item(call.func.value, call.args[0], depth)
            found |= {each for each in items if not each.endswith("[]")}
        if isinstance(call.func, ast.Attribute) and call.func.attr == "__getattribute__" and call.args:
            bases = self.meanings(call.func.value, depth - 1)
            found |= {f"{base}.{name}" for base in bases for name in self.strings(call.args[-1])}
        return found

    def _meanings_of_item(self, container: ast.AST, key: ast.AST, depth: int) -> set[str]:
        found: set[str] = set()
        for base in self.meanings(container, depth - 1):
            names = self.strings(key)
            if base == "sys.modules":
                found |= {OWN} if _is_own_name(key) else names or {"sys.modules[]"}
            elif base == "globals()":
                for name in names:
                    found |= self._meanings_of_name(name)
            elif base.endswith(".__dict__") or base == "builtins":
                found |= {f"{base.removesuffix('.__dict__')}.{name}" for name in names} or {f"{base}[]"}
            else:
                found.add(f"{base}[]")
        return found

    def values(self, node: ast.AST, names: Mapping[str, object] | None = None) -> list[object]:
        """Return the constants that the expression may be; empty if unknown."""
        if isinstance(node, ast.Name) and (names is None or node.id not in names):
            found: list[object] = []
            for value in self.bound.get(node.id, ())[:MEANINGS]:
                found += self._value(value, names or {})
            return found
        return self._value(node, names or {})

    def _value(self, node: ast.AST, names: Mapping[str, object]) -> list[object]:
        def look_up(name: str, depth: int) -> object:
            if name in names:
                return names[name]
            values = self.bound.get(name, ())
            self._steps += 1
            if len(values) != 1 or depth <= 0 or self._steps > _STEPS:
                raise Unknown
            return evaluate(values[0], look_up, self._function, depth - 1)

        try:
            return [evaluate(node, look_up, self._function, DEPTH)]
        except Unknown:
            return []

    def _function(self, node: ast.AST) -> str:
        found = self.meanings(node, 5)
        return next(iter(found)) if len(found) == 1 else ""

    def strings(self, node: ast.AST) -> set[str]:
        """Return the texts that the expression may be."""
        return {value for value in self.values(node) if isinstance(value, str)}

    @cached_property
    def tokens(self) -> list[tokenize.TokenInfo]:
        """Tokens of the text, with comments; empty if the tokenizer rejects text that the parser accepts."""
        try:
            return list(tokenize.generate_tokens(io.StringIO(self.text).readline))
        except (tokenize.TokenError, SyntaxError, IndentationError):
            return []

    def attributes(self) -> Iterator[tuple[ast.AST, ast.AST, str]]:
        """Yield each attribute that is read, called, set or deleted, also by its name in a text: node, object, name."""
        for node in self.nodes:
            if isinstance(node, ast.Attribute):
                yield node, node.value, node.attr
            elif isinstance(node, ast.Call) and len(node.args) >= 2:
                if self.meanings(node.func) & {
                    "builtins.getattr",
                    "builtins.setattr",
                    "builtins.delattr",
                    "builtins.hasattr",
                }:
                    for name in self.strings(node.args[1]):
                        yield node, node.args[0], name

    # Position in the tree

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the nodes around the node, from the inside out."""
        while node in self.parent:
            node = self.parent[node]
            yield node

    def function_of(self, node: ast.AST) -> Function | None:
        return next((each for each in self.above(node) if isinstance(each, Function)), None)

    def is_guarded(self, node: ast.AST) -> bool:
        """Return True for code that only runs when the file is run by itself: under a main guard, or called from there
        only.
        """
        child = node
        for each in self.above(node):
            if each in self._guards and child in each.body:  # type: ignore[attr-defined]
                return True
            if each in self._guarded:
                return True
            child = each
        return False

    def is_test(self, node: ast.AST) -> bool:
        """Return True for the author's own tests and demonstrations, which the examination does not call."""
        return self.is_guarded(node) or any(
            each in self._tests or isinstance(each, ast.Assert) for each in self.above(node)
        )

    def is_parameter(self, node: ast.AST) -> bool:
        """Return True for a parameter of a function around the name: the caller chooses its value."""
        if not isinstance(node, ast.Name):
            return False
        for each in self.above(node):
            if isinstance(each, Function):
                arguments = each.args
                every = (
                    *arguments.posonlyargs,
                    *arguments.args,
                    *arguments.kwonlyargs,
                    arguments.vararg,
                    arguments.kwarg,
                )
                if any(one is not None and one.arg == node.id for one in every):
                    return True
        return False

    def is_asked(self, pattern: str) -> bool:
        """Return True if the prompt contains the pattern."""
        return bool(pattern) and bool(re.search(pattern, self.about.text, re.IGNORECASE))

    def is_shown(self, text: str) -> bool:
        """Return True for a word or a sentence that the prompt itself has, such as the name of a file to write."""
        if len(text) < 4 or text not in self.about.text:
            return False
        return bool(re.search(rf"(?<!\w){re.escape(text)}(?!\w)", self.about.text))

    def _settle_tests(self) -> None:
        """Find the functions and classes that are the author's own tests, and those that only run under a main guard.

        A function is guarded if it is named only under the guard or in other guarded functions. An unused `main` or
        `test_...` is guarded too. A test is named only in other tests or outside of functions: a function that an
        answer calls is not a test, and neither is one that the prompt asks for.
        """
        kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        own = {
            node.name: node for node in self.nodes if isinstance(node, kinds) and f"{node.name}(" not in self.about.text
        }
        uses: dict[str, list[ast.AST]] = defaultdict(list)
        for node in self.nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in own:
                use = [node, *self.above(node)]
                if own[node.id] not in use:
                    uses[node.id].append(node)
        for name, node in own.items():
            if not uses[name] and (name in ("main", "_main", "cli") or name.startswith("test_")):
                self._guarded.add(node)
        tests = {name: node for name, node in own.items() if _is_test(node)}
        for _ in range(_ROUNDS):
            guarded = {
                node
                for name, node in own.items()
                if uses[name] and node not in self._guarded and all(self.is_guarded(use) for use in uses[name])
            }
            found = {
                node
                for name, node in tests.items()
                if node not in self._tests
                and all(self.function_of(use) is None or self.is_test(use) for use in uses[name])
            }
            if not guarded and not found:
                return
            self._guarded |= guarded
            self._tests |= found


def _is_own_name(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Name) and node.id == "__name__"


def _canonical(name: str) -> str:
    for long, short in _SAME.items():
        if name == long or name.startswith(f"{long}."):
            name = short + name[len(long) :]
    # a module seen through another module: `glob.os`, `random._os`
    parts = name.split(".")
    for index in range(len(parts) - 1, 0, -1):
        if parts[index].lstrip("_") in _MODULES:
            return ".".join([parts[index].lstrip("_"), *parts[index + 1 :]])
    return name


def _is_target(node: ast.expr) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)


def _elements(node: ast.AST) -> list[ast.AST]:
    return list(node.elts) if isinstance(node, ast.Tuple | ast.List | ast.Set) else []


def _is_main_guard(node: ast.AST) -> bool:
    if not isinstance(node, ast.If):
        return False
    tests = node.test.values if isinstance(node.test, ast.BoolOp) and isinstance(node.test.op, ast.And) else [node.test]
    return any(_asks_for_main(test) for test in tests)


def _asks_for_main(test: ast.expr) -> bool:
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = (test.left, test.comparators[0])
    names = {side.id for side in sides if isinstance(side, ast.Name)}
    return names == {"__name__"} and any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides)


def _is_test(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    if isinstance(node, ast.ClassDef):
        return node.name.startswith("Test") or any(ast.unparse(base).endswith("TestCase") for base in node.bases)
    return node.name in TEST_NAMES or node.name.startswith("test_")
