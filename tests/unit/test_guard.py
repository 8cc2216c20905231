"""Bodies are counted before they are parsed; every route that asks who is there asks before it reads."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st

from service.edge import access
from service.edge.guard import Guarded
from service.http.routes import api_app
from service.reading.body import has_more_values
from service.web import pages


def routes() -> list[APIRoute]:
    app = api_app()
    app.include_router(pages.router)
    return list(below(app.routes))


def below(found: Iterable[Any]) -> Iterator[APIRoute]:
    """FastAPI keeps what is included as the router that it was, or, in older releases, its routes."""
    for route in found:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from below(getattr(getattr(route, "original_router", None), "routes", ()))


def asks_who(route: APIRoute) -> bool:
    return any(isinstance(each.call, access.Required) for each in route.dependant.dependencies)


def test_a_route_that_takes_a_body_or_asks_who_is_there_is_guarded() -> None:
    assert len(routes()) > 20
    for route in routes():
        assert isinstance(route, Guarded) or not (route.body_field or asks_who(route)), route.path
        assert asks_who(route) or not route.body_field, f"{route.path} takes a body of anybody"


def counted(value: Any) -> int:
    """Strings, lists, objects and separators in a JSON value without empty lists' commas, one by one."""
    match value:
        case str():
            return 1
        case list():
            return 1 + max(0, len(value) - 1) + sum(map(counted, value))
        case dict():
            return 1 + max(0, len(value) - 1) + len(value) + sum(map(counted, value.values()))
    return 0


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.text(alphabet='"\\[]{},:n', max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(alphabet='a"\\[,', max_size=4), inner, max_size=4)
    ),
    max_leaves=30,
)


@given(value=VALUES, ascii=st.booleans())
def test_values_are_counted_whatever_the_strings_hold(value: Any, ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii).encode("utf-8", "surrogatepass")
    exactly = counted(value)
    assert not has_more_values(text, exactly)
    assert exactly == 0 or has_more_values(text, exactly - 1)


@pytest.mark.parametrize("window", [2, 3, 7])
@given(value=VALUES)
def test_where_a_look_ends_makes_no_difference(window: int, value: Any) -> None:
    text = json.dumps(value).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.reading.body._WINDOW", window)
        assert not has_more_values(text, counted(value))
        assert counted(value) == 0 or has_more_values(text, counted(value) - 1)


@given(
    text=st.binary(max_size=200) | st.text(alphabet='"\\[]{}, ', max_size=50).map(str.encode), most=st.integers(0, 5)
)
def test_whatever_comes_is_counted(text: bytes, most: int) -> None:
    assert has_more_values(text, most) in (True, False)


@pytest.mark.parametrize("text", [b'{"a": "' + b"\\" * 100_001, b'{"a": "' + b"\\" * 100_000, b'"' + b"x" * 1_000_000])
def test_a_string_without_an_end_is_over_with_the_text(text: bytes) -> None:
    assert not has_more_values(text, 10)
