"""Any text is a rubric or a refusal, and what is a rubric keeps what the rest relies on."""

from importlib.resources import files

from hypothesis import given
from hypothesis import strategies as st

from rubrics.loader import MOST_LEVELS, RubricError, load

DEFAULT = (files("rubrics") / "builtin" / "default.toml").read_text(encoding="utf-8")
LINES = DEFAULT.split("\n")

values = st.sampled_from(
    [
        "-1",
        "0",
        "1",
        "7",
        "0.5",
        "nan",
        "-inf",
        "true",
        '""',
        '"high"',
        '"c"',
        "[]",
        "[[]]",
        "{}",
        "1979-05-27",
        "'''x'''",
    ]
)
keys = st.sampled_from(
    [
        "id",
        "title",
        "weight",
        "value",
        "level",
        "hotkey",
        "passed_below",
        "at_least",
        "measurement",
        "finding_at_least",
        "x",
    ]
)
headers = st.sampled_from(["[[criterion]]", "[[criterion.level]]", "[[criterion.rule]]", "[criterion]", "[[x]]", '"""'])
a_line = headers | st.builds("{} = {}".format, keys, values) | st.text(max_size=20)


def check(text: str) -> None:
    try:
        rubric = load(text, name="any.toml")
    except RubricError as refusal:
        assert str(refusal).startswith("any.toml")
        assert refusal.line is None or 1 <= refusal.line <= text.count("\n") + 1
        return
    ids = [criterion.id for criterion in rubric.criteria]
    assert len(set(ids)) == len(ids) > 0
    assert sum(criterion.weight for criterion in rubric.criteria) > 0
    for criterion in rubric.criteria:
        values = [level.value for level in criterion.levels]
        assert values == list(range(len(values)))
        assert 2 <= len(values) <= MOST_LEVELS
        assert all(level.anchor and level.title for level in criterion.levels)
        assert all(rule.level in values for rule in criterion.rules)


@given(st.text())
def test_any_text(text: str) -> None:
    check(text)


@given(st.integers(0, len(LINES) - 1), st.integers(0, 3), st.lists(a_line, max_size=3))
def test_the_builtin_rubric_with_some_lines_replaced(start: int, removed: int, added: list[str]) -> None:
    check("\n".join([*LINES[:start], *added, *LINES[start + removed :]]))
