"""docs/reference/cli.md has every command and option of the program, and none that does not exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from service.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text()
SECTIONS = {
    title: text
    for title, _, text in (part.partition("\n") for part in re.split(r"^## assay ", PAGE, flags=re.MULTILINE)[1:])
}
PROGRAM = typer.main.get_command(app)


def commands(group: Any, before: str = "") -> dict[str, Any]:
    """Every command by what is typed for it: `verify`, `tasks import`."""
    found = {}
    for name, command in group.commands.items():
        found |= commands(command, f"{before}{name} ") if hasattr(command, "commands") else {f"{before}{name}": command}
    return found


COMMANDS = commands(PROGRAM)


def test_each_command_has_a_section() -> None:
    assert SECTIONS.keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_each_argument_and_option_is_in_the_section_of_its_command(name: str) -> None:
    taken = set()
    for parameter in COMMANDS[name].params:
        taken.add(f"`{parameter.name.upper() if parameter.param_type_name == 'argument' else parameter.opts[0]}`")
    documented = set(re.findall(r"^\| (`[^`]+`) \|", SECTIONS[name], flags=re.MULTILINE))
    assert documented == taken


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself_with_an_example(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    assert f"assay {name}" in command.epilog
    for parameter in command.params:
        assert parameter.help, parameter.name


def test_help_and_version() -> None:
    for options in (["--help"], ["-h"], []):
        shown = CliRunner().invoke(app, options, prog_name="assay").output
        assert all(name.split()[0] in shown for name in COMMANDS)
    shown = CliRunner().invoke(app, ["tasks", "-h"], prog_name="assay").output
    assert all(name in shown for name in ("import", "init", "store"))
    assert re.fullmatch(r"assay \d+\.\d+\.\d+\n", CliRunner().invoke(app, ["--version"]).stdout)


def test_a_misspelt_option_is_a_mistake() -> None:
    result = CliRunner().invoke(app, ["eval", "--sample", "x"])
    assert result.exit_code == 2
    assert "--sample" in result.stderr
