"""Which graders there are, and which of them look at a task's submissions.

Graders are found through one entry-point group, our own like everybody else's. What is not a proper grader is refused
here, once, with the distribution and the file in the message, so that the rest of the service can rely on the port.
A plugin that is refused or cannot be imported is kept as `Broken`, with the reason: it stops no service, and a task
that names it is refused with that reason. Broken built-in graders stop the service: it would grade nothing.

    RegistryError           a built-in grader is broken or missing
    GraderChoiceError       a task asks for a grader or an option that there is not; names the field
"""

import inspect
import math
import re
import traceback
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, get_args, get_origin, get_type_hints

from graders.fence import OWN_NAMESPACE, is_own, text_of, told
from graders.interface import Example, Grader, Signal, Task

GROUP = "assay.graders"
OWN_DISTRIBUTION = "assay"
_ID = re.compile(r"[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*")
_SIGNALS = get_args(Signal)
_PLAIN = {bool: "true or false", int: "an integer", float: "a number", str: "a string"}


class RegistryError(Exception):
    """A built-in grader is broken or missing: this installation cannot grade."""


class GraderChoiceError(ValueError):
    """A task asks for a grader or an option that there is not.

    Args:
        field: where in task.toml, as a path: `graders."acme/no-print".allowed`.
        expected: what should have been there.
    """

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A plugin that is installed and not usable."""

    name: str
    """Of its entry point; by convention the part of its id after the slash."""
    distribution: str
    file: str
    """Where to look: the file, or the entry point's value where no file was reached."""
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} of {self.distribution} ({self.file}): {'; '.join(self.reasons)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """An entry point that was imported; `grader` may be anything yet."""

    point: EntryPoint
    file: str
    grader: Any

    @property
    def distribution(self) -> str:
        return distribution_of(self.point)

    @property
    def place(self) -> str:
        return f"{self.point.name} of {self.distribution} ({self.file})"

    def broken(self, reasons: Iterable[str]) -> Broken:
        return Broken(name=self.point.name, distribution=self.distribution, file=self.file, reasons=tuple(reasons))


def nobody_listens(_: EntryPoint) -> None:
    """For who does not want to know whose code runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """The graders of this installation. Immutable; installing a plugin takes effect at the next start."""

    graders: Mapping[str, type[Grader]]
    """By id, sorted."""
    broken: tuple[Broken, ...]

    @classmethod
    def discover(
        cls,
        criteria: Collection[str],
        entry_points: Iterable[EntryPoint] | None = None,
        began: Callable[[EntryPoint], None] = nobody_listens,
    ) -> "Registry":
        """Import and check every installed grader, in this process: `service.plugins.installed` does it in another one.

        `criteria` are the rubric criteria that graders may give evidence for; `began` is told before code of a grader runs.
        Raises RegistryError where a built-in grader is broken, or none is installed.
        """
        found, broken = _import_all(_installed() if entry_points is None else entry_points, began)
        proper: list[_Found] = []
        for each in found:
            began(each.point)
            reasons = _checked(each, criteria)
            if reasons:
                broken.append(each.broken(reasons))
            else:
                proper.append(each)
        graders: dict[str, type[Grader]] = {}
        for each in proper:
            rivals = [other for other in proper if other.grader.id == each.grader.id and other is not each]
            if rivals:
                # All who claim an id lose it, so that the order of installation decides nothing.
                broken.append(each.broken([f"its id {each.grader.id} is also that of {rivals[0].place}"]))
            else:
                graders[each.grader.id] = each.grader
        _require_own(graders, broken)
        return cls(graders=dict(sorted(graders.items())), broken=tuple(sorted(broken, key=str)))

    def build(self, id: str, options: Mapping[str, object]) -> Grader:
        """The grader with these options. Raises GraderChoiceError naming the option and what was expected."""
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
        """Every built-in grader, with the task's options where it sets some, and the plugins that the task names.

        In the order of their ids. Raises GraderChoiceError for a name or an option that there is not.
        """
        wanted = {id for id in self.graders if is_own(id)} | set(task.graders)
        return tuple(self.build(id, task.graders.get(id, {})) for id in sorted(wanted))

    def check(self, task: Task) -> None:
        """Raises what `for_task` raises."""
        self.for_task(task)

    def _known(self, id: str) -> str:
        known = f"a grader that is installed ({', '.join(self.graders)})"
        suspects = [each for each in self.broken if each.name == id.rpartition("/")[2]] or self.broken
        return known + "".join(f"; broken: {each}" for each in suspects)


def _checked(found: _Found, criteria: Collection[str]) -> list[str]:
    """Why it is left out. Checking runs code of the plugin, which may do anything."""
    try:
        return refusals(found.grader, criteria) or _trespasses(found)
    except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - grader fence
        return [f"checking it failed: {told(error)}"]


def option_types(grader: type[Grader]) -> dict[str, Any]:
    """The grader's options and their types: `bool`, `int`, `float`, `str`, or `tuple[T, ...]` of one of these."""
    hints = get_type_hints(grader)
    return {field.name: hints[field.name] for field in fields(grader)}  # type: ignore[arg-type]


def refusals(grader: object, criteria: Collection[str] | None) -> list[str]:
    """Why this is no proper grader; empty where it is. `criteria` None leaves the criterion to the installation."""
    if not (isinstance(grader, type) and issubclass(grader, Grader)):
        return ["it is not a class derived from graders.interface.Grader"]
    if inspect.isabstract(grader):
        return ["it has no method `grade`"]
    reasons = _dataclass_refusals(grader)
    if not _ID.fullmatch(str(getattr(grader, "id", ""))):
        reasons.append(f"its id must be namespace/name in lower case, not {getattr(grader, 'id', None)!r}")
    version = getattr(grader, "version", None)
    if not isinstance(version, str) or not version:
        reasons.append(f"its version must be a text, not {version!r}")
    criterion = getattr(grader, "criterion", None)
    if not isinstance(criterion, str) or not criterion or (criteria is not None and criterion not in criteria):
        known = ", ".join(sorted(criteria)) if criteria is not None else "the id of a rubric's criterion"
        reasons.append(f"its criterion is {criterion!r}, which is not one of: {known}")
    # Without a docstring of its own, a dataclass is given its signature for one.
    if not (grader.__doc__ or "").strip() or str(grader.__doc__).startswith(f"{grader.__name__}("):
        reasons.append("it has no docstring; reviewers read it")
    return reasons + _example_refusals(getattr(grader, "examples", None))


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
    """Those of the built-in graders: discovering these alone imports no plugin."""
    return [point for point in _installed() if distribution_of(point) == OWN_DISTRIBUTION]


def plugin_entry_points() -> list[EntryPoint]:
    """All others."""
    return [point for point in _installed() if distribution_of(point) != OWN_DISTRIBUTION]


def distribution_of(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "an unknown distribution"


def _installed() -> Iterable[EntryPoint]:
    return entry_points(group=GROUP)


def _import_all(points: Iterable[EntryPoint], began: Callable[[EntryPoint], None]) -> tuple[list[_Found], list[Broken]]:
    found: list[_Found] = []
    broken: list[Broken] = []
    for point in points:
        began(point)
        try:
            grader = point.load()
        except (Exception, SystemExit, GeneratorExit) as error:  # noqa: BLE001 - grader fence: its import may do anything
            file = _place_of_failure(error) or point.value
            reason = f"importing it failed: {told(error)}"
            broken.append(_Found(point=point, file=file, grader=None).broken([reason]))
        else:
            found.append(_Found(point=point, file=_file(grader, point), grader=grader))
    return found, broken


def _place_of_failure(error: BaseException) -> str:
    """File and line of the plugin where its import failed; empty where it was not even found."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__)[1:] if "importlib" not in frame.filename]
    return f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else ""


def _file(grader: object, point: EntryPoint) -> str:
    try:
        return inspect.getfile(grader)  # type: ignore[arg-type]
    except TypeError:
        return point.value


def _trespasses(found: _Found) -> list[str]:
    """A plugin may not take the name of a built-in grader: it would run on every submission, or shadow the real one."""
    if is_own(found.grader.id) == (found.distribution == OWN_DISTRIBUTION):
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
    """What a task may write for an option of this type, in words; None for a type that options cannot have."""
    if get_origin(kind) is tuple:
        items = get_args(kind)
        if len(items) == 2 and items[1] is Ellipsis and items[0] in _PLAIN:
            return f"an array, each item {_PLAIN[items[0]]}"
        return None
    return _PLAIN.get(kind)


def _option(value: object, kind: Any, field: str) -> object:
    """A value from TOML or JSON as the option's type. A bool is no number here, and an integer is a float too."""
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
        # A comparison with nan is never true, so a bound that is nan would be no bound.
        raise GraderChoiceError(field, f"a finite number, not {value}")
    return value
