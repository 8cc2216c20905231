"""Hidden code: characters and places that a reader of the file does not see."""

import builtins
import keyword
import re
import tokenize
import unicodedata
from collections.abc import Callable, Iterator

from graders.boxed.analysis.integrity.hidden import SENSITIVE
from graders.boxed.analysis.integrity.rule import IntegrityRule, Place
from graders.boxed.analysis.integrity.syntax import Code

_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
_INVISIBLE = frozenset(
    "\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u180e\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5"
)
_JOINERS = frozenset("\u200c\u200d")
_MARKS = frozenset("\u200e\u200f\u061c")
"""Marks that move the text beside them by a place or two, as texts in two scripts need."""
_BEGIN_TURNS, _END_TURNS = frozenset("\u202a\u202b\u2066\u2067\u2068"), frozenset("\u202c\u2069")
_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e007a]{3,6}\U000e007f")
_MESSAGE = 12
"""Invisible characters in a line that may be a message."""
_ODD = re.compile("[^\\x20-\\x7e\\t\\n]")
"""Characters that most files do not contain."""
_LATIN = dict(
    zip(
        "аеорсухіјѕһԁԛԝАВЕКМНОРСТУХІЈЅοΑΒΕΖΗΙΚΜΝΟΡΤΥΧνıɡ",
        "aeopcyxijshdqwABEKMHOPCTYXIJSoABEZHIKMNOPTYXvig",
        strict=True,
    )
)
"""Letters of other scripts that look like Latin ones."""
_GAP = 60
"""Columns of white space between two pieces of code of one line, or before the first; a window shows some 120
columns."""
_ALIGNED = 160
_WIDE = 400
_BLANK = 60
"""Empty lines in a row after which code is out of sight."""


def _bidi(code: Code) -> Iterator[Place]:
    if code.text.isascii():
        return
    settled = _in_literals(code, _is_settled)
    for number, line in enumerate(code.text.split("\n"), 1):
        found = [(column, char) for column, char in enumerate(line) if char in _BIDI]
        if found:
            mild = all(char in _MARKS or (number, column) in settled for column, char in found)
            yield Place(number, f"U+{ord(found[0][1]):04X}", mild=mild)


def _in_literals(code: Code, wanted: Callable[[str], bool]) -> set[tuple[int, int]]:
    """Places (line, column) inside of the literals of text that are as wanted."""
    found: set[tuple[int, int]] = set()
    for token in code.tokens:
        if token.type in (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1)) and wanted(token.string):
            (row, column), parts = token.start, token.string.split("\n")
            for number, part in enumerate(parts):
                start = column if number == 0 else 0
                found.update((row + number, start + index) for index in range(len(part)))
    return found


def _is_settled(text: str) -> bool:
    """Return True for a text of one line in a right-to-left script that closes every change of direction that it
    opens.
    """
    depth = 0
    for char in text:
        depth += (char in _BEGIN_TURNS) - (char in _END_TURNS)
        if depth < 0 or char in "\n\u202d\u202e":
            return False
    return depth == 0 and any(unicodedata.bidirectional(char) in ("R", "AL") for char in text)


def _invisible(code: Code) -> Iterator[Place]:
    if not _ODD.search(code.text):
        return
    literals = _in_literals(code, bool)
    for number, line in enumerate(code.text.split("\n"), 1):
        text = line.removeprefix("\ufeff") if number == 1 else line
        shift = len(line) - len(text)
        odd = [(index, char) for index, char in enumerate(text) if _is_odd(text, index)]
        if odd:
            among_text = all(
                (number, index + shift) in literals and char in _INVISIBLE | _JOINERS for index, char in odd
            )
            flags = all(
                (number, index + shift) in literals and ord(char) >= 0xE0000 for index, char in odd
            ) and _is_flags(text)
            mild = (
                flags
                or (among_text and len(odd) < _MESSAGE)
                or (all(char in _INVISIBLE for _, char in odd) and "#" in text[: odd[0][0]])
            )
            yield Place(number, f"U+{ord(odd[0][1]):04X}", mild=mild)


def _is_odd(text: str, index: int) -> bool:
    char = text[index]
    beside = text[max(0, index - 1) : index + 2].replace(char, "")
    unseen = char in _INVISIBLE or 0xE0000 <= ord(char) <= 0xE007F or char in "\x0b\x1c\x1d\x1e\x85\u2028\u2029\x08\x1b"
    return unseen or (char in _JOINERS and beside.isascii()) or (char == "\r" and index != len(text) - 1)


def _is_flags(text: str) -> bool:
    """Return True if tags only spell the regions of flags: a black flag, at most six tags, and the end."""
    return not any(0xE0000 <= ord(char) <= 0xE007F for char in _FLAG.sub("", text))


def _homoglyphs(code: Code) -> Iterator[Place]:
    """Find names that look the same as another name of the file, or as one of Python's."""
    if code.text.isascii():
        return
    names = {token for token, _ in _identifiers(code)}
    own = {name for name in names if name.isascii()}
    fixed = set(keyword.kwlist) | set(dir(builtins)) | SENSITIVE
    for name, line in _identifiers(code):
        if name.isascii():
            continue
        skeleton = "".join(_LATIN.get(char, char) for char in name)
        normal = unicodedata.normalize("NFKC", name)
        # Python takes the one for the other, or a reader does
        twin = (
            normal in fixed
            or normal in own
            or (skeleton != name and (skeleton in fixed or skeleton in own - _letters(name)))
        )
        mixed = {"LATIN" for char in name if char.isascii() and char.isalpha()} | {
            "OTHER" for char in name if char in _LATIN
        }
        if twin or (normal != name and normal.isascii()) or len(mixed) == 2:
            yield Place(line, " ".join(f"U+{ord(char):04X}" for char in name if not char.isascii())[:60], mild=not twin)


def _letters(name: str) -> frozenset[str]:
    """Return False for a Greek letter that formulas use beside its Latin look-alike, as for frequency and velocity."""
    greek = len(name) == 1 and "GREEK" in unicodedata.name(name, "")
    return frozenset(_LATIN.get(name, "")) if greek else frozenset()


def _identifiers(code: Code) -> list[tuple[str, int]]:
    return [(token.string, token.start[0]) for token in code.tokens if token.type == tokenize.NAME]


def _out_of_sight(code: Code) -> Iterator[Place]:
    before: tokenize.TokenInfo | None = None
    depth = 0
    for token in code.tokens:
        if token.type in (tokenize.INDENT, tokenize.DEDENT, tokenize.NL, tokenize.COMMENT, tokenize.ENDMARKER):
            continue
        row, column = token.start
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
        if before is not None and token.type != tokenize.NEWLINE:
            beside = before.end[0] == row and before.type != tokenize.NEWLINE
            blank = column - before.end[1] if beside else column
            # the content of brackets may be aligned with them
            if blank >= (_GAP if beside or before.type == tokenize.NEWLINE else _ALIGNED):
                yield Place(row, f"{blank} blank columns before code", mild=depth > 0 and blank < _ALIGNED)
            if (
                before.type == tokenize.NEWLINE
                and row - before.end[0] > _BLANK
                and not _is_said(code, before.end[0], row)
            ):
                yield Place(row, "code after many empty lines", mild=row - before.end[0] <= 2 * _BLANK)
        if token.string == ";" and column > _WIDE:
            yield Place(row, f"another statement in column {column}", mild=True)
        before = token


def _is_said(code: Code, first: int, last: int) -> bool:
    """Return True if there is anything between two lines, even only comments."""
    lines = code.text.splitlines()[first : last - 1]
    return sum(bool(line.strip()) for line in lines) * 4 > len(lines)


def _silences(code: Code) -> Iterator[Place]:
    for token in code.tokens:
        if token.type == tokenize.COMMENT and re.search(
            r"(?i)#\s*nosec\b|#\s*noqa:?\s*\bS\d|nosemgrep|nosonar|lgtm\s*\[|bandit:\s*skip|codeql\[|pylint:\s*disable=.*(?:exec|eval|subprocess)",
            token.string,
        ):
            yield Place(token.start[0], token.string[:60])


RULES = (
    IntegrityRule(
        id="assay/turned-text", severity="high", confidence="high", find=_bidi, is_text=True,
        says="It holds characters that turn the direction of text, so that a line reads otherwise than it runs.",
    ),
    IntegrityRule(
        id="assay/invisible-text", severity="medium", confidence="high", find=_invisible, is_text=True,
        says="It holds characters that cannot be seen.",
    ),
    IntegrityRule(
        id="assay/look-alike-names", severity="high", confidence="high", find=_homoglyphs, is_text=True,
        says="It uses a name whose letters look like others.",
    ),
    IntegrityRule(
        id="assay/out-of-sight", severity="medium", confidence="high", find=_out_of_sight, is_text=True,
        says="It pushes code out of sight, far to the right or far below.",
    ),
    IntegrityRule(
        id="assay/silences-analyzers", severity="low", confidence="high", find=_silences, is_text=True,
        says="A comment tells security analyzers to look away; ours do not.",
    ),
)  # fmt: skip
