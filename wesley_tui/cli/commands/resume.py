"""``wesley resume``: go on where a failed, killed or paused run stopped."""

from __future__ import annotations

import click

from wesley_tui.cli import options
from wesley_tui.cli.run_report import finish, print_event


@click.command("resume", short_help="Go on with a run that failed or was killed.")
@options.database
@click.option("--run", "run_id", type=int, metavar="ID", help="Which run; default: the last unfinished one.")
@click.option("--contract", is_flag=True, help="Run the CONTRACT wave too: what removes things.")
@click.option("--unsafe", is_flag=True, help="Allow steps of class H3, confirming all of them.")
@options.as_json
def command(conninfo: str, run_id: int | None, contract: bool, unsafe: bool, as_json: bool) -> None:
    """Find out from ledger and catalog what is true, clean what was left half-made, and do the rest of the plan."""
    from wesley_tui.services.runs import resume
    from wesley_tui.services.target import Target

    report = resume(Target(conninfo), run_id, unsafe=unsafe, contract=contract, listen=print_event)
    finish(report, as_json=as_json)
