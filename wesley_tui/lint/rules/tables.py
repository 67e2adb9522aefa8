"""Tables, partitions, views of the whole: what is rewritten, closed, moved or gone."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.lint.rules.reading import actions
from wesley_tui.lint.rules.registry import rule
from wesley_tui.lint.rules.simple import altering, dropping, renaming, when
from wesley_tui.lint.subject import Subject

_T = "Tables and partitions"
_ALTER = "AlterTableStmt"
_KEYED = "CREATE TABLE t (id bigint PRIMARY KEY, d date);"

rule(
    "ban-drop-table",
    _T,
    "error",
    "Dropping a table",
    on="DropStmt",
    why="All rows are gone, and every client that still uses the table fails. Foreign keys lock their other table.",
    fix="Rename it out of the way or move it to another schema, wait, and drop it later.",
    bad="DROP TABLE users;",
    good=_KEYED + "\nDROP TABLE t;",
)(dropping("TABLE", "all rows of {name} are gone"))

rule(
    "renaming-table",
    _T,
    "error",
    "Renaming a table",
    on="RenameStmt",
    why="Every client that still uses the old name fails at the moment of the commit.",
    fix="Rename and create a view of the old name in one transaction; drop the view when nobody uses it.",
    bad="ALTER TABLE users RENAME TO people;",
    good=_KEYED + "\nALTER TABLE t RENAME TO u;",
)(renaming("clients that use {name} fail", "TABLE"))

rule(
    "moving-table",
    _T,
    "error",
    "ALTER TABLE … SET SCHEMA",
    on="AlterObjectSchemaStmt",
    why="Clients that name the old schema, or find the table by their search_path, fail.",
    fix="Leave a view behind in the old schema, in the same transaction.",
    bad="ALTER TABLE users SET SCHEMA archive;",
    good="CREATE VIEW archive.users AS SELECT id, name FROM public.users;",
)(when(lambda node, s: node.objectType == "OBJECT_TABLE" and not s.on_new, "clients that use {target} fail"))


@rule(
    "ban-truncate",
    _T,
    "error",
    "TRUNCATE",
    on="TruncateStmt",
    why="All rows are gone, under ACCESS EXCLUSIVE; triggers for DELETE do not fire.",
    fix="DELETE in batches, or truncate in a maintenance window.",
    bad="TRUNCATE users;",
    good="DELETE FROM users WHERE id BETWEEN 1 AND 1000;",
)
def _(s: Subject) -> Iterator[str]:
    for relation in s.node.relations:
        if not s.is_new(s.name(relation)):
            yield f"all rows of {s.name(relation)} are gone"


rule(
    "ban-truncate-cascade",
    _T,
    "error",
    "TRUNCATE … CASCADE",
    on="TruncateStmt",
    why="Every table that points to this one is emptied too, and those that point to them.",
    fix="Name the tables that are to be emptied.",
    bad="TRUNCATE users CASCADE;",
    good="DELETE FROM users WHERE id BETWEEN 1 AND 1000;",
)(when(lambda node, s: node.behavior == "DROP_CASCADE", "every table with a foreign key to these is emptied too"))

rule(
    "drop-cascade",
    _T,
    "error",
    "DROP … CASCADE",
    on="DropStmt",
    why="Whatever depends on the object goes with it, unnamed: views, constraints, columns, defaults.",
    fix="Drop what depends on it by name, in statements of their own.",
    bad="DROP TABLE users CASCADE;",
    good=_KEYED + "\nDROP TABLE t;",
)(when(lambda node, s: node.behavior == "DROP_CASCADE", "everything that depends on it goes with it, unnamed"))

rule(
    "set-unlogged",
    _T,
    "error",
    "SET UNLOGGED",
    on=_ALTER,
    why="The table is written again under ACCESS EXCLUSIVE, and is empty after a crash and on every standby.",
    fix="Leave it logged.",
    bad="ALTER TABLE users SET UNLOGGED;",
    good="CREATE UNLOGGED TABLE users_staging (id bigint PRIMARY KEY, name text);",
)(altering("{table} is empty after a crash, and written again now", "SetUnLogged"))

rule(
    "set-logged",
    _T,
    "error",
    "SET LOGGED",
    on=_ALTER,
    why="The table is written again under ACCESS EXCLUSIVE, and all of it to the WAL.",
    fix="Fill a new logged table beside it, and swap the two.",
    bad="ALTER TABLE users SET LOGGED;",
    good="CREATE TABLE users_logged (LIKE users INCLUDING ALL);",
)(altering("{table} is written again under the lock", "SetLogged"))

rule(
    "creating-unlogged-table",
    _T,
    "info",
    "CREATE UNLOGGED TABLE",
    on="CreateStmt",
    why="It is empty after a crash, and always on standbys.",
    fix="A plain table, unless losing every row is fine.",
    bad="CREATE UNLOGGED TABLE t (id bigint PRIMARY KEY);",
    good="CREATE TEMPORARY TABLE staging (id bigint PRIMARY KEY);",
)(when(lambda node, s: node.relation.relpersistence == "u", "{target} is empty after a crash"))

rule(
    "set-tablespace",
    _T,
    "error",
    "SET TABLESPACE",
    on=_ALTER,
    why="Every block is copied under ACCESS EXCLUSIVE.",
    fix="pg_repack, or a new table that is filled and swapped in.",
    bad="ALTER TABLE users SET TABLESPACE fast;",
    good="CREATE TABLE users_fast (LIKE users INCLUDING ALL) TABLESPACE fast;",
)(altering("{table} is copied under the lock", "SetTableSpace"))

rule(
    "set-access-method",
    _T,
    "error",
    "SET ACCESS METHOD",
    on=_ALTER,
    why="Every row is written again under ACCESS EXCLUSIVE.",
    fix="Fill a new table beside it, and swap the two.",
    bad="ALTER TABLE users SET ACCESS METHOD columnar;",
    good="CREATE TABLE users_columnar (id bigint PRIMARY KEY) USING columnar;",
)(altering("{table} is written again under the lock", "SetAccessMethod"))

rule(
    "disabling-triggers",
    _T,
    "error",
    "DISABLE TRIGGER",
    on=_ALTER,
    why="What the triggers guard is not guarded, for every session; DISABLE TRIGGER ALL stops foreign keys too.",
    fix="A condition in the trigger's WHEN, or session_replication_role for your own session in a window.",
    bad="ALTER TABLE users DISABLE TRIGGER ALL;",
    good="ALTER TABLE users ENABLE TRIGGER audit;",
)(altering("triggers of {table} do not fire for anybody", "DisableTrig", "DisableTrigAll", "DisableTrigUser"))


@rule(
    "replica-identity",
    _T,
    "warning",
    "REPLICA IDENTITY FULL or NOTHING",
    on=_ALTER,
    why="FULL writes whole old rows to the WAL and searches subscribers row by row; with NOTHING updates and deletes "
    "of a published table fail.",
    fix="A primary key, or REPLICA IDENTITY USING INDEX.",
    bad="ALTER TABLE users REPLICA IDENTITY FULL;",
    good="ALTER TABLE users REPLICA IDENTITY USING INDEX users_email;",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "ReplicaIdentity"):
        kind = {"f": "FULL", "n": "NOTHING"}.get(command.get("def").identity_type)
        if kind is not None:
            yield f"REPLICA IDENTITY {kind} on {s.target}"


@rule(
    "table-without-primary-key",
    _T,
    "info",
    "A table without a primary key",
    on="CreateStmt",
    why="Rows cannot be told apart, logical replication cannot update them, and batches have nothing to walk along.",
    fix="id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    bad="CREATE TABLE t (a bigint, b text);",
    good=_KEYED,
)
def _(s: Subject) -> Iterator[str]:
    node = s.node
    if node.relation.relpersistence == "t" or node.inhRelations or node.partbound or node.ofTypename:
        return
    for element in node.tableElts or ():
        parts = element.constraints or () if element.tag == "ColumnDef" else (element,)
        if element.tag == "TableLikeClause" or any(item.contype == "CONSTR_PRIMARY" for item in parts):
            return
    yield f"{s.target} has no primary key"


rule(
    "detach-without-concurrently",
    _T,
    "error",
    "DETACH PARTITION without CONCURRENTLY",
    on=_ALTER,
    why="The partitioned table is closed to readers and writers (ACCESS EXCLUSIVE), its DEFAULT partition too.",
    fix="DETACH PARTITION … CONCURRENTLY, outside a transaction (PostgreSQL 14; not with a DEFAULT partition).",
    bad="ALTER TABLE m DETACH PARTITION m_1;",
    good="ALTER TABLE m DETACH PARTITION m_1 CONCURRENTLY;",
)(
    when(
        lambda node, s: (
            any(item.subtype == "AT_DetachPartition" and not item.get("def").concurrent for item in node.cmds)
            and not s.on_new
        ),
        "{target} is closed to readers and writers",
    )
)


@rule(
    "creating-partition-in-place",
    _T,
    "info",
    "CREATE TABLE … PARTITION OF",
    on="CreateStmt",
    why="The parent is locked ACCESS EXCLUSIVE, and its DEFAULT partition is read from end to end under it.",
    fix="CREATE TABLE … (LIKE parent), add a CHECK that says the bound, then ATTACH PARTITION.",
    bad="CREATE TABLE m_1 PARTITION OF m FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
    good="CREATE TABLE m_1 (LIKE m INCLUDING ALL);\n"
    "ALTER TABLE m ATTACH PARTITION m_1 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
)
def _(s: Subject) -> Iterator[str]:
    if s.node.partbound is not None:
        for parent in s.node.inhRelations or ():
            if not s.is_new(s.name(parent)):
                yield f"{s.name(parent)} is closed to readers and writers for a moment, its DEFAULT partition is read"


@rule(
    "attaching-partition-without-check",
    _T,
    "warning",
    "ATTACH PARTITION without a CHECK",
    on=_ALTER,
    why="The new partition is read from end to end to prove its bound, locked ACCESS EXCLUSIVE.",
    fix="Add a CHECK that implies the bound (NOT VALID, then VALIDATE) before, and drop it after.",
    bad="ALTER TABLE m ATTACH PARTITION m_1 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
    good="ALTER TABLE m_1 ADD CONSTRAINT m_1_bound CHECK (d >= '2025-01-01' AND d < '2026-01-01' AND d IS NOT NULL)"
    " NOT VALID;\n"
    "ALTER TABLE m_1 VALIDATE CONSTRAINT m_1_bound;\n"
    "ALTER TABLE m ATTACH PARTITION m_1 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "AttachPartition"):
        child = s.name(command.get("def").name)
        if str(child) in s.others(s.effects.scans):
            yield f"{child} is read from end to end under its lock"


rule(
    "changing-inheritance",
    _T,
    "warning",
    "INHERIT or NO INHERIT",
    on=_ALTER,
    why="Queries of the parent see other rows from the commit on.",
    fix="Tell the readers of the parent, or use declarative partitions.",
    bad="ALTER TABLE a INHERIT b;",
    good="CREATE VIEW both_tables AS SELECT id FROM a UNION ALL SELECT id FROM b;",
)(altering("queries of the parent of {table} see other rows", "AddInherit", "DropInherit"))

rule(
    "table-inheritance",
    _T,
    "info",
    "CREATE TABLE … INHERITS",
    on="CreateStmt",
    why="Keys and foreign keys are not inherited; queries of the parent read every child.",
    fix="Declarative partitions, or a foreign key.",
    bad="CREATE TABLE t (id bigint PRIMARY KEY) INHERITS (base);",
    good="CREATE TABLE t (id bigint, d date, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);",
)(when(lambda node, s: bool(node.inhRelations) and node.partbound is None, "{target} inherits columns, not keys"))

rule(
    "explicit-lock",
    _T,
    "warning",
    "LOCK TABLE",
    on="LockStmt",
    why="The lock is held to the end of the transaction, whatever it does until then.",
    fix="Let statements take the locks that they need, with lock_timeout set.",
    bad="BEGIN;\nLOCK TABLE users IN ACCESS EXCLUSIVE MODE;\nCOMMIT;",
    good="BEGIN;\nSELECT 1 FROM users WHERE id = 1 FOR UPDATE;\nCOMMIT;",
)(when(lambda node, s: (node.mode or 0) >= 5, "others wait until this transaction ends"))


@rule(
    "disabling-autovacuum",
    _T,
    "warning",
    "autovacuum_enabled = off",
    on=_ALTER,
    why="Dead rows pile up, and one day a vacuum to prevent wraparound comes at its own time.",
    fix="Lower autovacuum_vacuum_scale_factor for the table instead.",
    bad="ALTER TABLE users SET (autovacuum_enabled = off);",
    good="ALTER TABLE users SET (autovacuum_vacuum_scale_factor = 0.01);",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "SetRelOptions"):
        for option in command.get("def") or ():
            value = str(option.arg.sval or option.arg.ival or "") if option.arg is not None else ""
            if option.defname == "autovacuum_enabled" and value.lower() in ("off", "false", "0", ""):
                yield f"nobody cleans {s.target} up"


rule(
    "changing-owner",
    _T,
    "info",
    "OWNER TO",
    on=_ALTER,
    why="The old owner loses every right that came with owning; ACCESS EXCLUSIVE for a moment.",
    fix="Grant what the old owner still needs, in the same transaction.",
    bad="ALTER TABLE users OWNER TO admin;",
    good="GRANT SELECT, INSERT ON users TO admin;",
)(altering("the former owner of {table} loses its rights", "ChangeOwner"))

rule(
    "create-table-as",
    _T,
    "info",
    "CREATE TABLE AS or SELECT INTO",
    on="CreateTableAsStmt SelectStmt",
    why="The new table has no keys, defaults, constraints or indexes, and reads its source in one long transaction.",
    fix="CREATE TABLE … (LIKE source INCLUDING ALL), then INSERT … SELECT in batches.",
    bad="CREATE TABLE copy AS SELECT * FROM users;",
    good="CREATE TABLE copy (LIKE users INCLUDING ALL);\n"
    "INSERT INTO copy SELECT id, name FROM users WHERE id BETWEEN 1 AND 1000;",
)(
    when(
        lambda node, s: (
            (node.tag == "CreateTableAsStmt" and node.objtype == "OBJECT_TABLE") or node.intoClause is not None
        ),
        "the new table has no keys and no constraints",
    )
)


@rule(
    "several-alters-of-one-table",
    _T,
    "info",
    "Several ALTER TABLE of one table in one transaction",
    on="AlterTableStmt",
    why="Each asks for the lock and may read the table again; one ALTER TABLE takes one lock and reads the table once.",
    fix="One ALTER TABLE with several subcommands.",
    bad="BEGIN;\nALTER TABLE users ADD COLUMN a bigint;\nALTER TABLE users ADD COLUMN b bigint;\nCOMMIT;",
    good="BEGIN;\nALTER TABLE users ADD COLUMN a bigint, ADD COLUMN b bigint;\nCOMMIT;",
)
def _(s: Subject) -> Iterator[str]:
    if s.transaction.explicit and s.transaction.ddl[-1:] == [str(s.target)] and not s.on_new:
        yield f"{s.target} was altered by the statement before"
