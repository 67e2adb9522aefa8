"""What the commands take as their first argument: SDL, a plan that was written by hand, or one that ``-o`` wrote."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wesley_tui.services.observing import NOTHING_SEEN, Observed
from wesley_tui.services.options import PlanningOptions
from wesley_tui.services.planning import load_plan, plan_schema
from wesley_tui.services.policing import by_policy
from wesley_tui.services.sources import is_plan_file, read_bytes
from wesley_tui.services.workbench import Workbench

if TYPE_CHECKING:
    from wesley_tui.catalog.snapshot import Snapshot
    from wesley_tui.dsl.backfill_guard import Allowed
    from wesley_tui.planner.outlook import Outlook
    from wesley_tui.planner.plan import Plan
    from wesley_tui.planner.policy import Policy
    from wesley_tui.services.target import Target

__all__ = ["PlannedInput", "planned_from", "written_form"]


@dataclass(frozen=True, slots=True)
class PlannedInput:
    plan: Plan
    observed: Observed = NOTHING_SEEN
    warnings: tuple[Any, ...] = ()
    snapshot: Snapshot | None = None
    """What it was planned against; None for a plan file."""

    @property
    def from_file(self) -> bool:
        """Whether it is a plan as it was written, which must not be changed."""
        return self.snapshot is None

    @property
    def outlook(self) -> Outlook:
        from wesley_tui.services.observing import outlook_of

        return outlook_of(self.plan, self.observed)


def planned_from(target: Target, paths: Sequence[str], options: PlanningOptions, policy: Policy) -> PlannedInput:
    """The plan of ``paths`` by the limits of ``policy``; what a file is, its content says.

    Raises ``SchemaError``, ``PlanError`` or ``PlanDocumentError`` for what is wrong with the text, each with its place.
    """
    path = Path(paths[0])
    if tuple(paths) == ("-",) and _begins_with_brace(sys.stdin.buffer):
        data = sys.stdin.buffer.read()
        if b'"wesley_plan"' not in data and b'"plan_id"' in data:
            from wesley_tui.services.errors import InputError

            raise InputError("<stdin>: a plan file is read by its name: wesley apply FILE. Nothing was planned.")
        return _hand_written(target, "<stdin>", data, options, policy)
    if len(paths) == 1 and is_plan_file(path):
        from wesley_tui.dsl.document import is_hand_written

        data = read_bytes(path)
        if not is_hand_written(data):
            return PlannedInput(load_plan(path))
        return _hand_written(target, str(path), data, options, policy)
    planned = plan_schema(target, paths, options)
    return PlannedInput(by_policy(planned.plan, policy), planned.observed, planned.warnings, planned.snapshot)


def _begins_with_brace(stream: Any) -> bool:
    """Looks ahead without taking anything; no SDL begins so."""
    return bool(stream.peek(1).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{")


def _hand_written(target: Target, name: str, data: bytes, options: PlanningOptions, policy: Policy) -> PlannedInput:
    """The text is read first: what is wrong with it is reported without touching the network."""
    from wesley_tui.dsl.build import build_hand_written
    from wesley_tui.dsl.document import read_plan

    document = read_plan(name, data)
    workbench = Workbench(target, options)
    snapshot = asyncio.run(workbench.read(None))
    observed = workbench.observed or NOTHING_SEEN
    plan = build_hand_written(
        document, snapshot, profile=policy.based_on, allowed=allowed_by(policy), rates=observed.rates
    )
    return PlannedInput(by_policy(plan, policy), observed, (), snapshot)


def allowed_by(policy: Policy) -> Allowed:
    """What a policy lets a backfill touch."""
    from wesley_tui.dsl.backfill_guard import Allowed
    from wesley_tui.planner.verdicts import table_allowed

    return Allowed(frozenset(policy.rules.allow_functions), lambda name: table_allowed(name, policy))


def written_form(planned: PlannedInput) -> str:
    """The plan as people would write it; raises ``InputError`` for a plan that has no such form."""
    from wesley_tui.dsl.write import plan_text
    from wesley_tui.services.errors import InputError

    if planned.snapshot is None:
        raise InputError("a plan file has no other form: plan the schema again with --dsl")
    try:
        return plan_text(planned.plan, planned.snapshot)
    except ValueError as error:
        raise InputError(f"{error}. Nothing was written.") from error
