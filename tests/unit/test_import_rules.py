"""What a running interpreter really imports: the contracts that reading the source cannot prove."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_TERMINAL_LIBRARIES = {"textual", "rich"}


def modules_after(code: str) -> set[str]:
    """Top-level names in ``sys.modules`` after ``code`` ran in a fresh interpreter."""
    script = f"import sys, json\n{code}\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    return set(json.loads(output.splitlines()[-1]))


def test_help_imports_click_and_little_else() -> None:
    loaded = modules_after(
        "from wesley_tui.cli.main import cli\n"
        "try:\n    cli(['--help'], standalone_mode=True)\nexcept SystemExit:\n    pass"
    )
    assert "click" in loaded
    assert not loaded & {*_TERMINAL_LIBRARIES, "psycopg", "graphql", "pglast", "cryptography", "asyncio"}


def test_plan_imports_neither_textual_nor_rich(tmp_path: Path, database: str) -> None:
    schema = tmp_path / "schema.graphql"
    schema.write_text("type Account @table { id: ID! @pk }\n")
    loaded = modules_after(
        "from wesley_tui.cli.main import cli\n"
        f"try:\n    cli(['plan', {str(schema)!r}, '--db', {database!r}], standalone_mode=True)\n"
        "except SystemExit as error:\n    assert not error.code, error.code"
    )
    assert {"psycopg", "pglast"} <= loaded
    assert not loaded & {*_TERMINAL_LIBRARIES, "graphql", "cryptography"}


@pytest.mark.parametrize(
    "room", ["catalog", "sdl", "diff", "planner", "lint", "executor", "rails", "demo", "services"], ids=str
)
def test_core_rooms_import_no_terminal_library(room: str) -> None:
    loaded = modules_after(
        "import importlib, pkgutil\n"
        f"package = importlib.import_module('wesley_tui.{room}')\n"
        "for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "    importlib.import_module(module.name)"
    )
    assert not loaded & {*_TERMINAL_LIBRARIES, "click"}
