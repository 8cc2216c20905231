"""Fixtures of all tests: the real sandbox, made once."""

import pytest

from sandboxes.interface import Sandbox
from service.host import prepare


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    """A real ContainerSandbox. Where there is no engine and none can be had, this fails: it never skips."""
    return prepare(lambda line: print(f"assay: {line}"))
