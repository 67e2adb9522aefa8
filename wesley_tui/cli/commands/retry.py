"""``wesley retry``: try again now what waits for a lock, failed, or was left out."""

from __future__ import annotations

import click

from wesley_tui.cli import options
from wesley_tui.cli.output import note, result, result_json
from wesley_tui.cli.run_report import finish, print_event


@click.command("retry", short_help="Try a step again that waits, failed or was left out.")
@click.argument("step", metavar="[STEP]", default="")
@options.database
@click.option("--run", "run_id", type=int, metavar="ID", help="Which run; default: the last one.")
@options.as_json
def command(step: str, conninfo: str, run_id: int | None, as_json: bool) -> None:
    """Do not wait for the next attempt at STEP (default: every step), and take in again what was left out.

    A run that no process executes is resumed here, as `wesley resume` does.
    """
    from wesley_tui.executor.asking_steps import ask_retry
    from wesley_tui.services.runs import resume
    from wesley_tui.services.target import Target

    target = Target(conninfo)
    target.parameters()
    run = ask_retry(target.conninfo, run_id, step)
    if not run.owned:
        note(f"wesley: no process executes run {run.run_id}: resuming it here")
        report = resume(target, run.run_id, unsafe=False, contract=False, listen=print_event)
        finish(report, as_json=as_json)
    if as_json:
        result_json({"run_id": run.run_id, "status": str(run.status), "obeyed": True})
    else:
        result(f"Run {run.run_id} tries again now; watch it with: wesley attach")
