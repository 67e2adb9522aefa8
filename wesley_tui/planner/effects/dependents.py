"""Who needs what: found in the catalog's dependencies, for CASCADE."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.catalog.model import QName, Ref
from wesley_tui.planner.effects.context import EffectContext
from wesley_tui.planner.effects.record import Tally
from wesley_tui.planner.plan import LockMode

__all__ = ["drop_users", "typed_tables"]


def typed_tables(context: EffectContext) -> Iterator[QName]:
    """Tables OF some composite type. The catalog lists them without saying of which, so all of them are meant."""
    for item in context.catalog.unmanaged if context.catalog is not None else ():
        if item.kind == "typed table":
            yield item.name


def drop_users(ref: Ref, context: EffectContext, tally: Tally) -> None:
    """Whatever needs what goes, under CASCADE."""
    if not context.complete:
        tally.assumes.append(f"nothing depends on {ref}; what does is dropped too")
    for item in context.links.users.get(ref, ()):
        match item.kind:
            case "view" | "materialized view" if item.name not in tally.locks:
                tally.lock(item.name, LockMode.AccessExclusiveLock)
                tally.loses.append(f"{item.kind} {item.name}")
                tally.breaks.append(f"clients that still use {item.name}")
                drop_users(Ref(item.kind, str(item.name)), context, tally)
            case "trigger" | "rule" if item.relation is not None and ref != Ref("table", str(item.relation)):
                table = context.table(item.relation)
                partitioned = table is not None and table.partition_by is not None
                for found in (item.relation, *(context.descendants(item.relation) if partitioned else ())):
                    tally.lock(found, LockMode.AccessExclusiveLock)
                tally.loses.append(f"{item.kind} {item.name.name} of {item.relation}")
            case _:
                pass
    if ref.kind == "table":
        return
    for table in context.tables():
        if ref in table.depends_on:
            for found in (table.name, *context.descendants(table.name)):
                tally.lock(found, LockMode.AccessExclusiveLock)
            tally.loses.append(f"columns, defaults or constraints of {table.name} that use {ref}")
