"""Indexes: built and dropped beside readers and writers, or not."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.lint.rules.reading import dropped
from wesley_tui.lint.rules.registry import rule
from wesley_tui.lint.subject import Subject
from wesley_tui.planner.effects.maintenance import options_of

_T = "Indexes"


@rule(
    "require-concurrent-index-creation",
    _T,
    "error",
    "CREATE INDEX without CONCURRENTLY",
    on="IndexStmt",
    why="Writers wait until the index is built (SHARE).",
    fix="CREATE INDEX CONCURRENTLY, outside a transaction; on a partitioned table: ON ONLY, then CONCURRENTLY on each "
    "partition, then ALTER INDEX … ATTACH PARTITION.",
    bad="CREATE INDEX users_email ON users (email);",
    good="CREATE INDEX CONCURRENTLY users_email ON users (email);",
)
def _(s: Subject) -> Iterator[str]:
    only = not s.node.relation.inh
    if not s.node.concurrent and not s.on_new and not only and s.target is not None and not s.is_tiny(s.target):
        yield f"writers of {s.target} wait until the index is built"


@rule(
    "require-concurrent-index-deletion",
    _T,
    "error",
    "DROP INDEX without CONCURRENTLY",
    on="DropStmt",
    why="Readers and writers of the table wait (ACCESS EXCLUSIVE), behind every query that runs.",
    fix="DROP INDEX CONCURRENTLY, outside a transaction.",
    bad="DROP INDEX users_email;",
    good="DROP INDEX CONCURRENTLY users_email;",
)
def _(s: Subject) -> Iterator[str]:
    if not s.node.concurrent:
        for name in dropped(s, "INDEX"):
            table = s.context.index_table(s.context.resolve(*_parts(name)))
            if not s.is_new(table):
                yield f"the table of {name} is closed to readers and writers"


def _parts(name: str) -> tuple[str | None, str]:
    schema, _, last = name.rpartition(".")
    return schema or None, last


@rule(
    "ban-concurrent-index-creation-in-transaction",
    _T,
    "error",
    "CONCURRENTLY in a transaction",
    on="IndexStmt DropStmt ReindexStmt",
    why="PostgreSQL refuses it in a transaction block.",
    fix="Take the statement out of BEGIN … COMMIT; tell the migration tool not to open a transaction for this file.",
    bad="BEGIN;\nCREATE INDEX CONCURRENTLY users_email ON users (email);\nCOMMIT;",
    good="CREATE INDEX CONCURRENTLY users_email ON users (email);",
)
def _(s: Subject) -> Iterator[str]:
    if s.transaction.explicit and not s.effects.in_transaction:
        yield "CONCURRENTLY fails inside a transaction block"


@rule(
    "concurrent-index-if-not-exists",
    _T,
    "info",
    "IF NOT EXISTS over CONCURRENTLY",
    on="IndexStmt",
    why="A build that failed leaves an INVALID index of that name; IF NOT EXISTS then does nothing, silently.",
    fix="DROP INDEX CONCURRENTLY IF EXISTS first, then create without IF NOT EXISTS.",
    bad="CREATE INDEX CONCURRENTLY IF NOT EXISTS users_email ON users (email);",
    good="DROP INDEX CONCURRENTLY IF EXISTS users_email;\nCREATE INDEX CONCURRENTLY users_email ON users (email);",
)
def _(s: Subject) -> Iterator[str]:
    if s.node.concurrent and s.node.if_not_exists:
        yield f"an INVALID {s.node.idxname} from an earlier attempt would stay, unnoticed"


@rule(
    "index-without-name",
    _T,
    "info",
    "An index without a name",
    on="IndexStmt",
    why="The server chooses a name, and another one on the next attempt: INVALID leftovers are hard to find.",
    fix="Name the index.",
    bad="CREATE INDEX CONCURRENTLY ON users (email);",
    good="CREATE INDEX CONCURRENTLY users_email ON users (email);",
)
def _(s: Subject) -> Iterator[str]:
    if s.node.concurrent and not s.node.idxname:
        yield f"the index on {s.target} gets a name that nobody knows"


@rule(
    "concurrent-index-on-partitioned-table",
    _T,
    "error",
    "CONCURRENTLY on a partitioned table",
    on="IndexStmt",
    why="PostgreSQL refuses it.",
    fix="CREATE INDEX … ON ONLY the parent, CONCURRENTLY on each partition, then ALTER INDEX … ATTACH PARTITION.",
    bad="CREATE TABLE m (id bigint, d date, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);\n"
    "CREATE INDEX CONCURRENTLY m_d ON m (d);",
    good="CREATE TABLE m (id bigint, d date, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);\n"
    "CREATE INDEX m_d ON ONLY m (d);",
)
def _(s: Subject) -> Iterator[str]:
    table = s.table(s.target) if s.target is not None else None
    if s.node.concurrent and table is not None and table.partition_by is not None:
        yield f"{s.target} is partitioned: the statement fails"


@rule(
    "reindex-without-concurrently",
    _T,
    "error",
    "REINDEX without CONCURRENTLY",
    on="ReindexStmt",
    why="Writers wait until all is built (SHARE), and readers that use the index too (ACCESS EXCLUSIVE on it).",
    fix="REINDEX (CONCURRENTLY) …",
    bad="REINDEX TABLE users;",
    good="REINDEX TABLE CONCURRENTLY users;",
)
def _(s: Subject) -> Iterator[str]:
    if not options_of(s.node.params).get("concurrently", False) and not s.on_new:
        yield "writers wait until the indexes are built"


@rule(
    "reindex-everything",
    _T,
    "warning",
    "REINDEX of a schema, database or system",
    on="ReindexStmt",
    why="Hours of work in one statement that cannot be resumed.",
    fix="REINDEX TABLE CONCURRENTLY, table by table, the bloated ones.",
    bad="REINDEX (CONCURRENTLY) SCHEMA public;",
    good="REINDEX TABLE CONCURRENTLY users;",
)
def _(s: Subject) -> Iterator[str]:
    if s.node.get("kind") not in ("REINDEX_OBJECT_TABLE", "REINDEX_OBJECT_INDEX"):
        yield "every index of every table is built again"


@rule(
    "index-with-many-columns",
    _T,
    "info",
    "An index of many columns",
    on="IndexStmt",
    why="More than three key columns rarely help a query, and every write pays for them.",
    fix="Index the selective columns; put others into INCLUDE if a query reads only the index.",
    bad="CREATE INDEX CONCURRENTLY i ON users (a, b, c, d, e);",
    good="CREATE INDEX CONCURRENTLY i ON users (a, b) INCLUDE (c);",
)
def _(s: Subject) -> Iterator[str]:
    count = len(s.node.indexParams or ())
    if count > 3 and not s.node.unique and not s.on_new:
        yield f"{count} key columns"


@rule(
    "duplicate-index",
    _T,
    "warning",
    "An index that exists already",
    on="IndexStmt",
    why="Two indexes with the same keys cost twice on every write and help once.",
    fix="Leave the second one out.",
    bad="CREATE TABLE t (id bigint PRIMARY KEY, a text);\nCREATE INDEX i1 ON t (a);\nCREATE INDEX i2 ON t (a);",
    good="CREATE TABLE t (id bigint PRIMARY KEY, a text, b text);\n"
    "CREATE INDEX i1 ON t (a);\nCREATE INDEX i2 ON t (b);",
)
def _(s: Subject) -> Iterator[str]:
    # What a partition has from its parent is one index with it, once the two are attached.
    table = s.context.table(s.target) if s.target is not None else None
    keys = tuple(item.name for item in s.node.indexParams or ())
    if table is None or None in keys or s.node.whereClause is not None or s.node.if_not_exists:
        return
    for index in table.indexes:
        same = tuple(key.column for key in index.keys) == keys and index.method == (s.node.accessMethod or "btree")
        if same and index.where is None and index.unique == bool(s.node.unique) and index.name != s.node.idxname:
            yield f"{index.name} has the same keys"


@rule(
    "renaming-index-as-table",
    _T,
    "error",
    "ALTER TABLE … RENAME of an index",
    on="RenameStmt",
    why="It takes ACCESS EXCLUSIVE on the index and so blocks every query that plans with its table.",
    fix="ALTER INDEX … RENAME TO, which takes SHARE UPDATE EXCLUSIVE.",
    bad="CREATE TABLE t (id bigint PRIMARY KEY, a text);\nCREATE INDEX i ON t (a);\nALTER TABLE i RENAME TO j;",
    good="CREATE TABLE t (id bigint PRIMARY KEY, a text);\nCREATE INDEX i ON t (a);\nALTER INDEX i RENAME TO j;",
)
def _(s: Subject) -> Iterator[str]:
    if s.node.renameType == "OBJECT_TABLE" and s.target is not None and s.context.index_table(s.target) is not None:
        yield f"{s.target} is an index: readers of its table wait"


@rule(
    "moving-index",
    _T,
    "error",
    "ALTER INDEX … SET TABLESPACE",
    on="AlterTableStmt",
    why="The index is copied under ACCESS EXCLUSIVE: queries that plan with it wait.",
    fix="REINDEX (CONCURRENTLY, TABLESPACE name) INDEX …",
    bad="ALTER INDEX users_email SET TABLESPACE fast;",
    good="REINDEX (TABLESPACE fast, CONCURRENTLY) INDEX users_email;",
)
def _(s: Subject) -> Iterator[str]:
    if s.node.objtype == "OBJECT_INDEX" and any(item.subtype == "AT_SetTableSpace" for item in s.node.cmds):
        yield f"{s.target} is copied while queries of its table wait"


@rule(
    "hash-index",
    _T,
    "info",
    "A hash index",
    on="IndexStmt",
    why="It serves equality of one column only, cannot be unique, and is rarely smaller than a B-tree.",
    fix="A B-tree, unless the keys are long and only compared for equality.",
    bad="CREATE INDEX CONCURRENTLY i ON users USING hash (email);",
    good="CREATE INDEX CONCURRENTLY i ON users (email);",
)
def _(s: Subject) -> Iterator[str]:
    if s.node.accessMethod == "hash":
        yield f"{s.node.idxname or 'the index'} serves nothing but equality"


@rule(
    "unique-index-of-rows-that-exist",
    _T,
    "info",
    "A unique index on a table with rows",
    on="IndexStmt",
    why="Two rows with the same value make it fail, and CONCURRENTLY leaves an INVALID index behind, which may refuse "
    "what clients write all the same.",
    fix="Look for duplicates first; when it failed, DROP INDEX CONCURRENTLY and try again.",
    bad="CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);",
    good="CREATE INDEX CONCURRENTLY users_email ON users (email);",
)
def _(s: Subject) -> Iterator[str]:
    if s.node.unique and not s.on_new:
        yield f"it fails when two rows of {s.target} have the same value"
