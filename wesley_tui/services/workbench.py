"""One schema against one database: read, plan, explain, review, run. Both faces drive this and nothing else."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wesley_tui.sdl.diagnostics import SchemaError
from wesley_tui.services.desk import RunDesk
from wesley_tui.services.errors import InputError
from wesley_tui.services.options import PlanningOptions

if TYPE_CHECKING:
    from wesley_tui.catalog.intent import Intent
    from wesley_tui.catalog.model import Catalog
    from wesley_tui.catalog.snapshot import Snapshot
    from wesley_tui.executor.review import ReviewToken
    from wesley_tui.executor.run import Run
    from wesley_tui.planner.obstacles import Obstacle
    from wesley_tui.planner.outlook import Outlook
    from wesley_tui.planner.plan import Plan
    from wesley_tui.planner.policy import Policy
    from wesley_tui.sdl.compile import CompiledSchema, Compiler
    from wesley_tui.sdl.diagnostics import Diagnostic, Source
    from wesley_tui.services.observing import Observed
    from wesley_tui.services.target import Target

__all__ = ["DECLARED_SCHEMA", "Planning", "Workbench"]

DECLARED_SCHEMA = "public"
"""Where an SDL without ``@table(schema:)`` puts things, and what ``PlanningOptions.schemas`` replaces."""


@dataclass(frozen=True, slots=True)
class Planning:
    """The answer to one text: a plan, or why there is none."""

    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...] = ()
    """Errors when there is no plan; warnings otherwise."""
    elapsed_ms: float = 0.0
    locations: Mapping[str, tuple[str, int, int]] = field(default_factory=dict)
    """``table public.users``, ``column public.users.email`` → (source, line, column)."""


class Workbench:
    """Holds the last snapshot and the caches of incremental compilation; not shared between threads while it plans."""

    def __init__(self, target: Target, options: PlanningOptions | None = None, policy: Policy | None = None) -> None:
        self.target = target
        self.options = options or PlanningOptions()
        self.policy = policy
        """Whose limits the plans for the editor have, and against which :meth:`start` starts nothing."""
        self.snapshot: Snapshot | None = None
        self.observed: Observed | None = None
        """What the server was doing when it was last read."""
        self.tenants: tuple[str, ...] = ()
        """The schemas that ``options.schemas`` meant when the database was last read."""
        self._compiler: Compiler | None = None
        self.desk = RunDesk(target)

    @property
    def title(self) -> str:
        return "Wesley"

    @property
    def target_label(self) -> str:
        """``database @ host:port``, without user and password."""
        return self.target.label

    @property
    def read_only(self) -> bool:
        """A standby executes nothing."""
        return self.snapshot is not None and self.snapshot.in_recovery

    def save(self, source: Source) -> None:
        """Write a schema file; raises ``InputError`` and leaves the old file when that fails."""
        from wesley_tui.services.sources import write_atomically

        write_atomically(Path(source.name), source.text)

    async def read(self, schemas: Collection[str] | None = None) -> Snapshot:
        """Read the live catalog (``None``: of all schemas); raises ``CannotConnect``, ``CannotRead``, or ``InputError``
        for a pattern that no schema matches."""
        if self.options.schemas:
            self.tenants = await self.target.matching_schemas(self.options.schemas)
            schemas = None if schemas is None else {*schemas, *self.tenants} - {DECLARED_SCHEMA}
        self.snapshot, self.observed = await self.target.look(schemas, probing=self.options.calibrate)
        return self.snapshot

    def compile(self, sources: Sequence[Source]) -> CompiledSchema:
        """Compile, reusing what an edit left as it was; raises ``SchemaError``."""
        if self._compiler is None:
            from wesley_tui.sdl.compile import Compiler

            self._compiler = Compiler()
        return self._compiler.compile(sources)

    def plan(self, sources: Sequence[Source]) -> Planning:
        """Plan from the last snapshot; never raises for what is wrong with the text: that is in the answer."""
        started = time.perf_counter()
        try:
            compiled = self.compile(sources)
        except SchemaError as error:
            return Planning(None, error.diagnostics, _elapsed_ms(started))
        if self.snapshot is None:
            return Planning(None, compiled.warnings, _elapsed_ms(started), compiled.locations)
        plan = self.plan_compiled(compiled, sources, self.snapshot)
        if self.policy is not None:
            from wesley_tui.services.policing import by_policy

            plan = by_policy(plan, self.policy)
        return Planning(plan, compiled.warnings, _elapsed_ms(started), compiled.locations)

    def plan_compiled(self, compiled: CompiledSchema, sources: Sequence[Source], snapshot: Snapshot) -> Plan:
        """The plan for a compiled schema; raises ``InputError`` for an answer to a rename that is none."""
        from wesley_tui.catalog.declared import remembered, settled
        from wesley_tui.catalog.uids import with_renames_by_uid
        from wesley_tui.diff.compare import compare
        from wesley_tui.planner.build import PlanOptions, build_plan
        from wesley_tui.planner.rates import ASSUMED
        from wesley_tui.planner.restoring import with_resting

        desired, intent = self.placed(compiled)
        desired = settled(snapshot.catalog, desired, snapshot.declared)
        intent = with_renames_by_uid(intent, snapshot.catalog, desired, snapshot.declared)
        restoring = with_resting(snapshot, desired, intent)
        snapshot, intent = restoring.snapshot, restoring.intent
        try:
            diff = compare(
                remembered(snapshot.catalog, desired, snapshot.declared),
                desired,
                intent,
                adopt_all=self.options.adopt_all,
                accept_renames=self.options.accept_renames,
                ignore=self.options.ignore,
            )
        except ValueError as error:
            raise InputError(f"{error}. Nothing was planned.") from error
        diff = replace(diff, questions=(*diff.questions, *restoring.questions))
        options = PlanOptions(
            profile=self.options.profile,
            purge=self.options.purge,
            adopt_all=self.options.adopt_all,
            source="\n".join(_lines(source.text) for source in sources),
            rates=self.observed.rates if self.observed is not None else ASSUMED,
        )
        plan = build_plan(snapshot, desired, diff, options)
        return replace(plan, tenants=self.tenants, ignored=self.options.ignore)

    def placed(self, compiled: CompiledSchema) -> tuple[Catalog, Intent]:
        """What is declared, where it is to be: once as written, or once per tenant."""
        if not self.tenants:
            return compiled.catalog, compiled.intent
        from wesley_tui.catalog.retarget import merged, merged_intents, retargeted, retargeted_intent

        return (
            merged([retargeted(compiled.catalog, DECLARED_SCHEMA, tenant) for tenant in self.tenants]),
            merged_intents([retargeted_intent(compiled.intent, DECLARED_SCHEMA, tenant) for tenant in self.tenants]),
        )

    def outlook(self, plan: Plan) -> Outlook:
        """What is known beside the plan: how long it takes as it is scheduled, who was in the way when the server was
        last read, when it is quiet."""
        from wesley_tui.services.observing import NOTHING_SEEN, outlook_of

        return outlook_of(plan, self.observed or NOTHING_SEEN)

    def obstacles(self, plan: Plan) -> tuple[Obstacle, ...]:
        """Who was in the way of ``plan`` when the server was last looked at."""
        from wesley_tui.planner.obstacles import obstacles

        if self.observed is None or self.observed.activity is None:
            return ()
        return obstacles(plan, self.observed.activity)

    def explain(self, plan: Plan) -> str:
        """The whole explanation as text. Who is in the way is looked at anew, so this takes a round trip; not to be
        called from an event loop."""
        from wesley_tui.planner.explain import explain_text
        from wesley_tui.services.blockers import look_now

        self.observed = look_now(self.target) or self.observed
        return explain_text(plan, self.outlook(plan))

    def format_sql(self, sql: str) -> str:
        from wesley_tui.planner.format import format_sql

        return format_sql(sql)

    def review(
        self, plan: Plan, explain: str, *, unsafe: bool, contract: bool, typed_names: Collection[str], actor: str
    ) -> ReviewToken:
        """A token that lets exactly this plan run; raises ``UnsafeBlocked``."""
        from wesley_tui.executor.review import review

        return review(plan, explain=explain, unsafe=unsafe, contract=contract, typed_names=typed_names, actor=actor)

    def start(self, plan: Plan, token: ReviewToken) -> Run:
        """Start the engine's own thread on this plan; everything that happens arrives through ``Run.drain()``. Raises
        ``PolicyRefused`` when the policy does not let it run."""
        from wesley_tui.services.runs import start

        if self.policy is not None:
            from wesley_tui.services.policing import enforce, verdict_of

            enforce(verdict_of(self.target, plan, self.policy, ()), contract=token.contract)
        return start(self.target, plan, token, self.options)


def schemas_of(compiled: CompiledSchema) -> frozenset[str]:
    """The schemas to read for a compiled schema: those that it names, and those that it renames from or drops in."""
    catalog, intent = compiled.catalog, compiled.intent
    names = {*catalog.tables, *catalog.enums, *intent.dropped_tables}
    names |= {*intent.renamed_tables.values(), *intent.renamed_enums.values()}
    return catalog.schemas | {name.schema for name in names}


def _lines(text: str) -> str:
    """The text without byte order mark and with plain line ends: how it was saved is not part of a plan."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _elapsed_ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000
