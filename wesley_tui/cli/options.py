"""Options that several commands share, so that they are spelled and explained the same everywhere."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import click

_F = TypeVar("_F", bound=Callable[..., Any])


def database(command: _F) -> _F:
    return click.option(
        "--db", "conninfo", default="", metavar="URI", help="libpq URI or conninfo; default: the PG* environment."
    )(command)


def as_json(command: _F) -> _F:
    return click.option("--json", "as_json", is_flag=True, help="The result as JSON on stdout.")(command)


_SCOPE = (
    click.option(
        "--ignore",
        multiple=True,
        metavar="PATTERN",
        help="Leave objects out of the comparison (repeatable): public.legacy_*, view:*.",
    ),
    click.option(
        "--ignore-from",
        "ignore_files",
        multiple=True,
        metavar="FILE",
        help="Patterns to ignore from a file, one a line; # begins a comment, ! takes back what lines before it said.",
    ),
    click.option(
        "--only",
        multiple=True,
        metavar="PATTERN",
        help="Look at these objects and nothing else (repeatable): app.*, table:public.user*.",
    ),
)


def scoped(command: _F) -> _F:
    """What of a database is looked at; the command takes it as one argument, ``ignore``: patterns."""

    @functools.wraps(command)
    def with_options(*arguments: Any, **values: Any) -> Any:
        ignore = scope(values.pop("ignore_files"), values.pop("ignore"), values.pop("only"))
        return command(*arguments, ignore=ignore, **values)

    wrapped = cast(_F, with_options)
    for option in _SCOPE:
        wrapped = option(wrapped)
    return wrapped


def scope(files: Sequence[str], ignore: Sequence[str], only: Sequence[str]) -> tuple[str, ...]:
    """The patterns of :mod:`wesley_tui.diff.ignoring` for ``--only``, ``--ignore-from`` and ``--ignore``, which speak
    in this order: what is ignored is ignored among the objects that alone are looked at."""
    patterns = ["*", *(f"!{pattern}" for pattern in only)] if only else []
    for name in files:
        from wesley_tui.services.sources import read_bytes

        lines = read_bytes(Path(name)).decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
        patterns += [text for line in lines if (text := line.strip()) and not text.startswith("#")]
    return (*patterns, *ignore)


def planning(command: _F) -> _F:
    """What shapes a plan. The command takes the values as one argument, ``planning``: the ``PlanningOptions``."""

    @functools.wraps(command)
    def with_options(*arguments: Any, **values: Any) -> Any:
        from wesley_tui.services.options import PlanningOptions

        values["ignore"] = scope(values.pop("ignore_files"), values.pop("ignore"), values.pop("only"))
        chosen = {name: values.pop(name) for name in PlanningOptions.__slots__}
        return command(*arguments, planning=PlanningOptions(**chosen), **values)

    wrapped = cast(_F, with_options)
    for option in (
        click.option(
            "--calibrate",
            is_flag=True,
            help="Read up to 64 MB and sort a little, to know how fast the server is where it has no history.",
        ),
        click.option(
            "--accept-rename",
            "accept_renames",
            multiple=True,
            metavar="OLD=NEW",
            help="Answer a rename question with yes (repeatable): public.old=new, column:public.t.old=new.",
        ),
        *_SCOPE,
        click.option(
            "--schema",
            "schemas",
            multiple=True,
            metavar="NAME",
            help="Apply what is declared in public to this schema instead (repeatable); tenant_* means all that match.",
        ),
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
        wrapped = option(wrapped)
    return wrapped


def window(command: _F) -> _F:
    """``--window``, ``--window-for``: when steps of some waves may begin."""
    for option in (
        click.option(
            "--window-for",
            default="VALIDATE,CONTRACT",
            show_default=True,
            metavar="WAVES",
            help="The waves that wait for it, with commas.",
        ),
        click.option("--window", default="", help="When they may begin: 'Sun 02:00-05:00 Europe/Berlin'."),
    ):
        command = option(command)
    return command


def detach(command: _F) -> _F:
    return click.option("--detach", is_flag=True, help="Go on without this terminal; what is said goes to a file.")(
        command
    )


def window_knobs(window: str, window_for: str) -> dict[str, str]:
    """What both options mean to the executor; a usage error when it is no window."""
    from wesley_tui.executor.governor import Knobs

    knobs = {"window": window, "window_waves": window_for} if window else {}
    try:
        Knobs().changed(knobs)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error
    return knobs


def schema_paths(command: _F) -> _F:
    return click.argument("schema", nargs=-1, required=True, metavar="SCHEMA...")(command)
