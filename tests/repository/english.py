"""Counts turns of phrase that docs/style.md asks to avoid, in comments, docstrings and documents."""

import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATTERNS = {
    "where": re.compile(r"\bwhere\b", re.IGNORECASE),
    "no": re.compile(r"\b(?:is|are|was|were|has|have|had) no\b", re.IGNORECASE),
    "tell": re.compile(r"\b(?:told|tells?|says?|said)\b", re.IGNORECASE),
    "whoever": re.compile(r"\b(?:who|what)ever\b|\b(?:some|no)body\b", re.IGNORECASE),
    "so many": re.compile(r"\bso (?:many|much|long|often|few)\b(?! (?:that|as)\b)", re.IGNORECASE),
    "gives": re.compile(r"\bgives\b|\b(?:came|become|becomes|became) of\b", re.IGNORECASE),
}
"""In any prose."""
OPENINGS = {
    "docstring What": re.compile(r"\s*What\b"),
    "docstring Of": re.compile(r"\s*(?:Of|As|For|In|Where|Whether)\b"),
}
"""At the beginning of a docstring."""


def prose(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield the texts of a file that people read, each with whether it is a docstring."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield re.sub(r"```.*?```", "", text, flags=re.DOTALL), False
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string, False
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(value))):
                yield value, True


def counted(folder: str) -> Counter[str]:
    """Return how often each phrase occurs in the files of a folder."""
    counts: Counter[str] = Counter()
    for path in sorted((ROOT / folder).rglob("*")):
        if path.suffix not in (".py", ".md") or {"submissions", "hidden"} & set(path.parts):
            continue
        if "changelog.d" in path.parts or path.name == "style.md":
            continue
        for text, is_docstring in prose(path):
            counts.update({name: len(pattern.findall(text)) for name, pattern in PATTERNS.items()})
            if is_docstring:
                counts.update({name: bool(pattern.match(text)) for name, pattern in OPENINGS.items()})
    return counts


if __name__ == "__main__":
    for each in sys.argv[1:]:
        print(each, dict(counted(each)))
