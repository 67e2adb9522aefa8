"""``wesley cancel``: give up an unfinished run that nobody executes any more."""

from __future__ import annotations

import click

from wesley_tui.cli import options
from wesley_tui.cli.output import result, result_json


@click.command("cancel", short_help="Give up a run that nobody executes any more.")
@options.database
@click.option("--run", "run_id", type=int, metavar="ID", help="Which run; default: the last one.")
@click.option("--reason", default="given up", show_default=True, help="Kept in the history.")
@options.as_json
def command(conninfo: str, run_id: int | None, reason: str, as_json: bool) -> None:
    """End a run as cancelled. What has succeeded stays; statements of it that still run are cancelled first."""
    from wesley_tui.executor.abandon import cancel_run
    from wesley_tui.services.target import Target

    target = Target(conninfo)
    target.parameters()
    ended = cancel_run(target.conninfo, run_id, reason)
    if as_json:
        result_json({"run_id": ended, "status": "cancelled"})
    else:
        result(f"Run {ended} is cancelled; what had succeeded stays. See `wesley status`, then plan again.")
