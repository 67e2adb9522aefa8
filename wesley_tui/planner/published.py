"""Backfills of tables that publish their updates: without a replica identity PostgreSQL refuses every UPDATE.

It says so (SQLSTATE 55000, ``CheckCmdReplicaIdentity()``) at the first batch, when half of the plan is done. So it is
looked for before anything is done: in the catalog as it is when the backfill comes, because the same plan may give the
table a key; and, as a step of wave PLAN, in the database, because somebody may have helped since.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from wesley_tui.catalog.model import Catalog, QName, Ref, SqlObject, Table
from wesley_tui.catalog.naming import qualified, quote_literal
from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.planner.effects import EffectContext, effects_of_all
from wesley_tui.planner.operations import Operation, Phase
from wesley_tui.planner.parse import parse_statement
from wesley_tui.planner.plan import StepCheck

__all__ = ["can_be_updated", "is_identified", "publishing", "with_identity_required"]


def with_identity_required(operations: Sequence[Operation], snapshot: Snapshot) -> list[Operation]:
    """``operations``, in their order, behind a check for each table whose rows cannot be updated when its backfill
    comes."""
    if not any(item.backfill for item in operations) or not _publications(snapshot.catalog):
        return list(operations)
    context = EffectContext(snapshot.server_version_num, snapshot.timezone, snapshot.catalog)
    required: dict[str, Operation] = {}
    result: list[Operation] = []
    for operation in operations:
        if operation.backfill is not None and context.catalog is not None:
            resource = f"identified {operation.backfill.table}"
            if resource not in required:
                refused = list(_refusing(operation.backfill.table, context.catalog))
                if refused:
                    required[resource] = _required(resource, operation.backfill.table, refused)
            if resource in required:
                operation = replace(operation, needs=(*operation.needs, resource))
        elif operation.statements:
            _, context = effects_of_all(operation.statements, context)
        result.append(operation)
    return [*required.values(), *result]


def is_identified(table: Table) -> bool:
    """Whether subscribers are told which row an UPDATE is about."""
    if table.replica_identity is None:
        key = table.primary_key
        return key is not None and not key.deferrable
    return table.replica_identity != "nothing"


def publishing(table: Table, catalog: Catalog) -> SqlObject | None:
    """A publication that the updates of ``table`` go to, by itself or with a table that it is a partition of."""
    for publication in _publications(catalog):
        above: Table | None = table
        while above is not None:
            if _names(publication, above.name) and not above.unlogged:
                return publication
            above = catalog.tables.get(above.partition_of) if above.partition_of is not None else None
    return None


def _publications(catalog: Catalog) -> list[SqlObject]:
    return [
        item
        for item in catalog.objects.values()
        if item.kind == "publication"
        and ((said := re.search(r"\bpublish\s*=\s*'([^']*)'", item.statements[0])) is None or "update" in said[1])
    ]


def _names(publication: SqlObject, table: QName) -> bool:
    return (
        "FOR ALL TABLES" in publication.statements[0].upper()
        or Ref("table", str(table)) in publication.depends_on
        or table.schema in _schemas(publication.statements[0])
    )


@lru_cache(maxsize=256)
def _schemas(statement: str) -> frozenset[str]:
    """Those whose tables are all published."""
    return frozenset(item.name for item in parse_statement(statement).pubobjects or () if item.pubtable is None)


def _refusing(name: str, catalog: Catalog) -> Iterator[tuple[Table, SqlObject]]:
    """The table, or those of its partitions, that take no UPDATE."""
    pending = [item for item in catalog.tables.values() if str(item.name) == name]
    while pending:
        table = pending.pop()
        if table.partition_by is not None:
            pending += (item for item in catalog.tables.values() if item.partition_of == table.name)
        elif not is_identified(table) and (publication := publishing(table, catalog)) is not None:
            yield table, publication


def _required(resource: str, name: str, refused: Sequence[tuple[Table, SqlObject]]) -> Operation:
    tables = ", ".join(sorted(str(table.name) for table, _ in refused))
    names = ", ".join(sorted({publication.name.name for _, publication in refused}))
    first = refused[0][0].name
    why = (
        f"{tables} is published by {names} and has no replica identity: PostgreSQL refuses every UPDATE of it, and so "
        f"the backfill of {name}. Nothing was changed; write a primary key, or ALTER TABLE {qualified(first)} REPLICA "
        "IDENTITY FULL, or take it out of the publication, then run again"
    )
    return Operation(
        op="require_replica_identity",
        object=name,
        wave="PLAN",
        phase=Phase.SCHEMA,
        prechecks=tuple(StepCheck(why, can_be_updated(table.name)) for table, _ in refused),
        provides=(resource,),
        why=("rows of this table are updated in batches, which its publication makes impossible as things are",),
        danger=why,
    )


def can_be_updated(table: QName) -> str:
    """SQL that is true once the table has an identity, or is no longer published with its updates. The index must be
    one that never waits (``RelationGetIndexList()``)."""
    itself = f"{quote_literal(qualified(table))}::pg_catalog.regclass"
    usable = "x.indrelid = c.oid AND x.indisvalid AND x.indimmediate"
    return (
        "SELECT c.relreplident = 'f' OR EXISTS (SELECT 1 FROM pg_catalog.pg_index AS x "
        f"WHERE {usable} AND CASE c.relreplident WHEN 'd' THEN x.indisprimary ELSE x.indisreplident END) "
        "OR NOT EXISTS (SELECT 1 FROM pg_catalog.pg_publication_tables AS t "
        "JOIN pg_catalog.pg_publication AS p ON p.pubname = t.pubname AND p.pubupdate "
        "JOIN pg_catalog.pg_namespace AS n ON n.nspname = t.schemaname "
        "JOIN pg_catalog.pg_class AS o ON o.relnamespace = n.oid AND o.relname = t.tablename "
        f"WHERE o.oid = c.oid OR o.oid IN (SELECT a FROM pg_catalog.pg_partition_ancestors(c.oid) AS a)) "
        f"FROM pg_catalog.pg_class AS c WHERE c.oid = {itself}"
    )
