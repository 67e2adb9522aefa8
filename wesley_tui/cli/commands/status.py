"""``wesley status``: the last run, step by step, from the ledger."""

from __future__ import annotations

import click

from wesley_tui.cli import options
from wesley_tui.cli.output import result, result_json
from wesley_tui.cli.run_report import watch_run


@click.command("status", short_help="Tell what the last run did, step by step.")
@options.database
@click.option("--run", "run_id", type=int, metavar="ID", help="Which run; default: the last one.")
@click.option("--follow", is_flag=True, help="Then its events as they are committed, until it ends.")
@options.as_json
def command(conninfo: str, run_id: int | None, follow: bool, as_json: bool) -> None:
    """Show what the last run did and what is left."""
    from wesley_tui.services.audit import read_run, status_json, status_text
    from wesley_tui.services.target import Target

    target = Target(conninfo)
    status = read_run(target, run_id)
    if follow and status is not None:
        if not as_json:
            result(status_text(status))
        watch_run(target, status.summary.run_id, as_json=as_json)
    if as_json:
        result_json(status_json(status))
    else:
        result(status_text(status))
