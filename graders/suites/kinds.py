"""The kinds of suites that there are. A new one is a folder of its own and one line here."""

from collections.abc import Mapping

from graders.suites.call.kind import CallKind
from graders.suites.kind import SuiteKind
from graders.suites.stdio.kind import StdioKind
from graders.suites.tests.kind import ProgramKind, PropertyKind, PytestKind

KINDS: Mapping[str, SuiteKind] = {
    CallKind.name: CallKind(),
    StdioKind.name: StdioKind(),
    PytestKind.name: PytestKind(),
    PropertyKind.name: PropertyKind(),
    ProgramKind.name: ProgramKind(),
}
