"""Changes of a column's type: free where PostgreSQL only changes its catalog, else in place and dangerous."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.catalog import ddl
from wesley_tui.catalog.model import Column, QName, Ref
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.diff.changes import AlterColumnType
from wesley_tui.planner import checks
from wesley_tui.planner.casts import cast_through, is_lossy, is_metadata_only, needs_session_utc, split_type
from wesley_tui.planner.operations import TYPE_OF, Operation, Phase, column_resource, table_resource
from wesley_tui.planner.plan import StepCheck
from wesley_tui.planner.situation import Situation

__all__ = ["alter_type"]

_TRUNCATED_BY_CAST = frozenset(("character varying", "character", "bit", "bit varying"))


def alter_type(change: AlterColumnType, situation: Situation) -> Iterator[Operation]:
    table, old, new = change.table, change.old, change.new
    free = is_metadata_only(old.type, new.type, timezone=situation.snapshot.timezone)
    forward = _statement(table, old, new, free=free)
    backward_free = is_metadata_only(new.type, old.type, timezone=situation.snapshot.timezone)
    lossy = is_lossy(old.type, new.type)
    time_zone = needs_session_utc(old.type, new.type) and free
    why: tuple[str, ...]
    if free:
        why = ("PostgreSQL stores both types alike: only its catalog changes, no row is read or written",)
    else:
        why = (
            f"{old.type} and {new.type} are stored differently: every row is written again while nobody can use the "
            "table",
            "a shadow column (new column, trigger, batches, swap) would not block; this version does not build one, so "
            "add a new column by hand for a large table, or run the step in a quiet hour",
        )
    yield Operation(
        op="alter_type",
        object=f"{table}.{new.name}",
        wave="EXPAND",
        phase=Phase.COLUMN,
        statements=(forward,),
        undo=() if lossy else (_statement(table, new, old, free=backward_free),),
        prechecks=(
            checks.column_exists(table, new.name),
            checks.nothing_depends_on_column(table, new.name),
            *((_session_is_utc(),) if time_zone else ()),
        ),
        postchecks=(checks.column_has_type(table, new.name, new.type),),
        provides=(column_resource(table, new.name, "typed"),),
        needs=(table_resource(table), *situation.type_needs(new.type)),
        why=why,
        loses=f"digits or characters of {table}.{new.name} that {new.type} has no room for" if lossy else "",
        unbounded=not free,
        disturbs=(
            Ref("column", f"{table}.{new.name}"),
            *(() if free else (Ref(TYPE_OF, f"{table}.{new.name}"),)),
        ),
    )


def _session_is_utc() -> StepCheck:
    return StepCheck(
        "TimeZone of the session is not UTC: PostgreSQL would write every row again; run the step with TimeZone = UTC",
        "SELECT pg_catalog.upper(pg_catalog.current_setting('TimeZone')) IN ('UTC', 'GMT', 'ETC/UTC', 'UCT', 'ZULU')",
    )


def _statement(table: QName, old: Column, new: Column, *, free: bool) -> str:
    """USING only where it is needed: an explicit cast to varchar(n) cuts what is too long, an assignment refuses it."""
    name = quote_ident(new.name)
    collate = ""
    if new.collation != old.collation and new.collation is not None:
        collate = f" COLLATE {qualified(new.collation)}"
    using = ""
    target = split_type(new.type)
    if not free and not (target.base in _TRUNCATED_BY_CAST and target.modifiers):
        through = cast_through(old.type, new.type)
        via = f"::{through}" if through else ""
        using = f" USING {name}{via}::{new.type}"
    action = f"ALTER COLUMN {name} TYPE {new.type}{collate}{using}"
    if not free and old.default is not None:
        action = f"ALTER COLUMN {name} DROP DEFAULT, {action}"
        if new.default is not None:
            action += f", ALTER COLUMN {name} SET DEFAULT {ddl.default_clause(new.default)}"
    return f"ALTER TABLE {qualified(table)} {action}"
