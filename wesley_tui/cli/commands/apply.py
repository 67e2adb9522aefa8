"""``wesley apply``: execute a plan file, or the plan of a schema, and prove that the database then matches."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from wesley_tui.cli import options, policed
from wesley_tui.cli.detaching import run_detached
from wesley_tui.cli.output import note
from wesley_tui.cli.run_report import finish, print_event

if TYPE_CHECKING:
    from wesley_tui.planner.plan import Plan
    from wesley_tui.planner.policy import Policy
    from wesley_tui.services.options import PlanningOptions
    from wesley_tui.services.runs import Listen, RunReport


@click.command("apply", short_help="Execute a plan, or the plan of a schema.")
@options.schema_paths
@options.database
@options.planning
@policed.policy
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
    policy: Policy,
    yes: bool,
    unsafe: bool,
    contract: bool,
    window: str,
    window_for: str,
    detach: bool,
    as_json: bool,
) -> None:
    """Execute SCHEMA (SDL files, directories, -) or a PLAN: a hand-written one, or one of `wesley plan -o`."""
    from wesley_tui.services.inputs import planned_from
    from wesley_tui.services.policing import enforce, for_plan_file, verdict_of
    from wesley_tui.services.runs import execute, explain_before
    from wesley_tui.services.target import Target

    knobs = options.window_knobs(window, window_for)
    target = Target(conninfo)
    planned = planned_from(target, schema, planning, policy)
    for warning in planned.warnings:
        note(str(warning))
    plan = planned.plan
    waves = window_for.split(",") if window else []
    verdict = verdict_of(target, plan, for_plan_file(plan, policy) if planned.from_file else policy, waves)
    enforce(verdict, contract=contract)
    note(explain_before(plan, contract=contract))
    if not yes:
        _ask(plan, target.label)

    def work(listen: Listen) -> RunReport:
        report = execute(target, plan, planning, unsafe=unsafe, contract=contract, say=note, listen=listen, knobs=knobs)
        return replace(report, warnings=planned.warnings)

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
