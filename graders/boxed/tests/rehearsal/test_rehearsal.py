"""Tests that resemble hidden tests, for pytest's rehearsal (warm_up.py). Three of them fail, to warm up reports of
failures.
"""

import pytest


def double(number: int) -> int:
    return 2 * number


@pytest.fixture
def three() -> int:
    return 3


@pytest.fixture(scope="module")
def words() -> list[str]:
    return ["a", "b"]


def test_returns() -> None:
    assert double(2) == 4


def test_lists() -> None:
    assert [double(number) for number in (1, 2)] == [2, 4]
    assert double(1) in (1, 2)


@pytest.mark.parametrize(("given", "wanted"), [(1, 2), (2, 4), (3, 6)])
def test_table(given: int, wanted: int) -> None:
    assert double(given) == wanted


def test_fixtures(three: int, words: list[str]) -> None:
    assert double(three) == 6
    assert words


def test_raises() -> None:
    with pytest.raises(TypeError):
        double(None)  # type: ignore[arg-type]


def test_prints(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pytest, "rehearsed", 1, raising=False)
    print("a")  # noqa: T201 - that is what is tested
    assert capsys.readouterr().out == "a\n"


class TestClass:
    def test_method(self) -> None:
        assert double(0) == 0


@pytest.mark.skip
def test_skipped() -> None:
    pass


def test_wrong_number() -> None:
    assert double(1) == 3


def test_wrong_list() -> None:
    assert [double(number) for number in (1, 2)] == [2, 5]


def test_crashes() -> None:
    double({})  # type: ignore[arg-type]
