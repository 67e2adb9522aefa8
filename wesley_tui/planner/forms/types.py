"""Changes of a column's type: free where PostgreSQL only changes its catalog, else by shadow column, or in place.

In place means that every row is written again under ACCESS EXCLUSIVE. That is left for tables so small that nobody
notices, and for columns that nothing else can be done with; the step says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wesley_tui.catalog import ddl
from wesley_tui.catalog.model import Column, QName, Ref
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal
from wesley_tui.diff.changes import AlterColumnType, RefuseChange
from wesley_tui.planner import checks
from wesley_tui.planner.bounds import key_columns
from wesley_tui.planner.casts import is_lossy, needs_session_utc
from wesley_tui.planner.conversion import conversion_between
from wesley_tui.planner.forms.partitions import refuse
from wesley_tui.planner.forms.shadow import change_by_shadow
from wesley_tui.planner.operations import TYPE_OF, Operation, Phase, column_resource, table_resource
from wesley_tui.planner.plan import StepCheck
from wesley_tui.planner.profiles import profile_named
from wesley_tui.planner.recompiling import compiled_again_in_place
from wesley_tui.planner.situation import Situation
from wesley_tui.planner.stored import is_stored_alike

__all__ = ["alter_type"]


def alter_type(change: AlterColumnType, situation: Situation) -> Iterator[Operation]:
    """By shadow column, or in place; the columns of one party come together, with the first of them."""
    partitioned_by = situation.live_table(change.table).partition_by
    if partitioned_by is not None and change.new.name in key_columns(partitioned_by):
        why = (
            f"{change.table} is partitioned by {change.new.name}, and PostgreSQL does not change the type of a column "
            "of a partition key: make a new table and copy the rows"
        )
        yield from refuse(RefuseChange(str(change.table), why), situation)
        return
    party = situation.shadows.party_of(change.table, change.new.name)
    if not party:
        yield _in_place(change, situation)
    elif (party[0].name, party[0].columns[0].name) == (change.table, change.new.name):
        yield from change_by_shadow(party, situation)


def _in_place(change: AlterColumnType, situation: Situation) -> Operation:
    table, old, new = change.table, change.old, change.new
    timezone = situation.snapshot.timezone
    free = change.using is None and situation.is_stored_alike(old.type, new.type)
    forward = _statement(table, old, new, timezone, free=free, using=change.using)
    backward_free = is_stored_alike(new.type, old.type, situation.desired, situation.live, timezone=timezone)
    lossy = change.using is not None or is_lossy(old.type, new.type)
    reason = situation.shadows.direct.get((table, new.name), "")
    small = (table, new.name) in situation.shadows.small
    time_zone = needs_session_utc(old.type, new.type) and free
    followed = (*_statistics_targets(table, situation), *_compiled_again(table, old, new, situation))
    why: tuple[str, ...]
    if free:
        why = ("PostgreSQL stores both types alike: only its catalog changes, no row is read or written",)
    else:
        why = (
            f"{old.type} and {new.type} are stored differently: every row is written again while nobody can use the "
            "table",
            f"in place, without a shadow column: {reason}",
        )
    return Operation(
        op="alter_type",
        object=f"{table}.{new.name}",
        wave="EXPAND",
        phase=Phase.COLUMN,
        statements=(forward, *followed),
        undo=()
        if lossy
        else (_statement(table, new, old, timezone, free=backward_free, back=_lost_default(old, new)), *followed),
        prechecks=(
            checks.column_exists(table, new.name),
            checks.nothing_depends_on_column(table, new.name),
            *((_session_is_utc(),) if time_zone else ()),
            *((_still_small(table, situation),) if small else ()),
        ),
        postchecks=(checks.column_has_type(table, new.name, new.type),),
        provides=(column_resource(table, new.name, "typed"),),
        needs=(
            table_resource(table),
            column_resource(table, new.name, "unnumbered"),
            *situation.type_needs(new.type),
        ),
        why=why,
        loses=f"digits or characters of {table}.{new.name} that {new.type} has no room for" if lossy else "",
        unbounded=not free,
        small=_with_partitions(table, situation) if small else (),
        kept="every value is converted" if small else "",
        disturbs=(
            Ref("column", f"{table}.{new.name}"),
            *(() if free else (Ref(TYPE_OF, f"{table}.{new.name}"),)),
        ),
    )


def _statistics_targets(table: QName, situation: Situation) -> tuple[str, ...]:
    """Up to PostgreSQL 16, extended statistics over a column lose their target when its type changes."""
    if situation.snapshot.major >= 17:
        return ()
    return tuple(
        statement
        for ref in situation.standing_on.get(Ref("table", str(table)), ())
        if ref.kind == "statistics" and ref not in situation.leaving
        for statement in situation.live.objects[ref].statements[1:]
    )


def _compiled_again(table: QName, old: Column, new: Column, situation: Situation) -> tuple[str, ...]:
    """A function does not look at how long a varchar may be."""
    if old.type.partition("(")[0] == new.type.partition("(")[0]:
        return ()
    return compiled_again_in_place(table, situation)


def _lost_default(old: Column, new: Column) -> bool:
    """Whether the change takes a default off; that of a sequence comes and goes with the sequence."""
    return old.default is not None and new.default is None and "nextval(" not in old.default


def _session_is_utc() -> StepCheck:
    return StepCheck(
        "TimeZone of the session is not UTC: PostgreSQL would write every row again; run the step with TimeZone = UTC",
        "SELECT pg_catalog.upper(pg_catalog.current_setting('TimeZone')) IN ('UTC', 'GMT', 'ETC/UTC', 'UCT', 'ZULU')",
    )


def _with_partitions(table: QName, situation: Situation) -> tuple[str, ...]:
    found = [table]
    for name in found:
        found += situation.partitions.get(name, ())
    return tuple(map(str, found))


def _still_small(table: QName, situation: Situation) -> StepCheck:
    """A plan may wait for long before it runs."""
    limit = 4 * profile_named(situation.options.profile).rewrite_bytes
    return StepCheck(
        f"{table} has grown since the plan was made: plan again, and its column changes without blocking anybody",
        "SELECT COALESCE(pg_catalog.sum(pg_catalog.pg_relation_size(p.relid)), "
        f"pg_catalog.pg_relation_size({quote_literal(qualified(table))}::pg_catalog.regclass)) <= {limit} "
        f"FROM pg_catalog.pg_partition_tree({quote_literal(qualified(table))}::pg_catalog.regclass) AS p",
    )


def _statement(
    table: QName,
    old: Column,
    new: Column,
    timezone: str,
    *,
    free: bool,
    using: str | None = None,
    back: bool = False,
) -> str:
    """USING only where it is needed: an explicit cast to varchar(n) cuts what is too long, an assignment refuses it.
    ``back``: the default that went comes back, where the new column has none."""
    name = quote_ident(new.name)
    collate = ""
    if new.collation != old.collation and new.collation is not None:
        collate = f" COLLATE {qualified(new.collation)}"
    value = name
    if new.generated is not None:
        free, using = True, None  # PostgreSQL computes it again, and takes no USING
    if using is not None:
        value = f"({using})"
    elif not free:
        plain = replace(new, not_null=False)
        value = conversion_between(old, plain, table=table.name, timezone=timezone).plain
    action = f"ALTER COLUMN {name} TYPE {new.type}{collate}{f' USING {value}' if value != name else ''}"
    if not free and (old.default is not None or back):
        action = f"ALTER COLUMN {name} DROP DEFAULT, {action}"
        if new.default is not None:
            action += f", ALTER COLUMN {name} SET DEFAULT {ddl.default_clause(new.default)}"
    return f"ALTER TABLE {qualified(table)} {action}"
