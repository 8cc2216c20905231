"""Discovery, refusal and options of graders, on distributions that each test writes to a folder of its own."""

import itertools
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from typing import Any

import pytest

from graders.interface import Grader, Limits, Task, TaskId
from graders.plugins.registry import GROUP, Broken, GraderChoiceError, Registry, RegistryError, option_types

CRITERIA = ("correctness", "best_practices")
_serial = itertools.count()

GOOD = '''
from dataclasses import dataclass
from graders.interface import Example, Finding, Grader

@dataclass(frozen=True)
class Sample(Grader):
    """What reviewers read."""
    id, version, criterion = "acme/sample", "1", "best_practices"
    examples = (Example("x = 1"),)
    allowed: int = 0
    share: float = 0.5
    strict: bool = False
    word: str = ""
    names: tuple[str, ...] = ()
    def grade(self, context):
        yield from ()
'''
OWN = GOOD.replace("acme/sample", "assay/sample")

Install = Callable[..., list[EntryPoint]]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install(distribution, source)`: its entry points, as importlib.metadata reads them from a dist-info folder."""
    loaded = set(sys.modules)

    def install(distribution: str, source: str, *, name: str = "sample", attribute: str = "Sample") -> list[EntryPoint]:
        number = next(_serial)
        module = f"registry_sample_{number}"
        folder = tmp_path / str(number)
        info = folder / f"{distribution.replace('-', '_')}-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {module}:{attribute}\n")
        (folder / f"{module}.py").write_text(source)
        monkeypatch.syspath_prepend(folder)
        return [point for found in distributions(path=[str(folder)]) for point in found.entry_points]

    yield install
    for module in set(sys.modules) - loaded:
        del sys.modules[module]


def task(graders: dict[str, dict[str, object]]) -> Task:
    return Task(
        id=TaskId("t"), version="1", title="", prompt="", language="python", entry_file="solution.py", suites=(),
        reference={}, limits=Limits(), graders=graders, rubric_id="default",
    )  # fmt: skip


def only_broken(registry: Registry) -> Broken:
    [broken] = registry.broken
    return broken


def test_a_plugin_is_found_and_built_with_options_of_every_type(install: Install) -> None:
    registry = Registry.discover(CRITERIA, install("assay", OWN) + install("acme-sample", GOOD))
    assert list(registry.graders) == ["acme/sample", "assay/sample"]
    assert registry.broken == ()
    grader: Any = registry.build(
        "acme/sample", {"allowed": 2, "share": 1, "strict": True, "word": "a", "names": ["b", "c"]}
    )
    assert (grader.allowed, grader.share, grader.strict, grader.word) == (2, 1.0, True, "a")
    assert grader.names == ("b", "c")
    assert type(grader.share) is float


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (GOOD.replace("acme/sample", "sample"), "namespace/name"),
        (GOOD.replace("acme/sample", "Acme/Sample"), "namespace/name"),
        (GOOD.replace("acme/sample", "assay/other"), "namespace assay/"),
        (GOOD.replace('    """What reviewers read."""\n', ""), "no docstring"),
        (GOOD.replace("What reviewers read.", "  "), "no docstring"),
        (GOOD.replace('(Example("x = 1"),)', "()"), "no examples"),
        (GOOD.replace('(Example("x = 1"),)', '("x = 1",)'), "no examples"),
        (GOOD.replace('"x = 1")', '"x = 1", reports=(int,))'), "`reports`"),
        (GOOD.replace("best_practices", "beauty"), "criterion is 'beauty', which is not one of: best_practices, corr"),
        (GOOD.replace("frozen=True", "frozen=False"), "frozen=True"),
        (GOOD.replace("@dataclass(frozen=True)\n", ""), "frozen=True"),
        (GOOD.replace("Sample(Grader)", "Sample"), "graders.interface.Grader"),
        (GOOD + "Sample = Sample()", "graders.interface.Grader"),
        (GOOD.replace("def grade", "def judge"), "no method `grade`"),
        (GOOD.replace('"1", "best', '1, "best'), "version"),
        (GOOD.replace("allowed: int = 0", "allowed: int"), "default"),
        (GOOD.replace("allowed: int = 0", "allowed: dict = None"), "option allowed"),
        (GOOD.replace("allowed: int = 0", "allowed: 'Unknown' = 0"), "types of its options"),
    ],
)
def test_what_is_no_proper_grader_is_refused_with_distribution_and_file(
    install: Install, source: str, reason: str
) -> None:
    registry = Registry.discover(CRITERIA, install("assay", OWN) + install("acme-sample", source))
    broken = only_broken(registry)
    assert list(registry.graders) == ["assay/sample"]
    assert broken.distribution == "acme-sample"
    assert ".py" in broken.file or "registry_sample" in broken.file
    assert reason in "; ".join(broken.reasons)


@pytest.mark.parametrize(
    "source", ["import no_such_module_anywhere", "def", "raise RuntimeError('at import')", "raise SystemExit(3)", ""]
)
def test_a_plugin_that_cannot_be_imported_is_listed_and_stops_nothing(install: Install, source: str) -> None:
    registry = Registry.discover(CRITERIA, install("assay", OWN) + install("acme-sample", source))
    broken = only_broken(registry)
    assert list(registry.graders) == ["assay/sample"]
    assert "importing it failed" in broken.reasons[0]
    assert "registry_sample" in broken.file


def test_a_failed_import_names_the_line_of_the_plugin(install: Install) -> None:
    registry = Registry.discover(CRITERIA, install("assay", OWN) + install("acme-sample", "x = 1\ny = x / 0\n"))
    assert only_broken(registry).file.endswith(".py, line 2")
    registry = Registry.discover(CRITERIA, install("assay", OWN) + install("acme-sample", "x = 1\ndef"))
    assert only_broken(registry).file.endswith(".py, line 2")


def test_all_plugins_that_share_an_id_are_refused_whatever_the_order(install: Install) -> None:
    points = install("assay", OWN) + install("acme-one", GOOD) + install("acme-two", GOOD)
    for order in (points, points[::-1]):
        registry = Registry.discover(CRITERIA, order)
        assert list(registry.graders) == ["assay/sample"]
        assert [each.distribution for each in registry.broken] == ["acme-one", "acme-two"]
        assert "acme-two" in str(registry.broken[0])


def test_a_plugin_cannot_take_the_place_of_a_built_in_grader(install: Install) -> None:
    points = install("acme-sample", OWN) + install("assay", OWN.replace("What reviewers", "The real one. Reviewers"))
    registry = Registry.discover(CRITERIA, points)
    assert "The real one" in (registry.graders["assay/sample"].__doc__ or "")
    assert only_broken(registry).distribution == "acme-sample"


@pytest.mark.parametrize("source", ["raise RuntimeError", OWN.replace("frozen=True", "frozen=False"), GOOD])
def test_a_broken_built_in_grader_stops_the_service(install: Install, source: str) -> None:
    points = install("assay", OWN) + install("assay", source)
    with pytest.raises(RegistryError, match=r"built-in graders are broken.*sample of assay"):
        Registry.discover(CRITERIA, points)


def test_an_installation_without_built_in_graders_stops_the_service(install: Install) -> None:
    with pytest.raises(RegistryError, match="no built-in grader"):
        Registry.discover(CRITERIA, install("acme-sample", GOOD))


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("allwoed", 1, "one of the options of this grader: allowed, names, share, strict, word"),
        ("allowed", "2", "an integer, not '2'"),
        ("allowed", True, "an integer, not True"),
        ("allowed", 2.0, "an integer, not 2.0"),
        ("share", "1", "a number"),
        ("share", False, "a number"),
        ("share", float("nan"), "a finite number, not nan"),
        ("share", float("-inf"), "a finite number, not -inf"),
        ("strict", 1, "true or false"),
        ("word", None, "a string"),
        ("names", "ab", "an array, each item a string"),
    ],
)
def test_a_wrong_option_is_named_with_what_was_expected(
    install: Install, option: str, value: object, expected: str
) -> None:
    registry = Registry.discover(CRITERIA, install("assay", OWN) + install("acme-sample", GOOD))
    with pytest.raises(GraderChoiceError) as raised:
        registry.build("acme/sample", {option: value})
    assert raised.value.field == f'graders."acme/sample".{option}'
    assert expected in raised.value.expected


def test_a_wrong_item_of_an_array_is_named_by_its_position(install: Install) -> None:
    registry = Registry.discover(CRITERIA, install("assay", OWN) + install("acme-sample", GOOD))
    with pytest.raises(GraderChoiceError) as raised:
        registry.build("acme/sample", {"names": ["a", 2]})
    assert raised.value.field == 'graders."acme/sample".names.1'


def test_a_value_that_the_grader_itself_refuses_is_the_tasks_error(install: Install) -> None:
    picky = f"""{GOOD}
    def __post_init__(self):
        if self.allowed < 0:
            raise ValueError("allowed is negative")
"""
    registry = Registry.discover(CRITERIA, install("assay", OWN) + install("acme-sample", picky))
    with pytest.raises(GraderChoiceError, match="allowed is negative"):
        registry.build("acme/sample", {"allowed": -1})


def test_a_task_gets_all_built_in_graders_and_the_plugins_that_it_names(install: Install) -> None:
    points = install("assay", OWN) + install("acme-sample", GOOD)
    registry = Registry.discover(CRITERIA, [*points, *install("other", GOOD.replace("acme/", "other/"))])
    plain = registry.for_task(task({}))
    assert [grader.id for grader in plain] == ["assay/sample"]
    chosen: Any = registry.for_task(task({"acme/sample": {"allowed": 3}, "assay/sample": {"word": "w"}}))
    assert [grader.id for grader in chosen] == ["acme/sample", "assay/sample"]
    assert (chosen[0].allowed, chosen[1].word) == (3, "w")


def test_a_task_that_needs_a_missing_plugin_is_refused_with_what_is_installed(install: Install) -> None:
    registry = Registry.discover(CRITERIA, install("assay", OWN))
    with pytest.raises(GraderChoiceError) as raised:
        registry.for_task(task({"acme/sample": {}}))
    assert raised.value.field == 'graders."acme/sample"'
    assert "assay/sample" in raised.value.expected


def test_a_task_that_needs_a_broken_plugin_is_told_why_it_is_broken(install: Install) -> None:
    registry = Registry.discover(
        CRITERIA, install("assay", OWN) + install("acme-sample", "raise RuntimeError('needs a license')")
    )
    with pytest.raises(GraderChoiceError, match="needs a license"):
        registry.for_task(task({"acme/sample": {}}))


def test_options_are_the_fields_and_nothing_else(install: Install) -> None:
    registry = Registry.discover(CRITERIA, install("assay", OWN))
    assert list(option_types(registry.graders["assay/sample"])) == ["allowed", "share", "strict", "word", "names"]
    assert issubclass(registry.graders["assay/sample"], Grader)
