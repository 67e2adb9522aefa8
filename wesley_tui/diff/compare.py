"""Compare two catalogs: what would have to change in the live one to be the desired one.

The story in order: renames first (:mod:`wesley_tui.diff.renames`), so that everything below speaks of things by their
new names; then schemas, enums and tables, each matched by name. What the live database holds and the schema does not
declare is *unmanaged*: listed, and left alone unless the author adopted the whole database or marked it with ``@drop``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, Ref, Table
from wesley_tui.catalog.naming import default_name, qualified
from wesley_tui.diff.accepting import with_accepted
from wesley_tui.diff.changes import (
    AddColumn,
    AlterColumnType,
    Change,
    CreateEnum,
    CreateObject,
    CreateSchema,
    CreateTable,
    Diff,
    DropEnum,
    DropTable,
    FillComputed,
    RenameQuestion,
    ReplaceObject,
)
from wesley_tui.diff.enums import compare_enum
from wesley_tui.diff.family import compared
from wesley_tui.diff.ignoring import without_ignored
from wesley_tui.diff.objects import OWN_SCHEMAS, Scope, compare_objects, compare_relation_grants, compare_schema_details
from wesley_tui.diff.renames import renamed_catalog, table_questions, wanted_renames
from wesley_tui.diff.tables import compare_table

__all__ = ["OWN_SCHEMAS", "compare"]


def compare(
    actual: Catalog,
    desired: Catalog,
    intent: Intent,
    *,
    adopt_all: bool = False,
    accept_renames: Collection[str] = (),
    ignore: Collection[str] = (),
) -> Diff:
    """What differs, in an order that is stable and has no meaning for execution.

    With ``adopt_all``, objects that live in a schema which ``desired`` names and are not declared are dropped; without,
    and when something that stays is of the type, they are listed in :attr:`Diff.unmanaged`.

    ``accept_renames`` answers questions with yes: ``public.old=new``, ``table:public.old=public.new``,
    ``column:public.t.old=new`` (:mod:`wesley_tui.diff.accepting`; raises ``ValueError`` for a text that is none).
    ``ignore`` are patterns (:mod:`wesley_tui.diff.ignoring`): what they match is neither compared nor listed.
    """
    if ignore:
        actual, desired = without_ignored(actual, ignore), without_ignored(desired, ignore)
    if accept_renames:
        intent = with_accepted(intent, actual, accept_renames)
    renames = wanted_renames(actual, desired, intent)
    live = renamed_catalog(actual, renames)
    named = desired.schemas | {
        name.schema for name in (*desired.tables, *desired.enums, *(item.name for item in desired.objects.values()))
    }
    named -= {""}
    scope = Scope(live, desired, intent, adopt_all, named)
    changes: list[Change] = [CreateSchema(schema) for schema in sorted(named - actual.schemas - {"public"})]
    changes += renames
    questions: list[RenameQuestion] = []
    unmanaged: list[str] = [
        f"{item.kind} {item.name}" for item in live.unmanaged if item.name.schema not in OWN_SCHEMAS
    ]
    for enum_name, enum in sorted(desired.enums.items()):
        live_enum = live.enums.get(enum_name)
        if live_enum is None:
            changes.append(CreateEnum(enum))
        elif live_enum != enum:
            changes += compare_enum(live_enum, enum, live)
            changes += compare_relation_grants(live_enum, enum, scope, unmanaged)
    created: list[Table] = []
    for name, table in sorted(desired.tables.items()):
        live_table = live.tables.get(name)
        if live_table is None:
            created.append(table)
        elif live_table is not table:
            changes += compare_table(*compared(live_table, table, live, desired), questions)
            changes += compare_relation_grants(live_table, table, scope, unmanaged)
    changes += [CreateTable(table) for table in created]

    left: list[Table] = []
    for name in sorted(live.tables.keys() - desired.tables.keys()):
        if name.schema in OWN_SCHEMAS:
            continue
        if name in scope.gone_tables:
            changes.append(DropTable(live.tables[name]))
        else:
            left.append(live.tables[name])
            unmanaged.append(f"table {name}")
    in_use = {column.type.removesuffix("[]") for table in left for column in table.columns}
    for enum_name in sorted(live.enums.keys() - desired.enums.keys()):
        if enum_name.schema in OWN_SCHEMAS:
            continue
        wanted_gone = Ref("type", str(enum_name)) in intent.dropped_objects
        if (wanted_gone or (adopt_all and enum_name.schema in named)) and qualified(enum_name) not in in_use:
            changes.append(DropEnum(live.enums[enum_name]))
        else:
            unmanaged.append(f"enum {enum_name}")
    changes += compare_objects(scope, unmanaged)
    changes += compare_schema_details(scope, unmanaged)
    if created and left:
        questions += table_questions(created, [table for table in left if table.name.schema in named])
    if intent.computed:
        changes += _to_fill(changes, live, intent)
    if intent.conversions:
        changes = [_with_conversion(change, intent) for change in changes]
    return Diff(tuple(changes), tuple(sorted(unmanaged)), tuple(questions))


def _to_fill(changes: list[Change], live: Catalog, intent: Intent) -> list[FillComputed]:
    """Computed columns of tables that exist, if they are new or what computes them is."""
    added = {(change.table, change.column.name) for change in changes if isinstance(change, AddColumn)}
    made = {change.object.ref for change in changes if isinstance(change, CreateObject)}
    made |= {change.new.ref for change in changes if isinstance(change, ReplaceObject)}
    found = []
    for (table, column), value in sorted(intent.computed.items()):
        compute = default_name(table.name, (column,), "compute")
        function = Ref("function", f"{table.schema}.{compute}()")
        trigger = Ref("trigger", f"{compute} ON {table}")
        if table in live.tables and ((table, column) in added or not made.isdisjoint((function, trigger))):
            keepers = tuple(sorted(ref for ref in made if ref.kind in ("function", "trigger")))
            found.append(FillComputed(table, column, value, keepers))
    return found


def _with_conversion(change: Change, intent: Intent) -> Change:
    if not isinstance(change, AlterColumnType):
        return change
    using = intent.conversions.get((change.table, change.new.name))
    return change if using is None else replace(change, using=using)
