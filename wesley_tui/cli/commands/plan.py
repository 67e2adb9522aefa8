"""``wesley plan``: what has to be done, as a summary, an explanation, SQL or JSON. Nothing is executed."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wesley_tui.cli import options
from wesley_tui.cli.explaining import ExplainingCommand, as_explained
from wesley_tui.cli.output import note, result, result_json

if TYPE_CHECKING:
    from wesley_tui.services.workbench import PlanningOptions


@click.command("plan", cls=ExplainingCommand, short_help="Show what has to be done to make a database match a schema.")
@options.schema_paths
@options.database
@options.planning
@click.option(
    "--explain",
    type=click.Choice(["text", "markdown", "json"]),
    metavar="[=FORM]",
    help="Every step with locks, who waits, checks and undo, as text, markdown or json.",
)
@click.option("--sql", "form", flag_value="sql", help="The statements, in order, as a script to read.")
@click.option("--json", "form", flag_value="json", help="The plan as JSON on stdout.")
@click.option("-o", "--output", metavar="PLAN", help="Write the plan to a file for `wesley apply PLAN`.")
def command(
    schema: tuple[str, ...],
    conninfo: str,
    planning: PlanningOptions,
    explain: str | None,
    form: str | None,
    output: str | None,
) -> None:
    """Compare SCHEMA (SDL files, directories, or - for stdin) with a live database and show the plan."""
    gc.disable()  # one answer, then exit: collecting cycles meanwhile costs a tenth of the time and frees nothing
    from wesley_tui.planner.document import plan_to_json
    from wesley_tui.services.planning import plan_schema
    from wesley_tui.services.sources import write_atomically
    from wesley_tui.services.target import Target

    planned = plan_schema(Target(conninfo), schema, planning)
    for warning in planned.warnings:
        note(str(warning))
    plan = planned.plan
    if output is not None:
        write_atomically(Path(output), json.dumps(plan_to_json(plan), ensure_ascii=False, indent=1) + "\n")
        note(f"plan {plan.plan_id[:16]} written to {output}; run it with: wesley apply {output} --yes")
    if explain is not None:
        as_explained(plan, planned.outlook, "json" if form == "json" else explain)
    elif form == "json":
        result_json(plan_to_json(plan))
    elif form == "sql":
        from wesley_tui.planner.script import sql_script

        result(sql_script(plan))
    elif output is None:
        from wesley_tui.planner.summary import summary_text

        result(summary_text(plan, planned.outlook))
