"""``wesley pause``: let a run stop after its current step or batch, from any terminal."""

from __future__ import annotations

import click

from wesley_tui.cli import options
from wesley_tui.cli.output import result, result_json


@click.command("pause", short_help="Pause a run after its current step or batch.")
@options.database
@click.option("--run", "run_id", type=int, metavar="ID", help="Which run; default: the last one.")
@click.option("--reason", default="", help="Kept in the history.")
@options.as_json
def command(conninfo: str, run_id: int | None, reason: str, as_json: bool) -> None:
    """Start nothing new. The pause outlives every process; `wesley resume` ends it."""
    from wesley_tui.executor.asking import ask_pause
    from wesley_tui.services.target import Target

    target = Target(conninfo)
    target.parameters()
    answer = ask_pause(target.conninfo, run_id, reason)
    if as_json:
        result_json({"run_id": answer.run_id, "status": str(answer.status), "obeyed": answer.obeyed})
    elif answer.obeyed:
        result(f"Run {answer.run_id} is {answer.status}. Go on with: wesley resume")
    else:
        result(f"Run {answer.run_id} pauses when its current step has ended; see: wesley status")
