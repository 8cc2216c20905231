"""The test data of a Kattis problem package: a tree of groups, each with its cases and the settings of its YAML file.

data/                                       testdata.yaml (legacy) or test_group.yaml; its settings hold below it too
data/{sample,secret}/**/NAME.in, NAME.ans   a case; with NAME.yaml and the folder NAME.files if it has them
data/{valid,invalid}_*/                     tests of the validators, not of submissions
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rubrics.input_error import InputError
from service.importers.kattis.files import Tree, words_of

GROUP_FILES = ("testdata.yaml", "test_group.yaml")

_GROUP_KEYS = frozenset({
    "on_reject", "grading", "grader_flags", "input_validator_flags", "output_validator_flags", "accept_score", "reject_score",
    "range", "args", "scoring", "input_validator_args", "output_validator_args", "static_validation", "full_feedback", "hint",
    "description",
})  # fmt: skip
"""Keys of both formats. `problem_format_version` states the format, but some packages leave it out."""
_CASE_KEYS = frozenset({
    "args", "output_validator_args", "input_validator_args", "full_feedback", "hint", "description",
})  # fmt: skip
_NOT_INHERITED = ("scoring", "static_validation")
_OF_A_CASE = (".in", ".ans", ".files", ".yaml", ".hint", ".desc", ".png", ".jpg", ".jpeg", ".svg")
_OF_A_SAMPLE = (
    ".in.statement", ".ans.statement", ".in.download", ".ans.download", ".files.download", ".out", ".interaction",
)  # fmt: skip
_ELSEWHERE = ("sample", "secret")
_FOR_VALIDATORS = ("invalid_input", "invalid_inputs", "invalid_output", "invalid_outputs", "invalid_answers", "valid_output", "valid_outputs")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCase:
    """A case as it is stated."""

    path: str
    """Without the suffix, in data/: `secret/large/02`."""
    given: str
    answer: str
    args: tuple[str, ...]
    files: Mapping[str, str]
    validator_args: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A folder of test data."""

    path: str
    """The path in data/: `secret/large`; `` for data/ itself."""
    where: str
    """Its YAML file, for messages; its folder if it does not have one."""
    stated: Mapping[str, Any]
    """The settings of its YAML file, and those it inherits."""
    cases: tuple[TestCase, ...]
    groups: tuple["Group", ...]

    def all_cases(self) -> Iterator[TestCase]:
        yield from self.cases
        for group in self.groups:
            yield from group.all_cases()


def read_data(tree: Tree) -> Group:
    """Return the group data/ with the groups `sample` (if it exists) and `secret`. Raises InputError."""
    data = tree.root / "data"
    if not any(path.suffix == ".in" for path in tree.files(data / "secret")):
        raise InputError(str(data / "secret"), "at least one .in with its .ans")
    where, stated = _group_file(tree, data, {})
    groups = []
    for path in tree.entries(data):
        if path.is_dir() and path.name in _ELSEWHERE:
            groups.append(_group(tree, path, stated))
        elif path.name not in (*_FOR_VALIDATORS, *GROUP_FILES) and not path.name.startswith("README"):
            raise InputError(
                str(path), f"nothing but the folders {', '.join(_ELSEWHERE)} and those that test validators"
            )
    return Group(path="", where=where, stated=stated, cases=(), groups=tuple(groups))


def _group(tree: Tree, folder: Path, above: Mapping[str, Any]) -> Group:
    where, stated = _group_file(tree, folder, above)
    path = folder.relative_to(tree.root / "data").as_posix()
    known = (*_OF_A_SAMPLE, *_OF_A_CASE) if path.startswith("sample") else _OF_A_CASE
    inputs, groups, companions = [], [], []
    for entry in tree.entries(folder):
        suffix = next((suffix for suffix in known if entry.name.endswith(suffix)), "")
        if entry.is_dir() and not suffix:
            groups.append(_group(tree, entry, stated))
        elif entry.name in GROUP_FILES or entry.name.startswith("README"):
            continue
        elif entry.name.endswith(".in"):
            inputs.append(entry)
        elif suffix:
            companions.append((entry, folder / f"{entry.name.removesuffix(suffix)}.in"))
        elif not (path.startswith("sample") and entry.suffix == ".download"):
            raise InputError(str(entry), f"test data, a file or folder that ends in one of {' '.join(known)}")
    for entry, case in companions:
        # A sample conversation need not be a case.
        if case not in inputs and entry.suffix != ".interaction":
            raise InputError(str(entry), f"{case.name} beside it")
    cases = tuple(_case(tree, entry, stated) for entry in inputs)
    return Group(path=path, where=where, stated=stated, cases=cases, groups=tuple(groups))


def _group_file(tree: Tree, folder: Path, above: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the place for messages, and the settings of the folder; keys that its file lacks come from `above`."""
    found = [folder / name for name in GROUP_FILES if (folder / name).exists()]
    if len(found) > 1:
        raise InputError(str(folder), f"one of {' and '.join(GROUP_FILES)}")
    inherited = {key: value for key, value in above.items() if key not in _NOT_INHERITED}
    if not found:
        return str(folder), inherited
    where, own = str(found[0]), tree.table(found[0], _GROUP_KEYS)
    if own.get("grading", "default") != "default":
        raise InputError(
            f"{where}: grading", "default: graders are programs that decide what a group counts, and are not run"
        )
    if own.get("static_validation", False) is not False:
        raise InputError(f"{where}: static_validation", "false: no program of the author's looks at the source")
    if own.get("on_reject", "break") not in ("break", "continue"):
        raise InputError(f"{where}: on_reject", f"break or continue, not {own['on_reject']!r:.80}")
    _words(own, where)
    return where, inherited | own


def _case(tree: Tree, path: Path, above: Mapping[str, Any]) -> TestCase:
    answer, own = path.with_suffix(".ans"), path.with_suffix(".yaml")
    if not answer.exists():
        raise InputError(str(path), f"{answer.name} beside it")
    stated = {**above, **tree.table(own, _CASE_KEYS)}
    args, validator_args = _words(stated, str(own))
    folder = path.with_suffix(".files")
    return TestCase(
        path=path.relative_to(tree.root / "data").with_suffix("").as_posix(),
        given=tree.text(path),
        answer=tree.text(answer),
        args=args,
        files={file.relative_to(folder).as_posix(): tree.text(file) for file in tree.files(folder)},
        validator_args=validator_args,
    )


def _words(stated: Mapping[str, Any], where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the arguments of the program, and those of the output validator."""
    args = words_of(stated.get("args", []), f"{where}: args")
    key = "output_validator_args" if "output_validator_args" in stated else "output_validator_flags"
    flags = stated.get(key, [])
    if isinstance(flags, dict):
        # The name of one of several validators; there is but one.
        if flags.keys() != {"name", "flags"}:
            raise InputError(f"{where}: {key}", "a text, a list of texts, or a table of `name` and `flags`")
        flags = flags["flags"]
    return args, words_of(flags, f"{where}: {key}")
