"""``wesley plan``: what has to be done, as a summary, an explanation, SQL or JSON. Nothing is executed."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wesley_tui.cli import options, policed
from wesley_tui.cli.explaining import ExplainingCommand, as_explained
from wesley_tui.cli.output import note, result, result_json

if TYPE_CHECKING:
    from wesley_tui.planner.policy import Policy
    from wesley_tui.services.options import PlanningOptions


class _PlanCommand(ExplainingCommand):
    """``--dsl-schema`` needs no SCHEMA."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [*args, "-"] if "--dsl-schema" in args else args)


@click.command("plan", cls=_PlanCommand, short_help="Show what has to be done to make a database match a schema.")
@options.schema_paths
@options.database
@options.planning
@policed.policy
@click.option(
    "--explain",
    type=click.Choice(["text", "markdown", "json"]),
    metavar="[=FORM]",
    help="Every step with locks, who waits, checks and undo, as text, markdown or json.",
)
@click.option("--sql", "form", flag_value="sql", help="The statements, in order, as a script to read.")
@click.option("--json", "form", flag_value="json", help="The plan as JSON on stdout.")
@click.option("--dsl", "form", flag_value="dsl", help="The plan as a hand-written one, on stdout.")
@click.option("--dsl-schema", is_flag=True, help="The JSON Schema of hand-written plans, and nothing else.")
@click.option("-o", "--output", metavar="PLAN", help="Write the plan to a file for `wesley apply PLAN`.")
def command(
    schema: tuple[str, ...],
    conninfo: str,
    planning: PlanningOptions,
    policy: Policy,
    explain: str | None,
    form: str | None,
    dsl_schema: bool,
    output: str | None,
) -> None:
    """Compare SCHEMA (SDL files, directories, or - for stdin) with a live database and show the plan.

    SCHEMA may also be a plan: one that was written by hand (JSON), or by `wesley plan -o`.
    """
    if dsl_schema:
        from wesley_tui.dsl.json_schema import plan_schema

        result_json(plan_schema())
        return
    gc.disable()  # one answer, then exit: collecting cycles meanwhile costs a tenth of the time and frees nothing
    from wesley_tui.planner.document import plan_to_json
    from wesley_tui.services.blockers import outlook_now
    from wesley_tui.services.inputs import planned_from, written_form
    from wesley_tui.services.policing import for_plan_file, verdict_of
    from wesley_tui.services.sources import write_atomically
    from wesley_tui.services.target import Target

    target = Target(conninfo)
    planned = planned_from(target, schema, planning, policy)
    for warning in planned.warnings:
        note(str(warning))
    plan = planned.plan
    if output is not None:
        write_atomically(Path(output), json.dumps(plan_to_json(plan), ensure_ascii=False, indent=1) + "\n")
        note(f"plan {plan.plan_id[:16]} written to {output}; run it with: wesley apply {output} --yes")
    if form == "dsl" and not plan.waves:
        note("nothing to do: there is no plan to write")
    elif form == "dsl":
        result(written_form(planned))
    elif form == "sql":
        from wesley_tui.planner.script import sql_script

        result(sql_script(plan))
    elif explain is not None:
        outlook = outlook_now(target, plan) if planned.from_file else planned.outlook
        as_explained(plan, outlook, "json" if form == "json" else explain)
    else:
        verdict = verdict_of(target, plan, for_plan_file(plan, policy) if planned.from_file else policy)
        if form == "json":
            from wesley_tui.planner.explain.as_json import judged_json

            warnings = [str(warning) for warning in planned.warnings]
            result_json({**plan_to_json(plan), **judged_json(plan), "policy": verdict.to_json(), "warnings": warnings})
        elif output is None:
            from wesley_tui.planner.summary import summary_text

            said = summary_text(plan, planned.outlook)
            result(f"{said.rstrip()}\n\n{verdict.text()}" if plan.waves else said)
