"""From files and a database to a plan, in one call: what ``plan``, ``apply`` and ``demo`` share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wesley_tui.services.observing import NOTHING_SEEN, Observed
from wesley_tui.services.options import PlanningOptions
from wesley_tui.services.sources import read_bytes, read_schema
from wesley_tui.services.unused import unused
from wesley_tui.services.workbench import Workbench, schemas_of

if TYPE_CHECKING:
    from wesley_tui.catalog.snapshot import Snapshot
    from wesley_tui.planner.outlook import Outlook
    from wesley_tui.planner.plan import Plan
    from wesley_tui.sdl.compile import CompiledSchema
    from wesley_tui.sdl.diagnostics import Diagnostic, Source
    from wesley_tui.services.target import Target

__all__ = ["Planned", "load_plan", "plan_schema", "plan_sources"]


@dataclass(frozen=True, slots=True)
class Planned:
    plan: Plan
    compiled: CompiledSchema
    snapshot: Snapshot
    observed: Observed
    source: str = "schema"
    """The name of the first file."""
    unused: tuple[Diagnostic, ...] = ()
    """Of the options: what met nothing."""

    @property
    def outlook(self) -> Outlook:
        """What is known beside the plan."""
        from wesley_tui.services.observing import outlook_of

        return outlook_of(self.plan, self.observed)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """Of the schema; one more when it is empty, as a pipe from a command that failed is: that there is nothing to
        do is no good news then."""
        declared = self.compiled.catalog
        if self.compiled.locations or declared.tables or declared.enums or declared.objects or self.plan.waves:
            return (*self.compiled.warnings, *self.unused)
        from wesley_tui.sdl.diagnostics import Diagnostic

        empty = "the schema declares nothing, so there is nothing to compare with the database"
        return (
            *self.compiled.warnings,
            *self.unused,
            Diagnostic("warning", "nothing-declared", empty, self.source, 0, 0),
        )


def load_plan(path: Path) -> Plan:
    """Read a plan file and verify its hashes; raises ``PlanDocumentError`` when a byte that matters was changed."""
    from wesley_tui.planner.document import PlanDocumentError, plan_from_json

    try:
        return plan_from_json(json.loads(read_bytes(path)))
    except (PlanDocumentError, ValueError, RecursionError) as error:
        raise PlanDocumentError(
            f"{path}: this is not a plan as Wesley wrote it: {error}. Nothing was executed; plan again with: "
            f"wesley plan SCHEMA -o {path}"
        ) from error


def plan_schema(target: Target, paths: Sequence[str], options: PlanningOptions) -> Planned:
    """Plan the SDL in ``paths`` against ``target``. The schema is compiled first: a text that does not compile is
    reported (``SchemaError``) without touching the network."""
    return plan_sources(target, read_schema(paths), options)


def plan_sources(target: Target, sources: Sequence[Source], options: PlanningOptions) -> Planned:
    workbench = Workbench(target, options)
    compiled = workbench.compile(sources)
    snapshot = asyncio.run(_read(workbench, schemas_of(compiled)))
    plan = workbench.plan_compiled(compiled, sources, snapshot)
    desired, _ = workbench.placed(compiled)
    return Planned(
        plan,
        compiled,
        snapshot,
        workbench.observed or NOTHING_SEEN,
        sources[0].name if sources else "schema",
        tuple(unused(snapshot.catalog, desired, options.accept_renames, options.ignore)),
    )


async def _read(workbench: Workbench, schemas: Collection[str]) -> Snapshot:
    """Read the live catalog; while the server works on it, the planner is loaded."""
    snapshot, _ = await asyncio.gather(workbench.read(schemas), asyncio.to_thread(_load_planner))
    return snapshot


def _load_planner() -> None:
    import wesley_tui.planner.build  # noqa: F401
