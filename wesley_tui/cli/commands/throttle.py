"""``wesley throttle``: change how much a run may take from the database, while it goes on."""

from __future__ import annotations

import click

from wesley_tui.cli import options
from wesley_tui.cli.output import result, result_json


@click.command("throttle", short_help="Change the limits of a run while it goes on.")
@options.database
@click.option("--run", "run_id", type=int, metavar="ID", help="Which run; default: the last one.")
@click.option("--rows-per-second", type=click.IntRange(0), help="Of each backfill; 0: only the plan's own limit.")
@click.option("--batch-ms", type=click.IntRange(1), help="How long a batch should take.")
@click.option("--workers", type=click.IntRange(1, 4), help="Steps at the same time.")
@click.option("--window", help="When steps of VALIDATE and CONTRACT may begin; an empty text: always.")
@click.option("--set", "limits", multiple=True, metavar="NAME=VALUE", help="Any limit of the governor; repeatable.")
@options.as_json
def command(
    conninfo: str,
    run_id: int | None,
    rows_per_second: int | None,
    batch_ms: int | None,
    workers: int | None,
    window: str | None,
    limits: tuple[str, ...],
    as_json: bool,
) -> None:
    """The change is an event of the run, and holds until it ends, also after a resume."""
    from wesley_tui.executor.asking import ask_set
    from wesley_tui.services.target import Target

    named = {"rows_per_second": rows_per_second, "batch_ms": batch_ms, "workers": workers, "window": window}
    knobs: dict[str, float | str] = {name: value for name, value in named.items() if value is not None}
    for limit in limits:
        name, _, value = limit.partition("=")
        knobs[name.strip()] = _value(value)
    if not knobs:
        raise click.UsageError("Say what to change: --rows-per-second, --batch-ms, --workers, --window or --set.")
    target = Target(conninfo)
    target.parameters()
    try:
        answer = ask_set(target.conninfo, run_id, knobs)
    except ValueError as error:
        raise click.UsageError(f"{error}.") from error
    if as_json:
        result_json({"run_id": answer.run_id, "limits": knobs, "obeyed": answer.obeyed})
    else:
        told = ", ".join(f"{name} = {value}" for name, value in knobs.items())
        result(f"Run {answer.run_id}: {told}")


def _value(text: str) -> float | str:
    """A number, or the text of a window or of waves: which limit takes which, the governor knows."""
    try:
        return float(text)
    except ValueError:
        return text.strip()
