"""The documents show commands that exist, and docs/cli.md shows all of them, with all their options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from wesley_tui.cli.exit_codes import ExitCode
from wesley_tui.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CLI_PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
_FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MAKE_TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)


def shown_commands() -> Iterator[tuple[str, list[str]]]:
    """(page, words) of every command line in a fenced ``sh`` block."""
    for page in PAGES:
        for block in _FENCE.findall(page.read_text(encoding="utf-8")):
            for line in block.splitlines():
                if line.strip() and not line.startswith("#"):
                    yield page.name, shlex.split(line)


def command_named(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def options_of(command: click.Command) -> set[str]:
    return {
        spelling
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for spelling in parameter.opts
    }


def section_of(name: str) -> str:
    start = CLI_PAGE.index(f"\n## wesley {name}\n")
    end = CLI_PAGE.find("\n## ", start + 1)
    return CLI_PAGE[start : end if end > 0 else len(CLI_PAGE)]


def test_shown_commands_exist() -> None:
    targets = set(_MAKE_TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    seen = 0
    for page, words in shown_commands():
        seen += 1
        where = f"{page}: {shlex.join(words)}"
        if words[0] == "make":
            assert set(words[1:]) <= targets, where
            continue
        assert words[0] == "wesley", f"{where}: what is this program?"
        if words[1].endswith(".graphql"):
            assert {word for word in words[2:] if word.startswith("-")} <= {"--db"}, where
            continue
        assert words[1] in COMMANDS, where
        used = {word.split("=", 1)[0] for word in words[2:] if word.startswith("-")}
        assert used <= options_of(command_named(words[1])), where
    assert seen > 20, "the pattern finds no commands any more"


def test_shown_commands_parse() -> None:
    for page, words in shown_commands():
        if words[0] == "wesley" and words[1] in COMMANDS:
            try:
                command_named(words[1]).make_context(words[1], words[2:])
            except click.ClickException as error:
                pytest.fail(f"{page}: {shlex.join(words)}: {error.format_message()}")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_all_its_options(name: str) -> None:
    rows = re.findall(r"^\| (`-.*?) \|", section_of(name), re.MULTILINE)
    documented = set(re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", " ".join(rows)))
    assert documented == options_of(command_named(name))


def test_no_command_is_documented_that_does_not_exist() -> None:
    assert set(re.findall(r"^## wesley (\S+)$", CLI_PAGE, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("page", ["README.md", "docs/cli.md"])
def test_exit_codes_are_documented(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for code in ExitCode:
        word = code.name.lower().replace("_", " ")
        assert re.search(rf"\| {int(code)} \| (\*\*)?{word}", text), f"{page}: {int(code)} {word}"


def test_json_is_everywhere() -> None:
    missing = [name for name in COMMANDS if "--json" not in options_of(command_named(name))]
    assert not missing
