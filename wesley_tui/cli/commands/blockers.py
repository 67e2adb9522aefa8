"""``wesley blockers``: who is in the way of a plan at this moment. Nothing is executed, nobody is disturbed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wesley_tui.cli import options
from wesley_tui.cli.output import note, result, result_json

if TYPE_CHECKING:
    from wesley_tui.services.workbench import PlanningOptions


@click.command("blockers", short_help="Say who is in the way of a plan now.")
@options.schema_paths
@options.database
@options.planning
@options.as_json
def command(schema: tuple[str, ...], conninfo: str, planning: PlanningOptions, as_json: bool) -> None:
    """Say which sessions, prepared transactions and replication slots would hold up the steps of SCHEMA (SDL files,
    directories, -) or of a PLAN written by `wesley plan -o`, and what to do about each."""
    from wesley_tui.services.blockers import blockers_of_plan, blockers_text
    from wesley_tui.services.planning import load_plan, plan_schema
    from wesley_tui.services.sources import is_plan_file
    from wesley_tui.services.target import Target

    target = Target(conninfo)
    if len(schema) == 1 and is_plan_file(Path(schema[0])):
        found = blockers_of_plan(target, load_plan(Path(schema[0])))
    else:
        planned = plan_schema(target, schema, planning)
        for warning in planned.warnings:
            note(str(warning))
        found = planned.outlook
    if as_json:
        from wesley_tui.planner.explain.as_json import obstacles_json

        result_json(obstacles_json(found.activity, found.obstacles))
    else:
        result(blockers_text(found))
