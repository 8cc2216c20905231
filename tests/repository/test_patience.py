"""No test gives an honest answer only the five seconds of a library's default: a busy host may need more."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

TESTS = Path(__file__).parents[1]
OPENS = {"Client", "AsyncClient", "get", "post", "put", "request", "stream", "delete"}
"""The functions of httpx2 that use a network, with a default time-out of their own."""


def impatient(source: str) -> Iterator[int]:
    """The lines on which something is asked over HTTP without a time-out."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="httpx2"), attr=name), keywords=given) if name in OPENS:
                if "timeout" not in {keyword.arg for keyword in given}:
                    yield node.lineno


def test_every_request_of_a_test_says_how_long_it_waits() -> None:
    found = [
        f"{path.name}:{line}"
        for path in TESTS.rglob("*.py")
        if "submissions" not in path.parts
        for line in impatient(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize("source", ["httpx2.get('/')", "with httpx2.Client(base_url='x') as c: pass"])
def test_one_that_does_not_is_found(source: str) -> None:
    assert list(impatient(f"import httpx2\n{source}\n")) == [2]


def test_an_expectation_of_a_page_waits_as_long() -> None:
    from tests.browser.conftest import PATIENCE_MILLISECONDS

    assert expect._timeout == PATIENCE_MILLISECONDS > 5_000
