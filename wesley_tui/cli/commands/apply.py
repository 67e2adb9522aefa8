"""``wesley apply``: execute a plan file, or the plan of a schema, and prove that the database then matches."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wesley_tui.cli import options
from wesley_tui.cli.detaching import run_detached
from wesley_tui.cli.output import note
from wesley_tui.cli.run_report import finish, print_event

if TYPE_CHECKING:
    from wesley_tui.planner.plan import Plan
    from wesley_tui.services.runs import Listen, RunReport
    from wesley_tui.services.workbench import PlanningOptions


@click.command("apply", short_help="Execute a plan, or the plan of a schema.")
@options.schema_paths
@options.database
@options.planning
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--unsafe", is_flag=True, help="Allow steps of class H3, confirming all of them.")
@click.option("--contract", is_flag=True, help="Run the CONTRACT wave too: what removes things.")
@options.window
@options.detach
@options.as_json
def command(
    schema: tuple[str, ...],
    conninfo: str,
    planning: PlanningOptions,
    yes: bool,
    unsafe: bool,
    contract: bool,
    window: str,
    window_for: str,
    detach: bool,
    as_json: bool,
) -> None:
    """Execute SCHEMA (SDL files, directories, -) or a PLAN written by `wesley plan -o`."""
    from wesley_tui.services.planning import load_plan, plan_schema
    from wesley_tui.services.runs import execute, explain_before
    from wesley_tui.services.sources import is_plan_file
    from wesley_tui.services.target import Target

    knobs = options.window_knobs(window, window_for)
    target = Target(conninfo)
    if len(schema) == 1 and is_plan_file(Path(schema[0])):
        plan = load_plan(Path(schema[0]))
    else:
        planned = plan_schema(target, schema, planning)
        for warning in planned.warnings:
            note(str(warning))
        plan = planned.plan
    note(explain_before(plan, contract=contract))
    if not yes:
        _ask(plan, target.label)


    def work(listen: Listen) -> RunReport:
        return execute(target, plan, planning, unsafe=unsafe, contract=contract, say=note, listen=listen, knobs=knobs)

    if detach:
        run_detached(target.label, work, as_json=as_json)
    finish(work(print_event), as_json=as_json)


def _ask(plan: Plan, label: str) -> None:
    """A person at a terminal types the word; a script must say --yes."""
    if not any(plan.steps):
        return
    if not sys.stdin.isatty():
        raise click.UsageError("apply changes the database: say --yes, or run it at a terminal to be asked.")
    answer = click.prompt(f"Type 'apply' to run plan {plan.plan_id[:16]} on {label}", err=True, default="")
    if answer.strip() != "apply":
        raise click.Abort
