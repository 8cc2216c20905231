"""Source files as coloured, numbered lines with the findings that belong to each."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter

from markupsafe import Markup
from pygments.lexers.python import PythonLexer
from pygments.token import Token, _TokenType

from rubrics.signals import Finding
from service.visible_text import chips

COLOURED_CHARACTERS = 40_000
"""A longer file has no colours: the lexer runs in our process, and its author may have written it to be slow to lex."""
COLOURING_SECONDS = 0.5
"""CPU time for all files of a page. Even for shorter texts, the lexer may need time that grows with their square."""
SHOWN_LINES = 5_000
SHOWN_COLUMNS = 800
"""Caps on one page; a link leads to the whole file."""

_NEWLINE = re.compile(r"\r\n|\r|\n")
"""The ends of line that Python knows, so that our line numbers match those of the findings."""
_CLASSES: tuple[tuple[_TokenType, str], ...] = (
    (Token.Comment, "c"),
    (Token.Literal.String.Doc, "c"),
    (Token.Literal.String, "s"),
    (Token.Literal.Number, "m"),
    (Token.Keyword, "k"),
    (Token.Operator.Word, "k"),
    (Token.Name.Builtin, "b"),
    (Token.Name.Decorator, "d"),
    (Token.Name.Function, "f"),
    (Token.Name.Class, "f"),
    (Token.Name.Exception, "b"),
)


class Colouring:
    """A budget of CPU time for the colours of one page. `clock` returns seconds, like time.thread_time."""

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self._clock = clock
        self._left = COLOURING_SECONDS

    def tokens(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield (CSS class or "", text) pieces that join to `text`. Once the time is up, the rest has no class."""
        end = 0
        lexed = PythonLexer().get_tokens_unprocessed(text)
        while self._left > 0:
            before = self._clock()
            token = next(lexed, None)
            self._left -= self._clock() - before
            if token is None:
                return
            start, kind, value = token
            end = start + len(value)
            yield next((css for parent, css in _CLASSES if kind in parent), ""), value
        yield "", text[end:]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLine:
    number: int
    html: Markup
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFile:
    index: int
    """Position among the submission's files; lines have the element id `line-INDEX-NUMBER`."""
    path: str
    lines: tuple[CodeLine, ...]
    hidden_lines: int
    """Lines beyond SHOWN_LINES."""
    remark: str
    """A remark on properties that numbered lines do not show: a missing final newline, unusual line ends."""


def code_file(
    index: int,
    path: str,
    text: str,
    findings: Mapping[int, Sequence[Finding]],
    colouring: Colouring | None = None,
) -> CodeFile:
    """Return the file with `findings` (line number from 1 -> findings) on its lines. `colouring` is the page's budget."""
    colouring = colouring or Colouring()
    normal = _NEWLINE.sub("\n", text)
    body = normal.removesuffix("\n")
    lines = tuple(
        CodeLine(number=number, html=_drawn(pieces), findings=tuple(findings.get(number, ())))
        for number, pieces in enumerate(islice(_lines(_tokens(path, body, colouring)), SHOWN_LINES), 1)
    )
    hidden = body.count("\n") + 1 - len(lines)
    return CodeFile(index=index, path=path, lines=lines, hidden_lines=hidden, remark=_remark(text, normal))


def _remark(text: str, normal: str) -> str:
    remarks = []
    if windows := text.count("\r\n"):
        remarks.append(f"{windows} lines end in CRLF")
    if lone := text.count("\r") - windows:
        remarks.append(f"{lone} lines end in a lone CR")
    if not normal.endswith("\n"):
        remarks.append("no newline at the end")
    return ", ".join(remarks)


def _lines(tokens: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    line: list[tuple[str, str]] = []
    for css, value in tokens:
        first, *rest = value.split("\n")
        line.append((css, first))
        for piece in rest:
            yield line
            line = [(css, piece)]
    yield line


def _tokens(path: str, text: str, colouring: Colouring) -> Iterator[tuple[str, str]]:
    """Yield (CSS class or "", text) pieces that join to `text`."""
    if not path.endswith((".py", ".pyi")) or len(text) > COLOURED_CHARACTERS:
        yield "", text
    else:
        yield from colouring.tokens(text)


def _drawn(pieces: list[tuple[str, str]]) -> Markup:
    parts: list[Markup] = []
    room = SHOWN_COLUMNS
    for css, group in groupby(pieces, key=itemgetter(0)):
        text = "".join(piece for _css, piece in group)
        if room and text:
            shown = chips(text[:room])
            parts.append(Markup('<span class="{}">{}</span>').format(css, shown) if css else shown)
        room -= min(len(text), room)
    if more := max(0, sum(len(text) for _css, text in pieces) - SHOWN_COLUMNS):
        parts.append(Markup('<span class="chip">… {} more characters</span>').format(more))
    return Markup("").join(parts)
