"""``wesley history``: every run that a database has seen."""

from __future__ import annotations

import click

from wesley_tui.cli import options
from wesley_tui.cli.output import result, result_json


@click.command("history", short_help="List the runs of a database.")
@options.database
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The newest N runs.")
@options.as_json
def command(conninfo: str, limit: int, as_json: bool) -> None:
    """List runs, newest first."""
    from wesley_tui.services.audit import history_json, history_text, read_history
    from wesley_tui.services.target import Target

    runs = read_history(Target(conninfo), limit)
    if as_json:
        result_json(history_json(runs))
    else:
        result(history_text(runs))
