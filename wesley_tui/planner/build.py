"""Make a plan: a diff, and what is known about the server, become waves of steps.

    changes ──forms──▶ operations ──order──▶ operations in waves ──effects, hazards──▶ steps ──identity──▶ plan

Each arrow is a pure function in a module of its own. This one walks along them, keeping the catalog up to date from
step to step, so that the effects of each are those in the state that the ones before it leave.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from wesley_tui.catalog.fingerprint import fingerprint, scope_of
from wesley_tui.catalog.model import Catalog, QName
from wesley_tui.catalog.reading.names import SHADOW_PREFIX
from wesley_tui.catalog.snapshot import Snapshot, TableSize
from wesley_tui.diff.changes import Change, Diff, DropEnum, DropObject, DropTable, RenameEnum, RenameTable
from wesley_tui.planner.aside import with_objects_aside
from wesley_tui.planner.effects import EffectContext, Effects, effects_of_all
from wesley_tui.planner.estimates import estimate_ms, work_of
from wesley_tui.planner.forms import operations_for
from wesley_tui.planner.forms.shadow.choice import shadows_of
from wesley_tui.planner.hazards import judge
from wesley_tui.planner.identity import with_identity
from wesley_tui.planner.operations import Operation
from wesley_tui.planner.order import arranged, needed_by
from wesley_tui.planner.parse import check_statement, parse_statement
from wesley_tui.planner.plan import WAVE_NAMES, LockMode, Plan, Step, Wave
from wesley_tui.planner.profiles import Profile, profile_named
from wesley_tui.planner.published import with_identity_required
from wesley_tui.planner.rates import Rates
from wesley_tui.planner.situation import PlanOptions, survey

__all__ = ["PlanOptions", "build_plan", "step_of", "steps_of"]


def _tag(text: str, snapshot: Snapshot) -> str:
    """Eight hexadecimal digits of ``text``: the same plan makes the same names. When the same change was made before
    and taken back by another plan, what it has left rests under them: then others."""
    retired = snapshot.retired
    taken = [
        *(
            item.column.name
            for item in snapshot.resting_columns
            # A copy that was given up before its exchange is swept away first.
            if not item.column.name.startswith(SHADOW_PREFIX)
        ),
        *(name.name for names in (retired.tables, retired.enums) for name in names),
        *(item.name.name for item in retired.objects.values()),
    ]
    tag = ""
    while not tag or any(tag in name for name in taken):
        tag = hashlib.sha256(text.encode()).hexdigest()[:8]
        text += "+"
    return tag


def build_plan(snapshot: Snapshot, desired: Catalog, diff: Diff, options: PlanOptions | None = None) -> Plan:
    """The plan that leads from ``snapshot`` to ``desired``; ``diff`` is what
    :func:`wesley_tui.diff.compare.compare` says about the two. Nothing to do is a plan without waves.

    Raises ``ValueError`` for a profile that does not exist.
    """
    options = options or PlanOptions()
    profile = profile_named(options.profile)
    scope = options.scope or _scope(desired, diff.changes)
    base = fingerprint(snapshot.visible or snapshot.catalog, scope)
    target = fingerprint(desired, scope)
    situation = survey(snapshot, desired, diff.changes, options, _tag(f"{base} {target}", snapshot))
    situation = replace(situation, shadows=shadows_of(diff.changes, situation))
    operations = arranged(with_objects_aside(list(operations_for(diff.changes, situation)), situation))
    operations = with_identity_required(operations, snapshot)
    steps = steps_of(operations, snapshot, profile, options.rates)
    waves = tuple(
        Wave(name, members)
        for name in WAVE_NAMES
        if (members := tuple(step for step, operation in zip(steps, operations, strict=True) if operation.wave == name))
    )
    return with_identity(
        Plan(
            plan_id="",
            base=base,
            target=target,
            waves=waves,
            server_version_num=snapshot.server_version_num,
            profile=profile.name,
            scope=scope,
            unmanaged=diff.unmanaged,
            questions=diff.questions,
            source=options.source,
            rates=options.rates.described(),
        )
    )


def _scope(desired: Catalog, changes: Sequence[Change]) -> tuple[str, ...]:
    """All that the schema declares, and what the plan takes away or renames from."""
    names = set(scope_of(desired))
    for change in changes:
        match change:
            case DropTable():
                names.add(f"table {change.table.name}")
            case RenameTable():
                names.add(f"table {change.old}")
            case DropEnum():
                names.add(f"enum {change.enum.name}")
            case RenameEnum():
                names.add(f"enum {change.old}")
            case DropObject():
                names.add(str(change.object.ref))
            case _:
                pass
    return tuple(sorted(names))


def steps_of(operations: Sequence[Operation], snapshot: Snapshot, profile: Profile, rates: Rates) -> list[Step]:
    """The operations, in this order, as steps: effects, hazards, estimates, each in the catalog that those before it
    leave. Their ``step_sha`` are their positions, until the plan has its identity."""
    context = EffectContext(snapshot.server_version_num, snapshot.timezone, snapshot.catalog)
    sizes = {str(name): size for name, size in snapshot.sizes.items()}
    needs = needed_by(operations)
    last_on: dict[str, int] = {}
    steps: list[Step] = []
    created: set[str] = set()
    for position, operation in enumerate(operations):
        for statement in (*operation.statements, *operation.undo, *operation.leftover_cleanup):
            check_statement(statement)
        statements = operation.statements or _backfill_statement(operation)
        effects, context = effects_of_all(statements, context)
        if operation.proven:
            effects = replace(effects, scans=tuple(name for name in effects.scans if name not in operation.proven))
        _follow_renames(operation, sizes)
        # A circle that was cut leaves a need that comes later: it is no dependency.
        depends = {provider for provider in needs[position] if provider < position} | {
            last_on[name] for name in _serialized(effects) if name in last_on
        }
        step = step_of(operation, effects, sizes=sizes, rates=rates, profile=profile, created=created)
        steps.append(
            replace(
                step,
                step_sha=str(position + 1),
                ordinal=position + 1,
                depends_on=tuple(str(provider + 1) for provider in sorted(depends)),
            )
        )
        created.update(effects.creates)
        last_on.update(dict.fromkeys(_serialized(effects), position))
    return steps


def step_of(
    operation: Operation,
    effects: Effects,
    *,
    sizes: Mapping[str, TableSize],
    rates: Rates,
    profile: Profile,
    created: Collection[str] = (),
) -> Step:
    """One operation with what it does, judged and estimated; without a place in a plan."""
    work = work_of(operation.kind, effects, sizes)
    duration = estimate_ms(work, rates, operation.backfill)
    verdict = judge(operation, effects, created=created, sizes=sizes, estimate_ms=duration, profile=profile)
    return Step(
        step_sha="",
        ordinal=0,
        op=operation.op,
        object=operation.object,
        kind=operation.kind,
        statements=operation.statements,
        hazard=verdict.hazard,
        locks=effects.locks,
        rewrites=effects.rewrites,
        scans=effects.scans,
        prechecks=operation.prechecks,
        postchecks=operation.postchecks,
        undo=operation.undo,
        loses=verdict.loses,
        breaks=verdict.breaks,
        who_waits=verdict.who_waits,
        why=verdict.why,
        estimate_ms=duration,
        work=work,
        lock_timeout_ms=profile.lock_timeout_ms,
        statement_timeout_ms=0 if operation.unbounded else profile.statement_timeout_ms,
        leftover_check=operation.leftover_check,
        leftover_cleanup=operation.leftover_cleanup,
        backfill=operation.backfill,
    )


def _backfill_statement(operation: Operation) -> tuple[str, ...]:
    return (operation.backfill.batch_sql,) if operation.backfill is not None else ()


def _serialized(effects: Effects) -> list[str]:
    """Tables on which steps go one after the other: those locked so that a second step would only queue up, and those
    that a backfill writes."""
    strong = [name for name, mode in effects.locks.items() if mode >= LockMode.RowExclusiveLock]
    return [*strong, *effects.creates]


def _follow_renames(operation: Operation, sizes: dict[str, TableSize]) -> None:
    """A renamed table keeps its size under its new name."""
    if operation.op != "rename_table":
        return
    for statement in operation.statements:
        node = parse_statement(statement)
        old = QName(node.relation.schemaname, node.relation.relname)
        new = QName(old.schema, node.newname) if hasattr(node, "newname") else QName(node.newschema, old.name)
        if str(old) in sizes:
            sizes[str(new)] = sizes[str(old)]
