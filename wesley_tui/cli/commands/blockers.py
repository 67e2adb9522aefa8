"""``wesley blockers``: who is in the way of a plan at this moment. Nothing is executed, nobody is disturbed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wesley_tui.cli import options, policed
from wesley_tui.cli.output import note, result, result_json

if TYPE_CHECKING:
    from wesley_tui.planner.policy import Policy
    from wesley_tui.services.options import PlanningOptions


@click.command("blockers", short_help="Say who is in the way of a plan now.")
@options.schema_paths
@options.database
@options.planning
@policed.policy
@options.as_json
def command(schema: tuple[str, ...], conninfo: str, planning: PlanningOptions, policy: Policy, as_json: bool) -> None:
    """Say which sessions, prepared transactions and replication slots would hold up the steps of SCHEMA (SDL files,
    directories, -) or of a plan, and what to do about each."""
    from wesley_tui.services.blockers import blockers_of_plan, blockers_text
    from wesley_tui.services.inputs import planned_from
    from wesley_tui.services.target import Target

    target = Target(conninfo)
    planned = planned_from(target, schema, planning, policy)
    for warning in planned.warnings:
        note(str(warning))
    found = blockers_of_plan(target, planned.plan) if planned.from_file else planned.outlook
    if as_json:
        from wesley_tui.planner.explain.as_json import obstacles_json

        result_json(obstacles_json(found.activity, found.obstacles))
    else:
        result(blockers_text(found))
