"""Foreign keys: on a table with rows NOT VALID first, proven later; on a new table at once."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.catalog import ddl
from wesley_tui.catalog.model import ForeignKey, QName
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.planner import checks
from wesley_tui.planner.forms.partitioned import add_foreign_key_by_partition, is_partitioned
from wesley_tui.planner.operations import (
    Operation,
    Phase,
    column_resource,
    constraint_resource,
    persistence_resource,
    table_resource,
)
from wesley_tui.planner.situation import Situation, key_resources

__all__ = ["add_foreign_key", "add_foreign_key_to_new_table", "validate"]


def add_foreign_key_to_new_table(table: QName, key: ForeignKey, situation: Situation) -> Iterator[Operation]:
    comment = (ddl.comment_on("constraint", table, key.name, key.comment),) if key.comment is not None else ()
    yield Operation(
        op="add_foreign_key",
        object=f"{table}.{key.name}",
        wave="EXPAND",
        phase=Phase.FOREIGN_KEY,
        statements=(ddl.add_constraint(table, key), *comment),
        undo=(f"ALTER TABLE {qualified(table)} DROP CONSTRAINT {quote_ident(key.name)}",),
        prechecks=(checks.constraint_absent(table, key.name),),
        postchecks=(
            (checks.constraint_valid if key.validated and key.enforced else checks.constraint_exists)(table, key.name),
        ),
        provides=(constraint_resource(table, key.name), constraint_resource(table, key.name, "valid")),
        needs=(
            table_resource(table),
            persistence_resource(key.references),
            *key_resources(situation, key.references, key.referenced_columns),
        ),
        why=(f"{table} is new and empty: there is nothing to prove",),
    )


def add_foreign_key(table: QName, key: ForeignKey, situation: Situation) -> Iterator[Operation]:
    """ADD … NOT VALID binds new rows at once; VALIDATE proves the old ones while writers go on."""
    if is_partitioned(table, situation) and situation.snapshot.major < 18:
        yield from add_foreign_key_by_partition(table, key, situation)
        return
    comment = (ddl.comment_on("constraint", table, key.name, key.comment),) if key.comment is not None else ()
    yield Operation(
        op="add_foreign_key_not_valid",
        object=f"{table}.{key.name}",
        wave="EXPAND",
        phase=Phase.FOREIGN_KEY,
        statements=(ddl.add_constraint(table, key, not_valid=key.enforced), *comment),
        undo=(f"ALTER TABLE {qualified(table)} DROP CONSTRAINT {quote_ident(key.name)}",),
        prechecks=(
            checks.table_exists(table),
            checks.table_exists(key.references),
            checks.constraint_absent(table, key.name),
        ),
        postchecks=(checks.constraint_exists(table, key.name),),
        provides=(constraint_resource(table, key.name),),
        needs=(
            table_resource(table),
            persistence_resource(table),
            persistence_resource(key.references),
            *(column_resource(table, column) for column in key.columns),
            *key_resources(situation, key.references, key.referenced_columns),
        ),
        why=(
            "NOT VALID: existing rows are not read under the lock, they are proven by a later step",
            f"the other table, {key.references}, is locked too: writers of both wait for a moment",
        ),
    )
    if key.validated and key.enforced:
        yield validate(table, key.name, tuple(column_resource(table, column, "filled") for column in key.columns))


def validate(table: QName, constraint: str, needs: tuple[str, ...] = ()) -> Operation:
    """VALIDATE CONSTRAINT. It has no undo and needs none: that a rule is proven takes nothing from anybody."""
    return Operation(
        op="validate_constraint",
        object=f"{table}.{constraint}",
        wave="VALIDATE",
        phase=Phase.PROOF,
        statements=(f"ALTER TABLE {qualified(table)} VALIDATE CONSTRAINT {quote_ident(constraint)}",),
        prechecks=(checks.constraint_exists(table, constraint),),
        postchecks=(checks.constraint_valid(table, constraint),),
        provides=(constraint_resource(table, constraint, "valid"),),
        needs=(constraint_resource(table, constraint), *needs),
        why=("the table is read once under SHARE UPDATE EXCLUSIVE: readers and writers go on",),
        unbounded=True,
    )
