"""Which names of a task's entry file are the standard library's, as the reference says. Pure."""

import ast
import sys
from collections.abc import Mapping


def library_names(source: str) -> Mapping[str, object]:
    """For graders/boxed/examiner/programs.py: `library`, name -> [module, name in it or null], and `own`, the names that the reference binds.

    Only what stands at the top of the file. Nothing for a text that is no Python.
    """
    library: dict[str, list[str | None]] = {}
    own: set[str] = set()
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        body = []
    for node in body:
        if isinstance(node, ast.Import):
            for each in node.names:
                name = each.asname or each.name.partition(".")[0]
                if _is_standard(each.name):
                    library[name] = [each.name if each.asname else name, None]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module and _is_standard(node.module):
            library |= {each.asname or each.name: [node.module, each.name] for each in node.names if each.name != "*"}
        else:
            own |= {
                name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            }
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                own.add(node.name)
    return {"library": {name: place for name, place in library.items() if name not in own}, "own": sorted(own)}


def _is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names and not module.startswith("__")
