"""``wesley skip``: leave a step out of a run that cannot get its lock, or that nobody wants any more."""

from __future__ import annotations

import click

from wesley_tui.cli import options
from wesley_tui.cli.output import result, result_json


@click.command("skip", short_help="Leave a step out of a run.")
@click.argument("step", metavar="STEP")
@options.database
@click.option("--run", "run_id", type=int, metavar="ID", help="Which run; default: the last one.")
@click.option("--reason", default="", help="Kept in the history.")
@options.as_json
def command(step: str, conninfo: str, run_id: int | None, reason: str, as_json: bool) -> None:
    """Leave STEP out, by its number or the first digits of its identity; what comes after it is not run either.

    The run then ends as failed and says what is left; `wesley retry` takes it up again.
    """
    from wesley_tui.executor.asking_steps import ask_skip
    from wesley_tui.services.target import Target

    target = Target(conninfo)
    target.parameters()
    answer = ask_skip(target.conninfo, run_id, step, reason)
    if as_json:
        result_json({"run_id": answer.run_id, "status": str(answer.status), "obeyed": answer.obeyed})
    elif answer.obeyed:
        result(f"Run {answer.run_id} leaves step {step} out, and what comes after it. Take it up with: wesley retry")
    else:
        result(f"Run {answer.run_id} leaves step {step} out as soon as it can; see: wesley status")
