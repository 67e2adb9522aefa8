"""Columns: what is written again, what breaks, what is lost."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.lint.rules.reading import actions, column_constraints, new_columns
from wesley_tui.lint.rules.registry import rule
from wesley_tui.lint.subject import Subject
from wesley_tui.planner.effects.expressions import volatile_calls
from wesley_tui.planner.effects.types import is_serial

_T = "Columns"
_ALTER = "AlterTableStmt"


@rule(
    "ban-drop-column",
    _T,
    "error",
    "Dropping a column",
    on=_ALTER,
    why="The data is gone, and clients that still name the column fail at once. A foreign key on it locks the other "
    "table too.",
    fix="Stop using the column in every client first; then rename it out of the way, wait, and drop it later.",
    bad="ALTER TABLE users DROP COLUMN email;",
    good="ALTER TABLE users ALTER COLUMN email DROP NOT NULL;",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "DropColumn"):
        yield f"column {command.name} of {s.target} is lost, and clients that still use it fail"


@rule(
    "drop-column-cascade",
    _T,
    "error",
    "DROP COLUMN … CASCADE",
    on=_ALTER,
    why="CASCADE takes views, foreign keys and policies with it that nobody has named.",
    fix="Drop what depends on the column by name, in statements of their own, and leave CASCADE out.",
    bad="ALTER TABLE users DROP COLUMN email CASCADE;",
    good="ALTER TABLE users ADD COLUMN mail text;",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "DropColumn"):
        if command.behavior == "DROP_CASCADE":
            yield f"everything that depends on {s.target}.{command.name} goes with it, unnamed"


@rule(
    "adding-required-field",
    _T,
    "error",
    "Adding a NOT NULL column without a default",
    on=_ALTER,
    why="It fails as soon as the table has one row, and clients that insert without the column fail afterwards.",
    fix="Add the column with a DEFAULT, or nullable: backfill it in batches, then make it NOT NULL by a proven CHECK.",
    bad="ALTER TABLE users ADD COLUMN age bigint NOT NULL;",
    good="ALTER TABLE users ADD COLUMN age bigint NOT NULL DEFAULT 0;",
)
def _(s: Subject) -> Iterator[str]:
    filled = s.target is not None and s.flags.get(f"filled {s.target}")
    for _command in [c for c in s.node.cmds if c.subtype == "AT_AddColumn"] if filled else actions(s, "AddColumn"):
        column = _command.get("def")
        kinds = column_constraints(column)
        if "NOTNULL" in kinds and not kinds & {"DEFAULT", "IDENTITY", "GENERATED"} and not is_serial(column.typeName):
            yield f"{s.target}.{column.colname} has no value for the rows that exist"


@rule(
    "adding-field-with-default",
    _T,
    "error",
    "Adding a column with a volatile default",
    on=_ALTER,
    why="Every row needs a value of its own, so the table is written again under ACCESS EXCLUSIVE.",
    fix="Add the column without default, SET DEFAULT in a second statement, and backfill the old rows in batches.",
    bad="ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid();",
    good="ALTER TABLE users ADD COLUMN token uuid;\n"
    "ALTER TABLE users ALTER COLUMN token SET DEFAULT gen_random_uuid();",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "AddColumn"):
        column = command.get("def")
        for constraint in column.constraints or ():
            if constraint.contype == "CONSTR_DEFAULT" and (calls := volatile_calls(constraint.raw_expr)):
                yield f"{calls[0]} gives every row of {s.target} another value: the table is written again"


def _adding(kind: str, s: Subject) -> Iterator[str]:
    for command in actions(s, "AddColumn"):
        column = command.get("def")
        if kind in column_constraints(column):
            yield str(column.colname)


@rule(
    "adding-identity-column",
    _T,
    "error",
    "Adding an identity column",
    on=_ALTER,
    why="Existing rows are numbered at once: the table is written again under ACCESS EXCLUSIVE.",
    fix="Add a plain bigint column, backfill it in batches, and ADD GENERATED … AS IDENTITY when it is complete.",
    bad="ALTER TABLE users ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY;",
    good="ALTER TABLE users ADD COLUMN n bigint;",
)
def _(s: Subject) -> Iterator[str]:
    for name in _adding("IDENTITY", s):
        yield f"numbering {s.target}.{name} writes every row again"


@rule(
    "adding-serial-column",
    _T,
    "error",
    "Adding a serial column",
    on=_ALTER,
    why="nextval() is volatile: every row is written again under ACCESS EXCLUSIVE.",
    fix="Add a plain bigint column, then a sequence as its default, and backfill in batches.",
    bad="ALTER TABLE users ADD COLUMN n bigserial;",
    good="ALTER TABLE users ADD COLUMN n bigint;",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "AddColumn"):
        column = command.get("def")
        if is_serial(column.typeName):
            yield f"numbering {s.target}.{column.colname} writes every row again"


@rule(
    "adding-generated-column",
    _T,
    "error",
    "Adding a stored generated column",
    on=_ALTER,
    why="Its value is computed for every row: the table is written again under ACCESS EXCLUSIVE.",
    fix="Add a plain column that a trigger keeps, and backfill in batches; or VIRTUAL on PostgreSQL 18.",
    bad="ALTER TABLE users ADD COLUMN lower_name text GENERATED ALWAYS AS (lower(name)) STORED;",
    good="ALTER TABLE users ADD COLUMN lower_name text;",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "AddColumn"):
        for constraint in command.get("def").constraints or ():
            if constraint.contype == "CONSTR_GENERATED" and constraint.generated_kind != "v":
                yield f"every row of {s.target} is written again"


@rule(
    "adding-column-with-check",
    _T,
    "warning",
    "Adding a column with a CHECK",
    on=_ALTER,
    why="The CHECK is proven on every row under ACCESS EXCLUSIVE, although the column is new.",
    fix="Add the column alone, then the CHECK as NOT VALID, then VALIDATE it in a transaction of its own.",
    bad="ALTER TABLE users ADD COLUMN age bigint CHECK (age > 0);",
    good="ALTER TABLE users ADD COLUMN age bigint;\n"
    "ALTER TABLE users ADD CONSTRAINT users_age CHECK (age > 0) NOT VALID;",
)
def _(s: Subject) -> Iterator[str]:
    for name in _adding("CHECK", s):
        yield f"the check of {s.target}.{name} reads the whole table under the lock"


@rule(
    "adding-column-with-unique",
    _T,
    "error",
    "Adding a column with UNIQUE or PRIMARY KEY",
    on=_ALTER,
    why="Its index is built under ACCESS EXCLUSIVE: nobody reads or writes meanwhile.",
    fix="Add the column alone, CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … USING INDEX.",
    bad="ALTER TABLE users ADD COLUMN handle text UNIQUE;",
    good="ALTER TABLE users ADD COLUMN handle text;\nCREATE UNIQUE INDEX CONCURRENTLY users_handle ON users (handle);",
)
def _(s: Subject) -> Iterator[str]:
    for name in (*_adding("UNIQUE", s), *_adding("PRIMARY", s)):
        yield f"the index on {s.target}.{name} is built while nobody reads or writes"


@rule(
    "adding-column-with-foreign-key",
    _T,
    "warning",
    "Adding a column with REFERENCES",
    on=_ALTER,
    why="Both tables are locked together: the new column's under ACCESS EXCLUSIVE, the referenced one against writers. "
    "With a default every row is looked up too.",
    fix="Add the column alone, then the foreign key as NOT VALID, then VALIDATE it.",
    bad="ALTER TABLE orders ADD COLUMN user_id bigint REFERENCES users (id);",
    good="ALTER TABLE orders ADD COLUMN user_id bigint;\n"
    "ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;",
)
def _(s: Subject) -> Iterator[str]:
    for name in _adding("FOREIGN", s):
        yield f"{s.target}.{name} locks the table that it references too"


@rule(
    "adding-column-of-domain",
    _T,
    "error",
    "Adding a column of a constrained domain",
    on=_ALTER,
    why="A domain with a CHECK or NOT NULL makes ADD COLUMN write every row again.",
    fix="Add the column with the domain's base type and a CHECK … NOT VALID.",
    bad="CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);\nALTER TABLE users ADD COLUMN age positive;",
    good="CREATE DOMAIN positive AS bigint CHECK (VALUE > 0);\nALTER TABLE users ADD COLUMN age bigint;",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "AddColumn"):
        column = command.get("def")
        plain = not column_constraints(column) and not is_serial(column.typeName)
        if plain and str(s.target) in s.effects.rewrites:
            yield f"the domain of {s.target}.{column.colname} has a constraint: every row is written again"


@rule(
    "changing-column-type",
    _T,
    "error",
    "Changing the type of a column",
    on=_ALTER,
    why="Unless the new type is stored alike, every row and index is written again under ACCESS EXCLUSIVE, and clients "
    "with prepared statements fail.",
    fix="Add a column of the new type, keep both by a trigger, backfill in batches, swap them in a short transaction.",
    bad="ALTER TABLE users ALTER COLUMN id TYPE bigint;",
    good="CREATE TABLE t (id bigint PRIMARY KEY, name varchar);\nALTER TABLE t ALTER COLUMN name TYPE text;",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "AlterColumnType"):
        if str(s.target) in s.effects.rewrites:
            known = "" if s.table(s.target) is not None else " (its old type is not known: the worst is assumed)"  # type: ignore[arg-type]
            yield f"every row of {s.target} is written again for {command.name}{known}"


@rule(
    "changing-collation",
    _T,
    "warning",
    "Changing the collation of a column",
    on=_ALTER,
    why="Every index on the column is built again under ACCESS EXCLUSIVE, and texts sort in another order.",
    fix="Add a column with the new collation and move over, or create the index with the collation that is needed.",
    bad='ALTER TABLE users ALTER COLUMN name TYPE text COLLATE "C";',
    good='CREATE INDEX CONCURRENTLY users_name_c ON users (name COLLATE "C");',
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "AlterColumnType"):
        if command.get("def").collClause is not None:
            yield f"indexes on {s.target}.{command.name} are built again under the lock"


@rule(
    "renaming-column",
    _T,
    "error",
    "Renaming a column",
    on="RenameStmt",
    why="Every client that still uses the old name fails at the moment of the commit.",
    fix="Add a column with the new name, keep both by a trigger, move the clients, and drop the old one later.",
    bad="ALTER TABLE users RENAME COLUMN email TO mail;",
    good="ALTER TABLE users ADD COLUMN mail text;",
)
def _(s: Subject) -> Iterator[str]:
    if s.node.renameType == "OBJECT_COLUMN" and not s.on_new:
        yield f"clients that use {s.target}.{s.node.subname} fail"


@rule(
    "adding-not-nullable-field",
    _T,
    "error",
    "SET NOT NULL without a proof",
    on=_ALTER,
    why="The whole table is read under ACCESS EXCLUSIVE to see that no row is NULL.",
    fix="ADD CONSTRAINT … CHECK (c IS NOT NULL) NOT VALID, VALIDATE it, then SET NOT NULL (which believes the CHECK), "
    "then drop the CHECK, each in a transaction of its own.",
    bad="ALTER TABLE users ALTER COLUMN email SET NOT NULL;",
    good="ALTER TABLE users ADD CONSTRAINT email_there CHECK (email IS NOT NULL) NOT VALID;\n"
    "ALTER TABLE users VALIDATE CONSTRAINT email_there;",
)
def _(s: Subject) -> Iterator[str]:
    if str(s.target) not in s.effects.scans and not any(True for _ in actions(s, "DropConstraint")):
        return
    for command in actions(s, "SetNotNull"):
        yield f"{s.target} is read from end to end under ACCESS EXCLUSIVE for {command.name}"


@rule(
    "ban-drop-not-null",
    _T,
    "info",
    "DROP NOT NULL",
    on=_ALTER,
    why="Clients that have never seen a NULL in this column may not survive one.",
    fix="Make sure that every reader handles NULL before the first one is written.",
    bad="ALTER TABLE users ALTER COLUMN email DROP NOT NULL;",
    good="ALTER TABLE users ALTER COLUMN email SET DEFAULT '';",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "DropNotNull"):
        yield f"readers of {s.target}.{command.name} may meet NULL from now on"


@rule(
    "drop-default",
    _T,
    "info",
    "DROP DEFAULT",
    on=_ALTER,
    why="Clients that insert without the column get NULL from now on, or fail when it is NOT NULL.",
    fix="Let every client write the column itself before the default goes.",
    bad="ALTER TABLE users ALTER COLUMN email DROP DEFAULT;",
    good="ALTER TABLE users ALTER COLUMN email SET DEFAULT '';",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "ColumnDefault"):
        if command.get("def") is None:
            yield f"inserts without {s.target}.{command.name} change their meaning or fail"


@rule(
    "drop-identity",
    _T,
    "error",
    "DROP IDENTITY",
    on=_ALTER,
    why="New rows are not numbered any more: inserts that rely on it fail.",
    fix="Give the column another default in the same transaction.",
    bad="ALTER TABLE users ALTER COLUMN id DROP IDENTITY;",
    good="ALTER TABLE users ALTER COLUMN id SET GENERATED BY DEFAULT;",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "DropIdentity"):
        yield f"{s.target}.{command.name} is not numbered by the database any more"


@rule(
    "drop-expression",
    _T,
    "warning",
    "DROP EXPRESSION",
    on=_ALTER,
    why="The column keeps its values and is not computed any more: it goes stale with the next update.",
    fix="Make sure that something else keeps the column from then on.",
    bad="ALTER TABLE users ALTER COLUMN total DROP EXPRESSION;",
    good="ALTER TABLE users ADD COLUMN total2 bigint;",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "DropExpression"):
        yield f"{s.target}.{command.name} is not computed any more"


@rule(
    "changing-generated-expression",
    _T,
    "error",
    "SET EXPRESSION of a stored column",
    on=_ALTER,
    why="Every row is computed and written again under ACCESS EXCLUSIVE.",
    fix="Add a second column that a trigger computes, backfill it in batches, and swap the two.",
    bad="ALTER TABLE users ALTER COLUMN total SET EXPRESSION AS (a + b);",
    good="ALTER TABLE users ADD COLUMN total2 bigint;",
)
def _(s: Subject) -> Iterator[str]:
    if str(s.target) in s.effects.rewrites:
        for command in actions(s, "SetExpression"):
            yield f"every row of {s.target} is written again for {command.name}"


@rule(
    "storage-of-old-rows",
    _T,
    "info",
    "SET STORAGE or SET COMPRESSION",
    on=_ALTER,
    why="Only rows that are written from now on follow it; old ones stay as they are.",
    fix="Nothing, when that is what you want; otherwise the old rows have to be updated in batches.",
    bad="ALTER TABLE users ALTER COLUMN photo SET STORAGE EXTERNAL;",
    good="ALTER TABLE users ALTER COLUMN photo SET STATISTICS 500;",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "SetStorage", "SetCompression"):
        yield f"rows of {s.target} that exist keep {command.name} as it was"


@rule(
    "too-many-columns",
    _T,
    "warning",
    "A table with very many columns",
    on="CreateStmt",
    why="Rows do not fit a page, and a table cannot have more than 1,600 columns ever, dropped ones included.",
    fix="Split the table, or keep rare attributes in jsonb.",
    bad="CREATE TABLE wide (id bigint PRIMARY KEY, " + ", ".join(f"c{i} text" for i in range(200)) + ");",
    good="CREATE TABLE narrow (id bigint PRIMARY KEY, c1 text);",
)
def _(s: Subject) -> Iterator[str]:
    count = sum(1 for _ in new_columns(s))
    if count > 200:
        yield f"{s.target} has {count} columns"
