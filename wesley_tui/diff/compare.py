"""Compare two catalogs: what would have to change in the live one to be the desired one.

The story in order: renames first (:mod:`wesley_tui.diff.renames`), so that everything below speaks of things by their
new names; then schemas, enums and tables, each matched by name. What the live database holds and the schema does not
declare is *unmanaged*: listed, and left alone unless the author adopted the whole database or marked it with ``@drop``.
"""

from __future__ import annotations

from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, SqlObject, Table
from wesley_tui.catalog.naming import qualified
from wesley_tui.diff.changes import (
    Change,
    CreateEnum,
    CreateSchema,
    CreateTable,
    Diff,
    DropEnum,
    DropTable,
    RenameQuestion,
)
from wesley_tui.diff.enums import compare_enum
from wesley_tui.diff.renames import renamed_catalog, table_questions, wanted_renames
from wesley_tui.diff.tables import compare_table

__all__ = ["OWN_SCHEMAS", "compare"]

OWN_SCHEMAS = frozenset(("wesley", "wesley_retired"))
"""Schemas of Wesley itself: the rails, and what was retired. No schema declares them and no plan touches what is in
them."""


def compare(actual: Catalog, desired: Catalog, intent: Intent, *, adopt_all: bool = False) -> Diff:
    """What differs, in an order that is stable and has no meaning for execution.

    With ``adopt_all``, tables and enums that live in a schema which ``desired`` names and are not declared are dropped;
    without, and when something that stays is of the type, they are listed in :attr:`Diff.unmanaged`.
    """
    renames = wanted_renames(actual, desired, intent)
    live = renamed_catalog(actual, renames)
    named = desired.schemas | {name.schema for name in (*desired.tables, *desired.enums)}
    changes: list[Change] = [CreateSchema(schema) for schema in sorted(named - actual.schemas - {"public"})]
    changes += renames
    questions: list[RenameQuestion] = []
    for enum_name, enum in sorted(desired.enums.items()):
        live_enum = live.enums.get(enum_name)
        if live_enum is None:
            changes.append(CreateEnum(enum))
        elif live_enum != enum:
            changes += compare_enum(live_enum, enum, live)
    created: list[Table] = []
    for name, table in sorted(desired.tables.items()):
        live_table = live.tables.get(name)
        if live_table is None:
            created.append(table)
        elif live_table is not table:
            changes += compare_table(live_table, table, questions)
    changes += [CreateTable(table) for table in created]

    left: list[Table] = []
    unmanaged: list[str] = [
        f"{item.kind} {item.name}" for item in live.unmanaged if item.name.schema not in OWN_SCHEMAS
    ]
    unmanaged += [
        str(ref)
        for ref, item in live.objects.items()
        if ref not in desired.objects and item.name.schema not in OWN_SCHEMAS and item.owned_by is None
    ]
    unmanaged += [str(ref) for ref, item in live.objects.items() if ref not in desired.objects and _is_theirs(item)]
    for name in sorted(live.tables.keys() - desired.tables.keys()):
        if name.schema in OWN_SCHEMAS:
            continue
        if name in intent.dropped_tables or (adopt_all and name.schema in named):
            changes.append(DropTable(live.tables[name]))
        else:
            left.append(live.tables[name])
            unmanaged.append(f"table {name}")
    in_use = {column.type.removesuffix("[]") for table in left for column in table.columns}
    for enum_name in sorted(live.enums.keys() - desired.enums.keys()):
        if enum_name.schema in OWN_SCHEMAS:
            continue
        if adopt_all and enum_name.schema in named and qualified(enum_name) not in in_use:
            changes.append(DropEnum(live.enums[enum_name]))
        else:
            unmanaged.append(f"enum {enum_name}")
    if created and left:
        questions += table_questions(created, [table for table in left if table.name.schema in named])
    return Diff(tuple(changes), tuple(sorted(unmanaged)), tuple(questions))


def _is_theirs(item: SqlObject) -> bool:
    """Whether an object belongs to the people of the database, not to Wesley or to PostgreSQL's own installation."""
    return item.name.schema not in OWN_SCHEMAS and item.name.schema != "pg_catalog"
