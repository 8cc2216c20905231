"""Programs that do nothing of what is asked. A case that one of them passes is weak evidence. Pure."""

import ast
from collections.abc import Mapping

ANSWERS = ("None", "True", "False", "0", "1", "''", "[]", "{}")
PRINTED = ("0", "1", "-1", "YES", "NO", "Yes", "No")
_READ = "import sys\ntext = sys.stdin.read()\n"


def trivial_functions(source: str) -> Mapping[str, str]:
    """Return programs by their behaviour in words, in which all functions and methods of `source` answer the same.

    Methods with names like `__init__` stay as they are, so that objects can be made. Empty if the program has no functions.
    Raises SyntaxError or ValueError if `source` is not a program.
    """
    answers = {f"`return {answer}`": answer for answer in ANSWERS}
    made = {words: _answering(source, answer) for words, answer in answers.items()}
    made["returning the first argument"] = _answering(source, "")
    made["returning objects that are all equal"] = _all_equal(source)
    untouched = ast.unparse(ast.parse(source))
    return {words: program for words, program in made.items() if program != untouched}


def trivial_programs() -> Mapping[str, str]:
    """Return programs that read and print, by their behaviour in words."""
    return {
        "printing nothing": _READ,
        "printing its input": f"{_READ}print(text, end='')\n",
        "printing the first line of its input": f"{_READ}print(*text.splitlines()[:1])\n",
        **{f"printing {text}": f"{_READ}print({text!r})\n" for text in PRINTED},
    }


EQUAL = "_AllEqual"
"""A class whose objects equal every value, as all objects of the program's own classes do then."""
_EQUALITY = """
def __eq__(self, other):
    return True

def __ne__(self, other):
    return False

def __hash__(self):
    return 0
"""


def _all_equal(source: str) -> str:
    """Return the program with all its objects equal, which passes tests that only compare the submission's own objects."""
    tree = ast.parse(_answering(source, f"{EQUAL}()"))
    kinds = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    [own] = [node for node in ast.parse(f"class {EQUAL}: pass").body if isinstance(node, ast.ClassDef)]
    for kind in (*kinds, own):
        kept = [node for node in kind.body if getattr(node, "name", "") not in ("__eq__", "__ne__", "__hash__")]
        kind.body = [*kept, *ast.parse(_EQUALITY).body]
    if any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(ast.parse(source))):
        tree.body.append(own)
    return ast.unparse(ast.fix_missing_locations(tree))


def _answering(source: str, answer: str) -> str:
    """Return the program with this answer. `answer`: an expression; if empty, each function's first argument or None."""
    tree = ast.parse(source)
    methods = {node for kind in ast.walk(tree) if isinstance(kind, ast.ClassDef) for node in kind.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("__"):
            taken = [each.arg for each in (*node.args.posonlyargs, *node.args.args)][node in methods :]
            node.body = ast.parse(f"return {answer or (*taken, 'None')[0]}").body
    return ast.unparse(tree)
