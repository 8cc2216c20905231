"""The examples of the integrity rules, and the paragraphs of docs/reference/integrity.md that state each rule.

python -m tests.integrity.page          writes these paragraphs again, from the rules
"""

import re
import textwrap
from pathlib import Path
from typing import Literal

from graders.boxed.analysis.integrity.rule import IntegrityRule
from graders.boxed.analysis.integrity.rules import RULES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "integrity.md"
SUBMISSIONS = Path(__file__).parent / "submissions"


def examples_of(kind: Literal["bad", "good"]) -> list[tuple[str, Path]]:
    """Return each rule's examples of this kind: the rule and a file."""
    return [(f"assay/{file.parent.name}", file) for file in sorted(SUBMISSIONS.glob(f"*/{kind}_*.py"))]


def statement(rule: IntegrityRule) -> str:
    """Return the paragraph of the page that states a rule, wrapped as prose is."""
    text = f"`{rule.id}`, severity {rule.severity}, confidence {rule.confidence}. {rule.says}"
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


def regenerated(page: str) -> str:
    """Return the page with the statement of each rule taken from the rule; everything else stays."""
    for rule in RULES.values():
        paragraph = re.compile(rf"^`{re.escape(rule.id)}`, severity .*(?:\n.+)*$", re.MULTILINE)
        page = paragraph.sub(lambda _, rule=rule: statement(rule), page)
    return page


if __name__ == "__main__":
    PAGE.write_text(regenerated(PAGE.read_text()))
