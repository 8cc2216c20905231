from pathlib import Path

from service.web.pages import KEYS

GUIDE = Path(__file__).parents[2] / "docs" / "howto" / "review.md"


def test_every_key_is_in_the_annotators_guide() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    keys = {key for row, _meaning in KEYS for key in row.split()} - {"1", "2", "3"}  # "0 to 4"
    assert [key for key in sorted(keys) if f"`{key}`" not in guide] == []
