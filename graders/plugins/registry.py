"""Finds the installed graders, and selects those for a task.

Graders are found through one entry-point group, built-in ones and plugins alike. Anything that is not a valid grader is
refused here, once, with the distribution and the file in the message, so that the rest of the service can rely on the
port. A plugin that is refused or cannot be imported is kept as `Broken`, with the reason: it stops no service, and a
task that names it is refused with that reason. Broken built-in graders stop the service: it would grade nothing.

    RegistryError           a built-in grader is broken or missing
    GraderChoiceError       a task asks for a grader or an option that does not exist; names the field
"""

import inspect
import math
import re
import traceback
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, get_args, get_origin, get_type_hints

from graders.interface import Example, Grader, Signal, Task
from graders.plugins.fence import OWN_NAMESPACE, is_own, text_of, told
from rubrics.input_error import InputError

GROUP = "assay.graders"
OWN_DISTRIBUTION = "assay"
_ID = re.compile(r"[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*")
_SIGNALS = get_args(Signal)
_PLAIN = {bool: "true or false", int: "an integer", float: "a number", str: "a string"}


class RegistryError(Exception):
    """A built-in grader is broken or missing: this installation cannot grade."""


class GraderChoiceError(InputError):
    """A task asks for a grader or an option that does not exist. `field` is a path: `graders."acme/no-print".allowed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A plugin that is installed and not usable."""

    name: str
    """Name of its entry point; by convention the part of its id after the slash."""
    distribution: str
    file: str
    """The file to look at, or the entry point's value if no file was reached."""
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} of {self.distribution} ({self.file}): {'; '.join(self.reasons)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """The object that an entry point names, imported and checked."""

    grader: Any
    """The class of a valid grader, if `reasons` is empty."""
    file: str
    reasons: tuple[str, ...]


def examined(point: EntryPoint, criteria: Collection[str]) -> Examined:
    """Import and check the object that this entry point names, in this process. That runs its code, which may do
    anything.
    """
    try:
        grader = point.load()
    except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - grader fence: its import may do anything
        file = _place_of_failure(error) or point.value
        return Examined(grader=None, file=file, reasons=(f"importing it failed: {told(error)}",))
    try:
        reasons = refusals(grader, criteria) or trespasses(grader.id, distribution_of(point))
    except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - grader fence
        reasons = [f"checking it failed: {told(error)}"]
    return Examined(grader=grader, file=_file(grader, point), reasons=tuple(reasons))


def broken(point: EntryPoint, file: str, reasons: Iterable[str]) -> Broken:
    return Broken(name=point.name, distribution=distribution_of(point), file=file, reasons=tuple(reasons))


def rivalries(claims: Sequence[tuple[str, EntryPoint, str]]) -> list[list[str]]:
    """Return for each claim (id, entry point, file of its class) why it is left out; empty if no other claim has the
    id.

    All claims of the same id lose it, so that the order of installation decides nothing.
    """
    return [
        [
            f"its id {id} is also that of {rival.name} of {distribution_of(rival)} ({file})"
            for other, (theirs, rival, file) in enumerate(claims)
            if theirs == id and other != at
        ][:1]
        for at, (id, _, _) in enumerate(claims)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The graders of this installation. Immutable; installing a plugin takes effect at the next start."""

    graders: Mapping[str, type[Grader]]
    """Id -> grader, sorted."""
    broken: tuple[Broken, ...]

    @classmethod
    def discover(cls, criteria: Collection[str], entry_points: Iterable[EntryPoint] | None = None) -> "Registry":
        """Import and check every installed grader, in this process; `service.plugins.installation` checks plugins in
        another.

        `criteria` are the rubric criteria that graders may give evidence for.
        Raises RegistryError if a built-in grader is broken, or if none is installed.
        """
        found = [
            (point, examined(point, criteria)) for point in (_installed() if entry_points is None else entry_points)
        ]
        left_out = [broken(point, each.file, each.reasons) for point, each in found if each.reasons]
        proper = [(point, each) for point, each in found if not each.reasons]
        graders: dict[str, type[Grader]] = {}
        for (point, each), reasons in zip(
            proper, rivalries([(each.grader.id, point, each.file) for point, each in proper]), strict=True
        ):
            if reasons:
                left_out.append(broken(point, each.file, reasons))
            else:
                graders[each.grader.id] = each.grader
        _require_own(graders, left_out)
        return cls(graders=dict(sorted(graders.items())), broken=tuple(sorted(left_out, key=str)))

    def build(self, id: str, options: Mapping[str, object]) -> Grader:
        """Return the grader with these options. Raises GraderChoiceError with the option and what was expected."""
        field = f'graders."{id}"'
        grader = self.graders.get(id)
        if grader is None:
            raise GraderChoiceError(field, self._known(id))
        types = option_types(grader)
        for name in options:
            if name not in types:
                known = ", ".join(sorted(types)) or "no option at all"
                raise GraderChoiceError(f"{field}.{name}", f"one of the options of this grader: {known}")
        values = {name: _option(value, types[name], f"{field}.{name}") for name, value in options.items()}
        try:
            return grader(**values)
        except (Exception, SystemExit, GeneratorExit) as error:
            # a check in __post_init__: options that only make sense in a range or together
            says = text_of(error) if isinstance(error, ValueError) else told(error)
            raise GraderChoiceError(field, f"options that the grader accepts ({says})") from error

    def for_task(self, task: Task) -> tuple[Grader, ...]:
        """Return every built-in grader, with the task's options if it sets some, and the plugins that the task names.

        In the order of their ids. Raises GraderChoiceError for a name or an option that there is not.
        """
        wanted = {id for id in self.graders if is_own(id)} | set(task.graders)
        return tuple(self.build(id, task.graders.get(id, {})) for id in sorted(wanted))

    def check(self, task: Task) -> None:
        """Raise what `for_task` raises."""
        self.for_task(task)

    def _known(self, id: str) -> str:
        known = f"a grader that is installed ({', '.join(self.graders)})"
        suspects = [each for each in self.broken if each.name == id.rpartition("/")[2]] or self.broken
        return known + "".join(f"; broken: {each}" for each in suspects)


def option_types(grader: type[Grader]) -> dict[str, Any]:
    """Return the grader's options and their types: `bool`, `int`, `float`, `str`, or `tuple[T, ...]` of one of
    these.
    """
    hints = get_type_hints(grader)
    return {field.name: hints[field.name] for field in fields(grader)}  # type: ignore[arg-type]


def refusals(grader: object, criteria: Collection[str] | None) -> list[str]:
    """Return why this is not a valid grader; empty if it is. If `criteria` is None, any criterion is accepted."""
    if not (isinstance(grader, type) and issubclass(grader, Grader)):
        return ["it is not a class derived from graders.interface.Grader"]
    if inspect.isabstract(grader):
        return ["it has no method `grade`"]
    reasons = _dataclass_refusals(grader)
    id, version, criterion = (getattr(grader, name, None) for name in ("id", "version", "criterion"))
    reasons += name_refusals(id, version, criterion, criteria)
    # A dataclass without a docstring gets its signature as one.
    if not (grader.__doc__ or "").strip() or str(grader.__doc__).startswith(f"{grader.__name__}("):
        reasons.append("it has no docstring; reviewers read it")
    return reasons + _example_refusals(getattr(grader, "examples", None))


def name_refusals(id: object, version: object, criterion: object, criteria: Collection[str] | None) -> list[str]:
    """Return why a grader cannot have these names; empty if it can. `criteria` as in `refusals`."""
    reasons = []
    if not isinstance(id, str) or not _ID.fullmatch(id):
        reasons.append(f"its id must be namespace/name in lower case, not {id!r}")
    if not isinstance(version, str) or not version:
        reasons.append(f"its version must be a text, not {version!r}")
    if not isinstance(criterion, str) or not criterion or (criteria is not None and criterion not in criteria):
        known = ", ".join(sorted(criteria)) if criteria is not None else "the id of a rubric's criterion"
        reasons.append(f"its criterion is {criterion!r}, which is not one of: {known}")
    return reasons


def _dataclass_refusals(grader: type[Grader]) -> list[str]:
    parameters = vars(grader).get("__dataclass_params__")
    if not is_dataclass(grader) or parameters is None or not parameters.frozen:
        return ["it is not a dataclass with frozen=True"]
    try:
        types = option_types(grader)
    except (NameError, TypeError) as error:
        return [f"the types of its options cannot be read: {error}"]
    reasons = []
    for field in fields(grader):
        if not field.init:
            reasons.append(f"its field {field.name} has init=False, so that no task can set it")
        elif _expected(types[field.name]) is None:
            reasons.append(f"its option {field.name} must be bool, int, float, str or tuple[one of these, ...]")
    try:
        grader()
    except (TypeError, ValueError) as error:
        reasons.append(f"it cannot be made without options, give each a default that it accepts: {error}")
    return reasons


def _example_refusals(examples: object) -> list[str]:
    if not isinstance(examples, tuple) or not examples or not all(isinstance(each, Example) for each in examples):
        return ["it has no examples: a tuple of graders.interface.Example, at least one"]
    if not all(isinstance(each.reports, tuple) and set(each.reports) <= set(_SIGNALS) for each in examples):
        names = ", ".join(kind.__name__ for kind in _SIGNALS)
        return [f"`reports` of an example must be a tuple of {names} (a raised Abstain is an Abstention)"]
    return []


def own_entry_points() -> list[EntryPoint]:
    """Return the entry points of the built-in graders: discovering only these imports no plugin."""
    return [point for point in _installed() if distribution_of(point) == OWN_DISTRIBUTION]


def plugin_entry_points() -> list[EntryPoint]:
    """Return the entry points of all plugins."""
    return [point for point in _installed() if distribution_of(point) != OWN_DISTRIBUTION]


def distribution_of(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "an unknown distribution"


def _installed() -> Iterable[EntryPoint]:
    return entry_points(group=GROUP)


def _place_of_failure(error: BaseException) -> str:
    """Return file and line of the plugin at which its import failed; empty if it was not found at all."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)[1:] if "importlib" not in frame.filename]
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else ""


def _file(grader: object, point: EntryPoint) -> str:
    try:
        return inspect.getfile(grader)  # type: ignore[arg-type]
    except TypeError:
        return point.value


def trespasses(id: str, distribution: str) -> list[str]:
    """Return why a plugin may not have this id: with a built-in grader's name it would run on every submission."""
    if is_own(id) == (distribution == OWN_DISTRIBUTION):
        return []
    return [f"the namespace {OWN_NAMESPACE} is for the graders of {OWN_DISTRIBUTION}, and for all of them"]


def _require_own(graders: Mapping[str, type[Grader]], broken: Iterable[Broken]) -> None:
    own = [each for each in broken if each.distribution == OWN_DISTRIBUTION]
    if own:
        raise RegistryError("built-in graders are broken: " + "; ".join(map(str, own)))
    if not any(map(is_own, graders)):
        raise RegistryError(
            f"no built-in grader is registered: install the distribution {OWN_DISTRIBUTION} (again) with ./assay"
        )


def _expected(kind: Any) -> str | None:
    """Return the values that a task may write for an option of this type, in words; None for any other type."""
    if get_origin(kind) is tuple:
        items = get_args(kind)
        if len(items) == 2 and items[1] is Ellipsis and items[0] in _PLAIN:
            return f"an array, each item {_PLAIN[items[0]]}"
        return None
    return _PLAIN.get(kind)


def _option(value: object, kind: Any, field: str) -> object:
    """Return a value from TOML or JSON as the option's type. A bool is not a number here; an integer is also a
    float.
    """
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise GraderChoiceError(field, f"{_expected(kind)}, not {value!r}")
        item = get_args(kind)[0]
        return tuple(_option(each, item, f"{field}.{index}") for index, each in enumerate(value))
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise GraderChoiceError(field, f"{_expected(kind)}, not {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        # A comparison with nan is never true, so nan as a limit would limit nothing.
        raise GraderChoiceError(field, f"a finite number, not {value}")
    return value
