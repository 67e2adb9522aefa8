"""``wesley resume``: go on where a failed, killed or paused run stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wesley_tui.cli import options, policed
from wesley_tui.cli.detaching import run_detached
from wesley_tui.cli.output import result, result_json
from wesley_tui.cli.run_report import finish, print_event

if TYPE_CHECKING:
    from wesley_tui.services.runs import Listen, RunReport


@click.command("resume", short_help="Go on with a run that failed or was killed.")
@options.database
@click.option("--run", "run_id", type=int, metavar="ID", help="Which run; default: the last unfinished one.")
@click.option("--contract", is_flag=True, help="Run the CONTRACT wave too: what removes things.")
@click.option("--unsafe", is_flag=True, help="Allow steps of class H3, confirming all of them.")
@policed.option
@options.window
@options.detach
@options.as_json
def command(
    conninfo: str,
    run_id: int | None,
    contract: bool,
    unsafe: bool,
    policy: str,
    window: str,
    window_for: str,
    detach: bool,
    as_json: bool,
) -> None:
    """End a pause; or find out from ledger and catalog what is true, clean what was left half-made, do the rest."""
    from wesley_tui.executor.asking import ask_resume
    from wesley_tui.services.runs import paused_elsewhere, resume
    from wesley_tui.services.target import Target

    knobs = options.window_knobs(window, window_for)
    target = Target(conninfo)
    target.parameters()
    run = paused_elsewhere(target, run_id)
    if run is not None:
        if contract or unsafe:
            raise click.UsageError(f"run {run.run_id} is paused in its own process: resume it without other flags.")
        answer = ask_resume(target.conninfo, run)
        if as_json:
            result_json({"run_id": answer.run_id, "status": str(answer.status), "obeyed": answer.obeyed})
        else:
            result(f"Run {answer.run_id} goes on in the process that owns it; watch it with: wesley attach")
        return

    if contract:
        from wesley_tui.services.policing import allow_contract

        allow_contract(target, run_id, policy, window_for.split(",") if window else [])

    def work(listen: Listen) -> RunReport:
        return resume(target, run_id, unsafe=unsafe, contract=contract, listen=listen, knobs=knobs)

    if detach:
        run_detached(target.label, work, as_json=as_json)
    finish(work(print_event), as_json=as_json)
