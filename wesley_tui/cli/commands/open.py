"""``wesley [FILE...]``: the terminal application on a schema and a database."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from wesley_tui.cli import options, policed
from wesley_tui.cli.output import note

if TYPE_CHECKING:
    from wesley_tui.planner.policy import Policy
    from wesley_tui.services.options import PlanningOptions


@click.command("open", hidden=True)
@options.schema_paths
@options.database
@options.planning
@policed.policy
@click.option("--unsafe", is_flag=True, help="Let a person confirm steps of class H3 by typing their names.")
def command(schema: tuple[str, ...], conninfo: str, planning: PlanningOptions, policy: Policy, unsafe: bool) -> None:
    """Open SCHEMA in the terminal application."""
    open_application(schema, conninfo, planning, policy, unsafe=unsafe)


def open_application(
    schema: tuple[str, ...],
    conninfo: str,
    planning: PlanningOptions | None = None,
    policy: Policy | None = None,
    *,
    unsafe: bool,
) -> None:
    """Run the TUI until it is closed, then end the process with its status.

    Standard error may go to a file (``wesley 2>log``): the screen is drawn on standard output. Without a terminal at
    both ends that is a usage error which says what to call instead.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(
            "The terminal application needs a terminal. In scripts use `wesley plan`, `wesley apply`, `wesley status`."
        )
    if os.environ.get("WESLEY_DRIVER") == "stock" and not sys.stderr.isatty():
        raise click.UsageError(
            "WESLEY_DRIVER=stock draws the screen on standard error, which is not a terminal here: nothing would be "
            "seen. Unset WESLEY_DRIVER, or leave standard error alone. Nothing was opened."
        )
    from wesley_tui.services.sources import read_schema
    from wesley_tui.services.target import Target
    from wesley_tui.services.workbench import Workbench
    from wesley_tui.tui.app import WesleyApp, run_terminal

    sources = read_schema(schema)
    workbench = Workbench(Target(conninfo), planning, policy)
    application = WesleyApp(workbench, [(source.name, source.text) for source in sources], unsafe=unsafe)
    sys.exit(run_terminal(application, note))
