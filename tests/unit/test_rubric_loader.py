"""The loader accepts right rubrics, and each refusal names the file, the line and what was expected."""

import hashlib
from pathlib import Path

import pytest

from rubrics.loader import RubricError, load
from rubrics.signals import Severity
from service.rubric_files import builtin_rubrics, load_file

SMALL = '''\
id = "small"
title = "Small"

[[criterion]]
id = "works"
title = "Works"
question = "Does it work?"
weight = 2
no_basis = """
Two lines that look like TOML:
[[criterion]]
weight = 7
"""

[[criterion.level]]
value = 0
title = "No"
anchor = "It does not."

[[criterion.level]]
value = 1
title = "Yes"
anchor = "It does."

[[criterion.rule]]
id = "passes"
level = 1
passed_at_least = 0.5
passed_below = 1
says = "Half passed."

[[criterion.rule]]
id = "dangerous"
level = 0
finding_at_least = "high"
confidence_at_least = "medium"
says = "A finding."

[[criterion]]
id = "clear"
title = "Clear"
question = "Is it clear?"
weight = 1
no_basis = "Read it."
decidable = true
hotkey = "c"

[[criterion.level]]
value = 0
title = "No"
anchor = "It is not clear."

[[criterion.level]]
value = 1
title = "Yes"
anchor = "It is clear."

[[criterion.rule]]
id = "large"
level = 0
measurement = "lines"
at_least = 10
below = 20
says = "It is long."
'''


def line_of(fragment: str, text: str = SMALL) -> int:
    return text[: text.index(fragment)].count("\n") + 1


def test_a_rubric_is_what_its_text_says() -> None:
    rubric = load(SMALL, name="small.toml")
    works, clear = rubric.criteria
    assert (rubric.id, rubric.version) == ("small", hashlib.sha256(SMALL.encode()).hexdigest()[:12])
    assert (works.weight, works.decidable, works.hotkey) == (2.0, False, "")
    assert (clear.weight, clear.decidable, clear.hotkey) == (1.0, True, "c")
    assert [(level.value, level.title, level.anchor) for level in works.levels] == [
        (0, "No", "It does not."),
        (1, "Yes", "It does."),
    ]
    assert (works.rules[0].passed_at_least, works.rules[0].passed_below) == (0.5, 1.0)
    assert (works.rules[1].finding_at_least, works.rules[1].confidence_at_least) == (Severity.HIGH, Severity.MEDIUM)
    assert (clear.rules[0].measurement, clear.rules[0].at_least, clear.rules[0].below) == ("lines", 10.0, 20.0)


def test_any_change_is_another_version() -> None:
    assert load(SMALL, name="a").version != load(SMALL + "# a remark\n", name="a").version


def test_the_builtin_rubrics_load_and_have_the_criteria_of_the_builtin_graders() -> None:
    rubric = builtin_rubrics()["default"]
    assert [criterion.id for criterion in rubric.criteria] == [
        "correctness",
        "efficiency",
        "security",
        "best_practices",
    ]
    assert all(len(criterion.levels) == 5 for criterion in rubric.criteria)
    assert [criterion.id for criterion in rubric.criteria if not criterion.rules] == ["efficiency"]


REFUSALS = {
    # old text, new text, the place of the message (a fragment of the changed text), field, expectation
    "broken TOML": ('title = "Works"', 'title = = "Works"', "title = =", "", "TOML"),
    "duplicate TOML key": ("weight = 1", "weight = 1\nweight = 2", 'weight = 2\nno_basis = "Read', "", "TOML"),
    "unknown key of the file": ('title = "Small"', 'title = "Small"\nauthor = "me"', "author", "author", "one of id"),
    "unknown key of a criterion": ("decidable =", "decideable =", "decideable", "criterion.1.decideable", "one of id"),
    "unknown key of a level": (
        'anchor = "It is clear."', 'anchor = "It is clear."\npoints = 3', "points", "criterion.1.level.1.points", "one of",
    ),
    "unknown key of a rule": ("at_least = 10", "atleast = 10", "atleast", "criterion.1.rule.0.atleast", "one of id"),
    "missing title": ('title = "Clear"\n', "", '[[criterion]]\nid = "clear"', "criterion.1.title", "it is missing"),
    "empty anchor": ('"It is clear."', '"  "', 'anchor = "  "', "criterion.1.level.1.anchor", "not empty"),
    "anchor of another type": ('"It is clear."', "3", "anchor = 3", "criterion.1.level.1.anchor", "text"),
    "duplicate criterion": ('id = "clear"', 'id = "works"', 'id = "works"\ntitle = "Clear"', "criterion.1.id", "taken"),
    "duplicate rule": ('id = "dangerous"', 'id = "passes"', 'id = "passes"\nlevel = 0', "criterion.0.rule.1.id", "taken"),
    "duplicate hotkey": (
        "weight = 2\n", 'weight = 2\nhotkey = "c"\n', 'hotkey = "c"\n\n[[criterion.level]]\nvalue = 0\ntitle = "No"\nanchor = "It is',
        "criterion.1.hotkey", "taken",
    ),
    "hotkey of the page": ('hotkey = "c"', 'hotkey = "j"', 'hotkey = "j"', "criterion.1.hotkey", "a letter"),
    "hotkey that is a level": ('hotkey = "c"', 'hotkey = "1"', 'hotkey = "1"', "criterion.1.hotkey", "a letter"),
    "reserved criterion": ('id = "clear"', 'id = "harm"', 'id = "harm"', "criterion.1.id", "not harm"),
    "reserved rule": ('id = "large"', 'id = "no-rule"', 'id = "no-rule"', "criterion.1.rule.0.id", "no-rule"),
    "gap in the levels": (
        'value = 1\ntitle = "Yes"\nanchor = "It is', 'value = 2\ntitle = "Yes"\nanchor = "It is', "value = 2",
        "criterion.1.level.1.value", "without a gap",
    ),
    "level that is a truth value": (
        'value = 1\ntitle = "Yes"\nanchor = "It is', 'value = true\ntitle = "Yes"\nanchor = "It is', "value = true",
        "criterion.1.level.1.value", "whole number",
    ),
    "negative weight": ("weight = 1", "weight = -1", "weight = -1", "criterion.1.weight", "from 0"),
    "weight that is no number": ("weight = 1", "weight = nan", "weight = nan", "criterion.1.weight", "finite"),
    "unknown level": ("level = 0\nmeas", "level = 2\nmeas", "level = 2", "criterion.1.rule.0.level", "0 to 1"),
    "grader without what it restricts": (
        "passed_at_least = 0.5", 'passed_at_least = 0.5\ngrader = "acme/x"', "grader", "criterion.0.rule.0.grader", "beside it",
    ),
    "share above 1": ("passed_at_least = 0.5", "passed_at_least = 50", "passed_at_least = 50", "criterion.0.rule.0.passed_at_least", "0 to 1"),
    "contradictory shares": ("passed_at_least = 0.5", "passed_at_least = 1", "passed_at_least = 1", "criterion.0.rule.0.passed_at_least", "never hold"),
    "contradictory bounds": ("at_least = 10", "at_least = 20", "at_least = 20", "criterion.1.rule.0.at_least", "never hold"),
    "share below nothing": (
        "passed_at_least = 0.5\npassed_below = 1", "passed_below = 0", "passed_below = 0", "criterion.0.rule.0.passed_below", "never hold",
    ),
    "no condition": (
        'measurement = "lines"\nat_least = 10\nbelow = 20\n', "", '[[criterion.rule]]\nid = "large"', "criterion.1.rule.0", "a condition",
    ),
    "measurement without a bound": ("at_least = 10\nbelow = 20\n", "", "measurement =", "criterion.1.rule.0.measurement", "at_least or below"),
    "bound without a measurement": (
        'confidence_at_least = "medium"', "at_least = 3", "at_least = 3", "criterion.0.rule.1.at_least", "measurement beside it",
    ),
    "confidence without a finding": (
        'finding_at_least = "high"\n', "passed_below = 0.5\n", 'confidence_at_least = "medium"', "criterion.0.rule.1.confidence_at_least", "finding_at_least",
    ),
    "unknown severity": ('finding_at_least = "high"', 'finding_at_least = "dire"', '"dire"', "criterion.0.rule.1.finding_at_least", "low, medium, high"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (SMALL + f"x = 1{'0' * 400}\n", "x: an integer has 64 bits"),
        ("a" + ".a" * 9 + " = 1\n" + SMALL, r"small\.toml, line 1: expected TOML \(a key may have 8 parts"),
        (SMALL + "#" * 65536, "TOML \\(it may have 64 KiB"),
    ],
)
def test_more_than_a_rubric_needs_is_not_read(text: str, why: str) -> None:
    with pytest.raises(RubricError, match=why):
        load(text, name="small.toml")


@pytest.mark.parametrize(("old", "new", "place", "field", "expected"), REFUSALS.values(), ids=REFUSALS)
def test_a_mistake_is_refused_with_its_place(old: str, new: str, place: str, field: str, expected: str) -> None:
    assert old in SMALL
    text = SMALL.replace(old, new, 1)
    with pytest.raises(RubricError) as refusal:
        load(text, name="small.toml")
    assert (refusal.value.field, refusal.value.line) == (field, line_of(place, text))
    assert expected in refusal.value.expected
    assert str(refusal.value).startswith(f"small.toml, line {line_of(place, text)}: ")


def test_a_rubric_in_which_nothing_counts_is_refused() -> None:
    with pytest.raises(RubricError, match="a weight above 0"):
        load(SMALL.replace("weight = 2", "weight = 0").replace("weight = 1", "weight = 0"), name="small.toml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", r"1 or more tables \[\[criterion\]\]"),
        ('id = "x"\ntitle = "X"\n', r"1 or more tables \[\[criterion\]\]"),
        ('id = "x"\ntitle = "X"\ncriterion = 3\n', r"\[\[criterion\]\]"),
        ('id = "x"\ntitle = "\ud800"\n', "TOML"),
        ("x = " + "[" * 20_000, "TOML"),
        ("x = " + "9" * 5_000, "TOML"),
    ],
    ids=["empty", "no criterion", "criterion is a number", "lone surrogate", "deeply nested", "huge number"],
)
def test_what_is_no_rubric_at_all_is_refused(text: str, expected: str) -> None:
    with pytest.raises(RubricError, match=expected):
        load(text, name="x.toml")


def test_inline_tables_are_refused_with_the_nearest_line_that_is_known() -> None:
    text = (
        'id = "x"\ntitle = "X"\n[[criterion]]\nid = "works"\ntitle = "W"\nquestion = "?"\nweight = 1\nno_basis = "-"\n'
        'level = [{value = 0, title = "No", anchor = "-"}, {value = 3, title = "Yes", anchor = "+"}]\n'
    )
    with pytest.raises(RubricError, match=r"x.toml, line 9: criterion.0.level.1.value: expected 1"):
        load(text, name="x.toml")


def test_a_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.toml"
    path.write_bytes(SMALL.replace("It is long.", "Das ist länger.").encode("latin-1"))
    with pytest.raises(RubricError, match=rf"latin.toml, line {line_of('It is long.')}: expected UTF-8"):
        load_file(path)
    path.write_text(SMALL, encoding="utf-8")
    assert load_file(path) == load(SMALL, name="latin.toml")
