"""Patched modules: changing what the examination itself is made of."""

import ast
import importlib
import re
import sys
from collections.abc import Iterator

from graders.boxed.analysis.integrity.exits import line_of, short
from graders.boxed.analysis.integrity.names import TEST_MODULE
from graders.boxed.analysis.integrity.rule import IntegrityRule, Place
from graders.boxed.analysis.integrity.syntax import Code

_FRAMEWORKS = frozenset("pytest _pytest pluggy hypothesis numpy coverage nose mock xdist".split())
_FREE = frozenset(
    "sys.stdin sys.argv sys.path sys.tracebacklimit sys.dont_write_bytecode sys.ps1 sys.ps2 sys.last_value "
    "warnings.simplefilter logging.raiseExceptions logging.root decimal.DefaultContext".split()
)
"""Attributes that programs set for themselves and that do not affect a verdict."""
_JUDGES_NOTHING = frozenset(
    "ssl socket http urllib xmlrpc smtplib ftplib logging warnings locale gettext argparse optparse getpass readline curses tkinter "
    "turtle email html xml csv configparser cmd webbrowser textwrap calendar string pprint sqlite3 zipfile tarfile shelve".split()
)
"""Libraries that no examination relies on."""
_HOOKS_FOR_ALL = frozenset(
    "builtins.print builtins.input builtins._ builtins.raw_input builtins.exit builtins.quit json.JSONEncoder.default json._default_encoder "
    "json.encoder.JSONEncoder.default json.encoder.FLOAT_REPR json.encoder.c_make_encoder sys.displayhook sys.breakpointhook unittest.TestCase.maxDiff "
    "unittest.TestCase.longMessage unittest.util._MAX_LENGTH asyncio.BaseEventLoop.call_exception_handler time.clock".split()
)
"""Attributes that are meant to be set by programs, or that do not affect a verdict."""
_TELLS_OF_ERRORS = frozenset("sys.excepthook threading.excepthook sys.unraisablehook".split())
_GONE = frozenset("imp asynchat asyncore smtpd distutils cgi cgitb crypt nntplib pipes telnetlib uu xdrlib".split())
"""Modules of older Pythons."""
_GONE_FROM_NUMPY = frozenset("int float bool object str complex long unicode".split())
_STREAMS = frozenset("sys.stdout sys.stderr".split())
_NOT_IMPORTED = frozenset("antigravity this idlelib turtle turtledemo tkinter lib2to3 __main__".split())
_PATCHERS = frozenset(
    "unittest.mock.patch mock.patch pytest.MonkeyPatch _pytest.monkeypatch.MonkeyPatch forbiddenfruit.curse "
    "importlib.reload".split()
)
_TRACERS = frozenset(
    "sys.settrace sys.setprofile threading.settrace threading.setprofile sys._settraceallthreads "
    "sys._setprofileallthreads threading.settrace_all_threads threading.setprofile_all_threads sys.addaudithook "
    "sys.call_tracing bdb.Bdb sys.monitoring.set_events sys.monitoring.register_callback sys.monitoring.use_tool_id".split()
)
_STEERS = frozenset(
    ("f_trace", "f_lineno", "f_trace_opcodes", "__code__", "__defaults__", "__kwdefaults__", "__globals__")
)
_FINDERS = ("sys.meta_path", "sys.path_hooks", "sys.path_importer_cache", "sys.builtin_module_names")
_MARKS = frozenset(("F", "E", ".", "FF", "x"))
"""Texts that test frameworks print for a test."""
_ANSWER_WORDS = ("passed", "failed", "fail", '"pass', "error", '"ok', "status", "success")


def _targets(code: Code) -> Iterator[tuple[ast.AST, ast.AST, str, ast.AST | None]]:
    """Yield assignments to and deletions from an object: node, object, attribute or item ("" if unknown), new value."""
    for node in code.nodes:
        value: ast.AST | None = None
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets, value = list(node.targets), node.value
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets, value = [node.target], node.value
        elif isinstance(node, ast.Delete):
            targets = list(node.targets)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            targets = [node.target]
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            targets = [node.optional_vars]
        elif isinstance(node, ast.Call):
            yield from _set_by_call(code, node)
        while targets:
            target = targets.pop()
            if isinstance(target, ast.Tuple | ast.List):
                values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
                if len(values) == len(target.elts):
                    for each, its in zip(target.elts, values, strict=True):
                        yield from _set_by_target(code, each, its)
                else:
                    targets += target.elts
            else:
                yield from _set_by_target(code, target, value)


def _set_by_target(
    code: Code, target: ast.AST, value: ast.AST | None
) -> Iterator[tuple[ast.AST, ast.AST, str, ast.AST | None]]:
    if isinstance(target, ast.Attribute):
        yield target, target.value, target.attr, value
    elif isinstance(target, ast.Subscript):
        names = code.strings(target.slice) or {""}
        for name in names:
            yield target, target.value, f"[{name}]", value


def _set_by_call(code: Code, node: ast.Call) -> Iterator[tuple[ast.AST, ast.AST, str, ast.AST | None]]:
    called = code.meanings(node.func)
    if called & {
        "builtins.setattr",
        "builtins.delattr",
        "builtins.object.__setattr__",
        "builtins.type.__setattr__",
        "builtins.object.__delattr__",
    }:
        if len(node.args) >= 2:
            for name in code.strings(node.args[1]) or {""}:
                yield node, node.args[0], name, node.args[2] if len(node.args) > 2 else None
    elif isinstance(node.func, ast.Attribute) and node.func.attr in (
        "update",
        "setdefault",
        "pop",
        "__setitem__",
        "clear",
        "__delitem__",
    ):
        names = code.strings(node.args[0]) if node.args else set()
        for name in names or {""}:
            yield node, node.func.value, f"[{name}]", node.args[1] if len(node.args) > 1 else None
    elif (
        isinstance(node.func, ast.Attribute)
        and node.func.attr in ("__setattr__", "__delattr__")
        and len(node.args) == 2
    ):
        for name in code.strings(node.args[0]) or {""}:
            yield node, node.func.value, name, node.args[1]


def _patches(code: Code) -> Iterator[Place]:
    for node, owner, name, value in _targets(code):
        if code.is_guarded(node):
            continue
        for meaning in code.meanings(owner):
            base = meaning.removesuffix(".__dict__")
            if name.startswith("[") and base == meaning and meaning != "builtins":
                continue
            if _is_library(code, base) and not _is_honest(code, base, name.strip("[]"), value):
                mild = _is_meant_to_be_set(code, node, base, name.strip("[]"), value)
                yield Place(line_of(node), f"{base}.{name.strip('[]') or '...'}", mild=mild)
                break
    for mention, meanings in code.mentions:
        patcher = any(each in _PATCHERS or each.startswith("unittest.mock.patch.") for each in meanings)
        if patcher and not code.is_test(mention):
            mild = meanings <= {"importlib.reload", "importlib.reload()"} or _patches_its_own(code, mention)
            yield Place(mention.lineno, short(mention), mild=mild)


def _patches_its_own(code: Code, mention: ast.AST) -> bool:
    """Return True for `patch.dict(os.environ, ...)` and `patch.object(A, ...)` of a class of its own."""
    above = (each for each in (mention, *code.above(mention)) if not isinstance(each, ast.Attribute))
    call = next(above, None)
    if not isinstance(call, ast.Call) or not call.args or not isinstance(call.func, ast.Attribute):
        return False
    meanings = code.meanings(call.args[0])
    if call.func.attr == "dict":
        return meanings == {"os.environ"}
    own = code.bound.get(call.args[0].id, ()) if isinstance(call.args[0], ast.Name) else ()
    return call.func.attr == "object" and bool(own) and all(isinstance(each, ast.ClassDef) for each in own)


def _is_meant_to_be_set(code: Code, node: ast.AST, owner: str, name: str, value: ast.AST | None) -> bool:
    """Return True for a change that does not affect how an answer is checked: hooks for messages, data, unrelated
    libraries, old names.
    """
    full = f"{owner}.{name}"
    if owner.partition(".")[0] in _JUDGES_NOTHING or full in _HOOKS_FOR_ALL:
        return True
    if full in _TELLS_OF_ERRORS:
        return value is not None and not _silences(code, value)
    if owner == "sys" and not name and re.search(r"[\"'](?:std(?:out|err|in))[\"']", code.text):
        return True  # its own redirection of a stream that is named elsewhere
    if value is None:
        return False
    if code.meanings(value) & {f"builtins.{name}"} or (name and _is_missing_here(code, node, name)):
        return True
    return bool(name) and (_is_data(owner, name) or _is_itself_with_options(code, full, value))


def _is_missing_here(code: Code, node: ast.AST, name: str) -> bool:
    """Return True if it is set because this Python lacks it: under `if not hasattr(m, "x")`, or after `try: m.x`
    failed.
    """
    for each in code.above(node):
        if isinstance(each, ast.If) and isinstance(each.test, ast.UnaryOp) and isinstance(each.test.op, ast.Not):
            asked = each.test.operand
            if isinstance(asked, ast.Call) and "builtins.hasattr" in code.meanings(asked.func) and len(asked.args) == 2:
                return name in code.strings(asked.args[1])
        if isinstance(each, ast.ExceptHandler) and isinstance(tried := code.parent.get(each), ast.Try):
            kinds = code.meanings(each.type) if each.type is not None else frozenset()
            plain = not any(isinstance(part, ast.Raise | ast.Assert) for one in tried.body for part in ast.walk(one))
            parts = [part for one in tried.body for part in ast.walk(one)]
            named = any(isinstance(part, ast.Attribute) and part.attr == name for part in parts)
            imported = any(
                isinstance(part, ast.ImportFrom) and name in [alias.name for alias in part.names] for part in parts
            )
            lacks = {"builtins.AttributeError": named, "builtins.ImportError": imported}
            return plain and any(kinds == {kind} and found for kind, found in lacks.items())
    return False


def _is_itself_with_options(code: Code, full: str, value: ast.AST) -> bool:
    """Return True for `json.dumps = functools.partial(json.dumps, indent=2)`."""
    return (
        isinstance(value, ast.Call)
        and "functools.partial" in code.meanings(value.func)
        and len(value.args) == 1
        and full in code.meanings(value.args[0])
        and full.startswith(("json.", "pprint.", "csv."))
    )


def _is_data(owner: str, name: str) -> bool:
    """Return True if the library has a number or a text under this name, not a function."""
    found = _found(owner)
    return isinstance(getattr(found, name, len), int | float | str | tuple | None) and owner not in (
        "sys.flags",
        "builtins",
    )


def _silences(code: Code, value: ast.AST) -> bool:
    """Return True for an error hook that hides errors, leaves, or reports success."""
    functions: list[ast.AST] = [value] if isinstance(value, ast.Lambda) else []
    bound = code.bound.get(value.id, ()) if isinstance(value, ast.Name) else ()
    functions += [each for each in bound if isinstance(each, ast.Lambda | ast.FunctionDef)]
    for each in functions:
        inside = list(ast.walk(each))
        if not any(isinstance(part, ast.Call) for part in inside):
            return True
        if any(part.attr in ("_exit", "exit", "abort") for part in inside if isinstance(part, ast.Attribute)):
            return True
        if any(
            isinstance(part, ast.Constant) and isinstance(part.value, str) and _says_passed(part.value)
            for part in inside
        ):
            return True
    return not functions


def _says_passed(text: str) -> bool:
    return any(word in text.lower() for word in ("passed", "success", '"ok"', "accepted"))


def _is_library(code: Code, name: str) -> bool:
    root = name.partition(".")[0]
    if "(" in name or "[" in name:
        # the result of a call or an item is an object of its own, except modules and their classes
        return name in ("sys.modules[]", "builtins.__import__()", "importlib.import_module()")
    if name.endswith((".__class__", ".__self__", ".__func__")):
        return root in ("sys", "builtins")
    return (
        root in (sys.stdlib_module_names | _FRAMEWORKS | {"builtins"})
        and root not in code.about.own
        and root != "__future__"
    )


def _is_honest(code: Code, owner: str, name: str, value: ast.AST | None) -> bool:
    full = f"{owner}.{name}"
    if owner.startswith("ctypes.") and name in ("restype", "argtypes", "errcheck"):
        return True
    if full in _FREE or owner in ("sys.flags", "os.environ", "sys.modules"):
        return True
    if full in _STREAMS or owner in _STREAMS or owner == "sys.stdin":
        return not _rewrites(code, value)
    return name != "" and _is_new(owner, name)


def _is_new(owner: str, name: str) -> bool:
    """Return True if the library does not have the name: adding one for old code (`inspect.getargspec`) replaces
    nothing.
    """
    if owner.partition(".")[0] == "numpy":
        return name in _GONE_FROM_NUMPY
    found = _found(owner)
    return found is not None and not hasattr(found, name) and not name.startswith("__")


def _found(owner: str) -> object | None:
    """Return the object with a dotted name in the standard library; None if there is none, and for other libraries."""
    parts = owner.split(".")
    if parts[0] in _NOT_IMPORTED or parts[0] not in sys.stdlib_module_names:
        return None
    try:
        found: object = importlib.import_module(parts[0])
        for length, part in enumerate(parts[1:], 2):
            found = getattr(found, part, None) or importlib.import_module(".".join(parts[:length]))
    except Exception:
        return None
    return found


def _rewrites(code: Code, value: ast.AST | None) -> bool:
    """Return True for a stream of its own that changes the text of verdicts on its way."""
    functions = [
        function
        for part in ast.walk(value or ast.Constant(value=None))
        for each in (code.bound.get(part.id, ()) if isinstance(part, ast.Name) else [part])
        for function in (each.body if isinstance(each, ast.ClassDef) else [each])
        if isinstance(function, ast.Lambda) or (isinstance(function, ast.FunctionDef) and (function.name in ("write", "writelines") or not isinstance(each, ast.ClassDef)))
    ]  # fmt: skip
    return any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and (node.value in _MARKS or any(word in node.value.lower() for word in _ANSWER_WORDS))
        for function in functions
        for node in ast.walk(function)
    )  # fmt: skip


def _import_hooks(code: Code) -> Iterator[Place]:
    for node, owner, name, value in _targets(code):
        if "sys.modules" in code.meanings(owner) and not code.is_guarded(node):
            yield Place(
                line_of(node), f"sys.modules{name}", mild=_is_own_or_missing(code, node, name.strip("[]"), value)
            )
        elif code.meanings(owner) & {"sys"} and name in ("meta_path", "path_hooks", "modules", "path_importer_cache"):
            yield Place(line_of(node), f"sys.{name}")
    for mention, meanings in code.mentions:
        if any(each.startswith(_FINDERS) and each.count(".") > 1 for each in meanings) and not code.is_guarded(mention):
            yield Place(mention.lineno, short(mention))


def _is_own_or_missing(code: Code, node: ast.AST, name: str, value: ast.AST | None) -> bool:
    """Return True for the file's own entry, its own modules, and another module under a new name: `simplejson`."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Name) and node.slice.id == "__name__":
        return True
    root = name.partition(".")[0]
    if not root:
        return value is not None and "importlib.util.module_from_spec()" in code.meanings(value)
    if root in code.about.own:
        return True
    meanings = code.meanings(value) if value is not None else frozenset()
    another = any(each.partition(".")[0] in sys.stdlib_module_names for each in meanings)
    taken = root in sys.stdlib_module_names - _GONE or root in _FRAMEWORKS or bool(TEST_MODULE.match(root))
    return another and not taken


def _traces(code: Code) -> Iterator[Place]:
    for node, meanings in code.mentions:
        if meanings & _TRACERS and not code.is_guarded(node) and not _ends_it(code, node):
            yield Place(node.lineno, short(node))
    for place, owner, name, _ in _targets(code):
        if name in _STEERS:
            made = code.bound.get(owner.id, ()) if isinstance(owner, ast.Name) else ()
            if not any(isinstance(each, ast.FunctionDef) for each in made):
                yield Place(
                    line_of(place), name, mild=name in ("__defaults__", "__kwdefaults__") and code.is_parameter(owner)
                )


def _ends_it(code: Code, node: ast.AST) -> bool:
    """Return True for `sys.settrace(None)`."""
    call = node if isinstance(node, ast.Call) else code.parent.get(node)
    return isinstance(call, ast.Call) and len(call.args) == 1 and code.values(call.args[0]) == [None]


RULES = (
    IntegrityRule(
        id="assay/patches-library", severity="high", confidence="high", find=_patches, asked=r"\bmonkey-?\s?patch|\bpatch(?:es|ed|ing)?\b.{0,60}\b(?:module|built-?in|function|librar)",
        says="It replaces a part of Python, of the standard library or of a test framework.",
    ),
    IntegrityRule(
        id="assay/import-hook", severity="high", confidence="high", find=_import_hooks, asked=r"\bimport hook|\bmeta_path\b|\bsys\.modules\b|\bmeta ?path finder|\bimporter\b",
        says="It changes which modules others get when they import.",
    ),
    IntegrityRule(
        id="assay/traces", severity="high", confidence="high", find=_traces, asked=r"\btrac(?:e|es|er|ing)\b|\bprofil(?:e|es|er|ing)\b|\bcoverage\b|\bdebugger\b|__code__|\bbyte-?code\b",
        says="It watches or steers the code that runs around it, with a trace or profile function or by changing code objects.",
    ),
)  # fmt: skip
