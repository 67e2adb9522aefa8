"""An identity column on a table with rows: numbered in batches, and an identity at the end.

PostgreSQL numbers the rows of a new identity column while nobody can use the table. So a sequence of our own numbers
them first, new rows by a default and the others in batches; NOT NULL is proven; and the identity goes on where that
sequence has got to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from wesley_tui.catalog.identity import identity_clause
from wesley_tui.catalog.model import Column, QName
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal
from wesley_tui.catalog.reading.names import SHADOW_PREFIX
from wesley_tui.planner import checks
from wesley_tui.planner.backfill import can_be_walked
from wesley_tui.planner.estimates import table_bytes
from wesley_tui.planner.forms.not_null import fill_nulls, prove_not_null
from wesley_tui.planner.operations import Operation, Phase, column_resource
from wesley_tui.planner.profiles import profile_named
from wesley_tui.planner.situation import Situation, clipped_name

__all__ = ["is_numbered_in_batches", "number_in_batches", "without_numbers"]


def is_numbered_in_batches(table: QName, situation: Situation) -> bool:
    """False for a table so small that PostgreSQL may number it, and for one that cannot be walked."""
    size = situation.snapshot.sizes.get(situation.old_name(table))
    small = size is not None and table_bytes(size) <= profile_named(situation.options.profile).rewrite_bytes
    live = situation.live_table(table)
    return not small and table not in situation.created and live.partition_by is None and can_be_walked(live)


def without_numbers(column: Column) -> Column:
    """The column as it is added first."""
    return replace(column, identity=None, default=None, not_null=False, not_null_name=None)


def number_in_batches(table: QName, column: Column, added: Operation, situation: Situation) -> Iterator[Operation]:
    """``added``: the operation that adds the column :func:`without_numbers`."""
    assert column.identity is not None
    name = clipped_name(f"{SHADOW_PREFIX}{situation.tag}_", f"{table.name}_{column.name}_seq")
    sequence = qualified(QName(table.schema, name))
    alter = f"ALTER TABLE {qualified(table)} ALTER COLUMN {quote_ident(column.name)}"
    number = f"pg_catalog.nextval({quote_literal(sequence)}::pg_catalog.regclass)"
    yield replace(
        added,
        statements=(
            *added.statements,
            f"CREATE SEQUENCE {sequence} AS {column.type}",
            f"{alter} SET DEFAULT {number}",
        ),
        undo=(*added.undo, f"DROP SEQUENCE {sequence}"),
        provides=(column_resource(table, column.name), column_resource(table, column.name, "default")),
        why=(
            "the column is added without numbers, which touches no row",
            "a sequence numbers the rows that are inserted from now on; the ones before follow in batches",
        ),
    )
    fill = fill_nulls(table, without_numbers(column), number, situation)
    yield fill
    yield from prove_not_null(table, column.name, situation, fill=fill)
    own = f"pg_catalog.pg_get_serial_sequence({quote_literal(qualified(table))}, {quote_literal(column.name)})"
    yield Operation(
        op="add_identity",
        object=f"{table}.{column.name}",
        wave="VALIDATE",
        phase=Phase.KEY,
        statements=(
            f"{alter} DROP DEFAULT",
            f"{alter} ADD {identity_clause(column)}",
            f"SELECT pg_catalog.setval({own}, COALESCE(pg_catalog.pg_sequence_last_value(s.seqrelid), s.seqstart), "
            "pg_catalog.pg_sequence_last_value(s.seqrelid) IS NOT NULL) "
            f"FROM pg_catalog.pg_sequence AS s WHERE s.seqrelid = {quote_literal(sequence)}::pg_catalog.regclass",
            f"DROP SEQUENCE {sequence}",
        ),
        undo=(
            f"CREATE SEQUENCE {sequence} AS {column.type}",
            f"SELECT pg_catalog.setval({quote_literal(sequence)}, "
            "COALESCE(pg_catalog.pg_sequence_last_value(s.seqrelid), s.seqstart), "
            "pg_catalog.pg_sequence_last_value(s.seqrelid) IS NOT NULL) "
            f"FROM pg_catalog.pg_sequence AS s WHERE s.seqrelid = {own}::pg_catalog.regclass",
            f"{alter} DROP IDENTITY",
            f"{alter} SET DEFAULT {number}",
        ),
        prechecks=(checks.column_is_not_null(table, column.name),),
        postchecks=(
            checks.column_is_identity(table, column.name, {"always": "a", "by default": "d"}[column.identity]),
        ),
        provides=(column_resource(table, column.name, "numbered"),),
        needs=(column_resource(table, column.name, "not null"), column_resource(table, column.name, "filled")),
        why=("the identity goes on where the sequence that has numbered the rows has got to",),
        kept="the numbers go on",
    )
