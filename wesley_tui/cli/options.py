"""Options that several commands share, so that they are spelled and explained the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])


def database(command: _F) -> _F:
    return click.option(
        "--db", "conninfo", default="", metavar="URI", help="libpq URI or conninfo; default: the PG* environment."
    )(command)


def as_json(command: _F) -> _F:
    return click.option("--json", "as_json", is_flag=True, help="The result as JSON on stdout.")(command)


def planning(command: _F) -> _F:
    """``--profile``, ``--purge``, ``--adopt-all``: what shapes a plan."""
    for option in (
        click.option(
            "--adopt-all", is_flag=True, help="Treat what the schema does not name as to be dropped (in CONTRACT)."
        ),
        click.option("--purge", is_flag=True, help="Drop for good instead of retiring."),
        click.option(
            "--profile",
            type=click.Choice(["production", "chaos"]),
            default="production",
            show_default=True,
            help="Timeouts and what is allowed.",
        ),
    ):
        command = option(command)
    return command


def schema_paths(command: _F) -> _F:
    return click.argument("schema", nargs=-1, required=True, metavar="SCHEMA...")(command)
