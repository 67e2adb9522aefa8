"""``wesley rollback``: take back what a run has done, as a plan that is shown first."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from wesley_tui.cli import options
from wesley_tui.cli.output import note
from wesley_tui.cli.run_report import finish, print_event

if TYPE_CHECKING:
    from wesley_tui.services.rollback import Undo


@click.command("rollback", short_help="Take back what a run has done.")
@options.database
@click.option("--run", "run_id", type=int, metavar="ID", help="Which run; default: the last one.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--unsafe", is_flag=True, help="Allow undo steps of class H3, confirming all of them.")
@options.as_json
def command(conninfo: str, run_id: int | None, yes: bool, unsafe: bool, as_json: bool) -> None:
    """Show the undo plan of a run, last step first, with what it loses and what stays; then execute it."""
    from wesley_tui.services.rollback import roll_back, undo_of
    from wesley_tui.services.target import Target

    target = Target(conninfo)
    target.parameters()
    undo = undo_of(target, run_id)
    note(undo.text())
    if not yes:
        _ask(undo, target.label)
    finish(roll_back(target, undo, unsafe=unsafe, say=note, listen=print_event), as_json=as_json)


def _ask(undo: Undo, label: str) -> None:
    if not any(undo.plan.steps):
        return
    if not sys.stdin.isatty():
        raise click.UsageError("rollback changes the database: say --yes, or run it at a terminal to be asked.")
    answer = click.prompt(f"Type 'rollback' to take back run {undo.run_id} on {label}", err=True, default="")
    if answer.strip() != "rollback":
        raise click.Abort
