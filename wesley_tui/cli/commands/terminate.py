"""``wesley terminate``: end the session of somebody who holds a lock that a step waits for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from wesley_tui.cli import options
from wesley_tui.cli.output import note, printable, result, result_json

if TYPE_CHECKING:
    from wesley_tui.executor.asking_steps import Holdup


@click.command("terminate", short_help="End a session that holds up a run.")
@click.argument("pid", metavar="[PID]", type=int, required=False)
@options.database
@click.option("--run", "run_id", type=int, metavar="ID", help="Which run; default: the last one.")
@click.option("--confirm", type=int, metavar="PID", help="The process id once more, instead of typing it.")
@click.option("--reason", default="", help="Kept in the history.")
@options.as_json
def command(
    pid: int | None, conninfo: str, run_id: int | None, confirm: int | None, reason: str, as_json: bool
) -> None:
    """End the session PID; its transaction is rolled back. Without PID: show who holds up the run.

    Only clients that hold up a step are ended, after their process id was typed once more.
    """
    from wesley_tui.executor.asking import find_summary
    from wesley_tui.executor.asking_steps import ask_terminate, holdups
    from wesley_tui.executor.errors import ExecutorError
    from wesley_tui.services.target import Target

    target = Target(conninfo)
    target.parameters()
    run = find_summary(target.conninfo, run_id)
    found = holdups(target.conninfo, run)
    if pid is None:
        if as_json:
            result_json([holdup.blocker.metrics for holdup in found])
        else:
            result(printable("\n".join(str(holdup.blocker) for holdup in found) or "Nobody holds up the run."))
            if found:
                note("end one of them, its transaction is rolled back: wesley terminate PID")
        return
    holdup = next((holdup for holdup in found if holdup.blocker.pid == pid), None)
    if holdup is None:
        raise ExecutorError(
            f"session {pid} does not hold up run {run.run_id}. Nothing was ended; who does: wesley terminate"
        )
    _confirm(holdup, confirm)
    answer = ask_terminate(target.conninfo, run, holdup, reason)
    if as_json:
        result_json({"run_id": run.run_id, "pid": pid, "obeyed": answer is not None})
    else:
        result(f"Run {run.run_id} {answer or 'has not answered yet; see: wesley status'}")


def _confirm(holdup: Holdup, confirm: int | None) -> None:
    """The process id is typed once more by whoever has read whose session it is."""
    pid = holdup.blocker.pid
    note(str(holdup.blocker))
    if confirm is None and sys.stdin.isatty():
        confirm = click.prompt(
            f"Its transaction will be rolled back. Type {pid} to end it", err=True, type=int, default=0,
            show_default=False,
        )  # fmt: skip
        if confirm != pid:
            raise click.Abort
    if confirm != pid:
        raise click.UsageError(f"Ending a session has to be confirmed: say --confirm {pid}.")
