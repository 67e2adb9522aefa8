"""``wesley quiet``: when a database has least to do, from samples of its load."""

from __future__ import annotations

from dataclasses import asdict

import click

from wesley_tui.cli import options
from wesley_tui.cli.output import note, result, result_json


@click.command("quiet", short_help="Say when a database is quiet.")
@options.database
@click.option("--hours", type=click.FloatRange(0.1, 8), default=1.0, show_default=True, help="How long a window.")
@click.option("--record", is_flag=True, help="Leave one sample of the load in the ledger: for cron.")
@options.as_json
def command(conninfo: str, hours: float, record: bool, as_json: bool) -> None:
    """Suggest the quietest hours of the day, with the evidence, or say that there is not enough history."""
    from wesley_tui.services.blockers import quiet_window, record_load
    from wesley_tui.services.target import Target

    target = Target(conninfo)
    if record:
        note("recorded" if record_load(target) else "this minute has a sample already")
    quiet = quiet_window(target, hours)
    if as_json:
        result_json(asdict(quiet))
    else:
        result(f'--window "{quiet.window}": {quiet.evidence}' if quiet.window else quiet.evidence)
