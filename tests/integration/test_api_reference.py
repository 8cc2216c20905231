"""The reference says what the code does: addresses, problems and settings."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from service.edge.problems import KINDS
from service.http.reference import render
from service.http.routes import api_app
from service.settings import Settings

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def rows(name: str) -> dict[str, list[str]]:
    """The rows of a page's only table by their first cell."""
    lines = [line for line in (REFERENCE / name).read_text().splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {first.strip("` "): rest for first, *rest in cells}


def test_the_page_of_the_api_is_current() -> None:
    assert (REFERENCE / "http-api.md").read_text() == render(api_app().openapi()), "python -m service.http.reference"


def test_every_problem_is_explained_with_its_status() -> None:
    assert {kind: int(row[0]) for kind, row in rows("problems.md").items()} == {
        kind: each.status for kind, each in KINDS.items()
    }


def test_every_setting_is_documented() -> None:
    documented = rows("settings.md")
    assert set(documented) == {f"ASSAY_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        assert field.description
        if field.default and field.default_factory is None:
            default = f"{field.default:g}" if isinstance(field.default, float) else str(field.default)
            assert documented[f"ASSAY_{name.upper()}"][0] == f"`{default}`"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    monkeypatch.setenv("ASSAY_PORT", "9000")
    settings = Settings()
    assert (settings.port, settings.storage_url) == (9000, f"sqlite:///{tmp_path}/assay.sqlite3")
    monkeypatch.setenv("ASSAY_PORT", "many")
    with pytest.raises(ValidationError, match="port"):
        Settings()


def test_every_error_in_the_api_is_described_as_a_problem() -> None:
    paths: dict[str, Any] = api_app().openapi()["paths"]
    for path, operations in paths.items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status.startswith(("4", "5")) and path != "/readyz":
                    assert "application/problem+json" in response["content"], (path, status)


def test_every_public_object_of_the_page_is_linked_to() -> None:
    text = (REFERENCE / "http-api.md").read_text()
    objects = set(re.findall(r"^## (\w+)$", text, re.MULTILINE))
    assert objects == set(re.findall(r"\[(\w+)\]\(#\w+\)", text)), "an object that nobody mentions, or a broken link"
