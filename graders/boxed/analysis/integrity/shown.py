"""The examples that a prompt shows: calls with their answers, and inputs with their outputs.

Only literals are read; the prompt is never executed. A prompt that shows its examples in another form yields none, and
then a table of them cannot be recognized.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

CAP = 60
"""Examples of a task that are kept."""
_TEXT_CAP = 100_000
_CALL = re.compile(r"\b([A-Za-z_]\w*)\(")
_GIVES = re.compile(
    r"\s*(?:==|-+>|=+>|→|➞|➡|⇒|=|#\s*(?:=>|->|==|returns?)?|:|,?\s*(?:should\s+|must\s+|will\s+|would\s+)?"
    r"(?:return|returns|be|equal|equals|gives|give|yields|is|evaluates to|output|outputs)\b(?:\s+(?:the\s+)?(?:value|output|result))?:?)\s*"
)
_PAIR = re.compile(
    r"(?im)^\W*(?:sample\s+)?inputs?\b[^:\n]*:?[ \t]*\n?(.*?)\n\W*(?:sample\s+)?outputs?\b[^:\n]*:?[ \t]*\n?(.*?)(?:\n\s*\n|\n#|\n```|\Z)",
    re.DOTALL,
)


class PromptExample(NamedTuple):
    """One example of the prompt."""

    arguments: tuple[Any, ...]
    answer: Any


def examples(prompt: str, visible: Mapping[str, str]) -> tuple[PromptExample, ...]:
    """Return the examples in a prompt and in the visible files (path -> text), each once."""
    found: list[PromptExample] = []
    for shown in (*_of_files(visible), *_calls(prompt[:_TEXT_CAP]), *_pairs(prompt[:_TEXT_CAP])):
        if shown not in found:
            found.append(shown)
        if len(found) == CAP:
            break
    return tuple(found)


def _of_files(visible: Mapping[str, str]) -> Iterator[PromptExample]:
    for path, text in sorted(visible.items()):
        stem, _, suffix = path.rpartition(".")
        if suffix == "jsonl":
            for line in text.splitlines()[:CAP]:
                yield from _of_row(line)
        elif suffix == "in":
            for other in (f"{stem}.ans", f"{stem}.out"):
                if other in visible:
                    yield PromptExample((text,), visible[other])
        else:
            yield from _calls(text[:_TEXT_CAP])


def _of_row(line: str) -> Iterator[PromptExample]:
    try:
        row = json.loads(line)
    except ValueError:
        return
    if not isinstance(row, dict):
        return
    if isinstance(row.get("call"), str):
        answer = row.get("returns", "")
        yield from _calls(f"{row['call']} == {answer}")
    elif isinstance(row.get("input"), str) and isinstance(row.get("output"), str):
        yield PromptExample((row["input"],), row["output"])


def _calls(text: str) -> Iterator[PromptExample]:
    for match in _CALL.finditer(text):
        end = _closing(text, match.end() - 1)
        if end is None:
            continue
        arguments = _arguments(text[match.start() : end])
        if not arguments:
            continue
        rest = text[end : end + 2000]
        # `assert set(f(x)) == set(y)`: the brackets around the call are left behind
        rest = re.sub(r"\A[)\]`*' ]*(?=\s*(?:==|->|=>|→))", "", rest)
        gives = _GIVES.match(rest)
        line_end = rest.find("\n")
        if gives and (line_end < 0 or gives.start() <= line_end):
            answer = _literal_at_start(rest[gives.end() :].partition("\n")[0])
        elif text[: match.start()].rstrip(" ").endswith(">>>") and line_end >= 0:
            answer = _literal_at_start(rest[line_end + 1 :].partition("\n")[0].strip())
        else:
            answer = None
        if answer is not None:
            yield PromptExample(arguments, answer[0])


def _closing(text: str, start: int) -> int | None:
    """Return the place after the bracket that closes the one at `start`, quotes respected; None within 2000
    characters.
    """
    depth, quote, place = 0, "", start
    while place < min(len(text), start + 2000):
        char = text[place]
        if quote:
            if char == "\\":
                place += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth == 0:
                return place + 1
        place += 1
    return None


def _arguments(call: str) -> tuple[Any, ...]:
    try:
        tree = ast.parse(call.strip(), mode="eval").body
        assert isinstance(tree, ast.Call)
        return tuple(ast.literal_eval(each) for each in (*tree.args, *(keyword.value for keyword in tree.keywords)))
    except (SyntaxError, ValueError, TypeError, AssertionError, RecursionError, MemoryError):
        return ()


def _literal_at_start(text: str) -> tuple[Any] | None:
    """Return the literal that the text begins with, in a tuple; None if it does not begin with one."""
    text = text.strip().strip("`*")
    wrapped = re.match(r"(?:set|list|tuple|sorted|frozenset)\((.*)\)\s*\Z", text)
    candidates = [wrapped[1]] if wrapped else []
    candidates += [text, *(text[: match.start()] for match in reversed(list(re.finditer(r"[\s,.;#)`(*]", text))[:40]))]
    for candidate in candidates:
        try:
            return (ast.literal_eval(candidate.strip()),)
        except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
            words = {"true": True, "false": False, "null": None, "none": None}
            if candidate.strip().lower() in words:
                return (words[candidate.strip().lower()],)
    return None


def _pairs(text: str) -> Iterator[PromptExample]:
    """Yield each `Input: ...` with its `Output: ...`, as literals if they are literals, else as text."""
    for match in _PAIR.finditer(text):
        given, wanted = match[1].strip().strip("`").strip(), match[2].strip().strip("`").strip()
        if not given or not wanted or len(given) > 5000:
            continue
        named = [part for part in re.split(r"\b[A-Za-z_]\w*\s*=\s*", given) if part.strip(" ,\n")]
        values = [_literal_at_start(part.strip().rstrip(",")) for part in named]
        answer = _literal_at_start(wanted)
        if answer is not None and "\n" not in given and all(value is not None for value in values):
            yield PromptExample(tuple(value[0] for value in values if value is not None), answer[0])
        else:
            yield PromptExample((given,), wanted)
