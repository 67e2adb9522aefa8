"""``wesley cancel``: end a run, wherever it is executed, or give up one that nobody executes any more."""

from __future__ import annotations

import click

from wesley_tui.cli import options
from wesley_tui.cli.output import result, result_json


@click.command("cancel", short_help="Cancel a run, or give up one that was left.")
@options.database
@click.option("--run", "run_id", type=int, metavar="ID", help="Which run; default: the last one.")
@click.option("--reason", default="given up", show_default=True, help="Kept in the history.")
@options.as_json
def command(conninfo: str, run_id: int | None, reason: str, as_json: bool) -> None:
    """End a run as cancelled. What has succeeded stays; statements of it that still run are cancelled first."""
    from wesley_tui.executor.asking import ask_cancel
    from wesley_tui.services.target import Target

    target = Target(conninfo)
    target.parameters()
    answer = ask_cancel(target.conninfo, run_id, reason)
    if as_json:
        result_json({"run_id": answer.run_id, "status": str(answer.status), "obeyed": answer.obeyed})
    elif answer.obeyed:
        result(
            f"Run {answer.run_id} is {str(answer.status).replace('_', ' ')}; what had succeeded stays. "
            "See `wesley status`, then `wesley resume`, `wesley rollback`, or plan again."
        )
    else:
        result(f"Run {answer.run_id} still removes what it left half-made; `wesley cancel` again cancels that too.")
