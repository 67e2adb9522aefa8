"""``wesley attach``: see a run live, from any terminal and any machine."""

from __future__ import annotations

import click

from wesley_tui.cli import options
from wesley_tui.cli.run_report import watch_run


@click.command("attach", short_help="See a run live, from its first event to its last.")
@options.database
@click.option("--run", "run_id", type=int, metavar="ID", help="Which run; default: the last one.")
@click.option("--json", "as_json", is_flag=True, help="One event a line, as JSON.")
def command(conninfo: str, run_id: int | None, as_json: bool) -> None:
    """Write the events of a run as they are committed, and leave with its exit code. Control-C detaches."""
    from wesley_tui.services.target import Target

    target = Target(conninfo)
    target.parameters()
    watch_run(target, run_id, as_json=as_json)
