"""A suite of tests as its runner reads it: of kind `pytest`, `property` or `program`. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from graders.interface import Suite
from graders.suites import fields
from graders.suites.options import OptionTable, options_of

TEST_SECONDS = 10.0
"""The time of a test. It counts wall time, and is longer for a test that is kept from computing (Conversation.ask)."""
SEED = 0
"""The seed of properties."""
MOST_EXAMPLES = 100_000
MOST_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyOptions:
    """The options of a `property` suite alone."""

    seed: int
    max_examples: int | None
    """None for as many as Hypothesis tries."""
    shares_values: bool
    """True if a submission can change the values that a test holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramOptions:
    """The options of a `program` suite alone."""

    entry_point: str | None
    """The function that `check(candidate)` is called with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteOfTests:
    """The options of a suite of tests, and its files."""

    id: str
    files: Mapping[str, str]
    is_shared: bool
    """True if the submission runs in one box with its tests, and only there."""
    own_equality: bool
    """True if the submission's own `__eq__` decides, even apart from its tests."""
    seconds: float
    properties: PropertyOptions | None = None
    program: ProgramOptions | None = None

    @property
    def shows_reference(self) -> bool:
        """True if properties can call the reference. A submission that shares its box could return its answers."""
        return self.properties is not None and not self.is_shared

    @property
    def seed(self) -> int:
        return SEED if self.properties is None else self.properties.seed

    @property
    def integrity(self) -> str:
        """`reduced` if a submission could have written its own verdict."""
        return "reduced" if self.is_shared or self.own_equality else "full"


def pytest_suite(suite: Suite) -> SuiteOfTests:
    """Read a suite of kind `pytest`. Raise PackageError if its options do not fit."""
    with options_of(suite) as table:
        return _read(suite, table)


def property_suite(suite: Suite) -> SuiteOfTests:
    """Read a suite of kind `property`. Raise PackageError if its options do not fit."""
    with options_of(suite) as table:
        properties = PropertyOptions(
            seed=table.whole("seed", 0, MOST_SEED, SEED),
            max_examples=table.whole("max_examples", 1, MOST_EXAMPLES, None),
            shares_values=table.flag("shares_values"),
        )
        return _read(suite, table, properties=properties)


def program_suite(suite: Suite) -> SuiteOfTests:
    """Read a suite of kind `program`. Raise PackageError if its options do not fit."""
    with options_of(suite) as table:
        program = ProgramOptions(entry_point=table.optional("entry_point", fields.function_name, None))
        return _read(suite, table, program=program)


def _read(
    suite: Suite,
    table: OptionTable,
    *,
    properties: PropertyOptions | None = None,
    program: ProgramOptions | None = None,
) -> SuiteOfTests:
    is_shared = table.one_of("isolation", ("two-process", "shared"), "two-process") == "shared"
    own_equality = table.one_of("equality", ("state", "own"), "state") == "own"
    if is_shared and table.has("equality"):
        raise table.wrong("equality", 'nothing with isolation = "shared": objects compare themselves there')
    return SuiteOfTests(
        id=suite.id,
        files=suite.files,
        is_shared=is_shared,
        own_equality=own_equality,
        seconds=table.seconds(TEST_SECONDS),
        properties=properties,
        program=program,
    )
