"""Constraints: what is proven under which lock, and which other table is locked."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.lint.rules.reading import actions, added_constraints, column_constraints, new_columns
from wesley_tui.lint.rules.registry import rule
from wesley_tui.lint.subject import Subject
from wesley_tui.planner.effects.context import names_in
from wesley_tui.planner.effects.restrictions import is_indexed
from wesley_tui.planner.effects.types import printed_type

_T = "Constraints"
_ALTER = "AlterTableStmt"


@rule(
    "constraint-missing-not-valid",
    _T,
    "error",
    "Adding a CHECK without NOT VALID",
    on=_ALTER,
    why="Every row is read under ACCESS EXCLUSIVE: nobody reads or writes meanwhile.",
    fix="ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT in a transaction of its own.",
    bad="ALTER TABLE users ADD CONSTRAINT age_positive CHECK (age > 0);",
    good="ALTER TABLE users ADD CONSTRAINT age_positive CHECK (age > 0) NOT VALID;",
)
def _(s: Subject) -> Iterator[str]:
    for item in added_constraints(s, "CHECK"):
        if not item.skip_validation and item.is_enforced:
            yield f"the check {item.conname or ''} reads all of {s.target} under the lock"


@rule(
    "adding-foreign-key-constraint",
    _T,
    "error",
    "Adding a foreign key without NOT VALID",
    on=_ALTER,
    why="Both tables are closed to writers (SHARE ROW EXCLUSIVE) until every row has been looked up.",
    fix="ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT in a transaction of its own.",
    bad="ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id);",
    good="ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;",
)
def _(s: Subject) -> Iterator[str]:
    for item in added_constraints(s, "FOREIGN"):
        if not item.skip_validation and item.is_enforced:
            yield f"writers of {s.target} and of {s.name(item.pktable)} wait until every row has been looked up"


@rule(
    "disallowed-unique-constraint",
    _T,
    "error",
    "Adding UNIQUE without an index that is ready",
    on=_ALTER,
    why="The index is built under ACCESS EXCLUSIVE.",
    fix="CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … UNIQUE USING INDEX.",
    bad="ALTER TABLE users ADD CONSTRAINT users_email UNIQUE (email);",
    good="CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);\n"
    "ALTER TABLE users ADD CONSTRAINT users_email UNIQUE USING INDEX users_email;",
)
def _(s: Subject) -> Iterator[str]:
    for item in added_constraints(s, "UNIQUE"):
        if item.indexname is None:
            yield f"the index of {item.conname or 'the constraint'} is built while nobody reads or writes {s.target}"


@rule(
    "adding-primary-key",
    _T,
    "error",
    "Adding a primary key without an index that is ready",
    on=_ALTER,
    why="The index is built under ACCESS EXCLUSIVE, and every column is checked for NULLs.",
    fix="CREATE UNIQUE INDEX CONCURRENTLY, make the columns NOT NULL by a proven CHECK, then ADD … USING INDEX.",
    bad="ALTER TABLE users ADD PRIMARY KEY (id);",
    good="CREATE TABLE users (id bigint PRIMARY KEY);",
)
def _(s: Subject) -> Iterator[str]:
    for item in added_constraints(s, "PRIMARY"):
        if item.indexname is None:
            yield f"the index of the key is built while nobody reads or writes {s.target}"


@rule(
    "primary-key-on-nullable-column",
    _T,
    "info",
    "PRIMARY KEY USING INDEX on columns that may be NULL",
    on=_ALTER,
    why="The columns become NOT NULL, and the whole table is read under ACCESS EXCLUSIVE to prove it.",
    fix="Make the columns NOT NULL first, by a CHECK … NOT VALID that has been validated.",
    bad="ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_id;",
    good="CREATE TABLE users (id bigint PRIMARY KEY);",
)
def _(s: Subject) -> Iterator[str]:
    for item in added_constraints(s, "PRIMARY"):
        if item.indexname is None or s.target is None:
            continue
        if str(s.target) in s.effects.scans:
            yield f"{s.target} is read to prove that the columns of {item.indexname} are not NULL"
        elif not s.context.knows(s.target):
            yield f"{s.target} is read under the lock, unless the columns of {item.indexname} are NOT NULL already"


@rule(
    "adding-exclusion-constraint",
    _T,
    "error",
    "Adding an exclusion constraint",
    on=_ALTER,
    why="Its index is built under ACCESS EXCLUSIVE, and PostgreSQL has no other way.",
    fix="Add it while the table is small, or to a new table that is filled and swapped in.",
    bad="ALTER TABLE stays ADD CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&);",
    good="CREATE TABLE stays (id bigint PRIMARY KEY, during tstzrange, EXCLUDE USING gist (during WITH &&));",
)
def _(s: Subject) -> Iterator[str]:
    for item in added_constraints(s, "EXCLUSION"):
        yield f"the index of {item.conname or 'the constraint'} is built while nobody reads or writes {s.target}"


@rule(
    "adding-not-null-constraint",
    _T,
    "error",
    "ADD … NOT NULL without NOT VALID",
    on=_ALTER,
    why="The whole table is read under ACCESS EXCLUSIVE to see that no row is NULL.",
    fix="On PostgreSQL 18 add it NOT VALID and VALIDATE it; before, prove it by a CHECK.",
    bad="ALTER TABLE users ADD CONSTRAINT email_there NOT NULL email;",
    good="ALTER TABLE users ADD CONSTRAINT email_there NOT NULL email NOT VALID;",
)
def _(s: Subject) -> Iterator[str]:
    for item in added_constraints(s, "NOTNULL"):
        if not item.skip_validation and str(s.target) in s.effects.scans:
            yield f"{s.target} is read from end to end under ACCESS EXCLUSIVE"


@rule(
    "validating-in-same-transaction",
    _T,
    "error",
    "NOT VALID and VALIDATE in one transaction",
    on=_ALTER,
    why="The strong lock of ADD CONSTRAINT is held while every row is read: the point of NOT VALID is lost.",
    fix="COMMIT between the two.",
    bad="BEGIN;\nALTER TABLE users ADD CONSTRAINT a CHECK (age > 0) NOT VALID;\n"
    "ALTER TABLE users VALIDATE CONSTRAINT a;\nCOMMIT;",
    good="ALTER TABLE users ADD CONSTRAINT a CHECK (age > 0) NOT VALID;\nALTER TABLE users VALIDATE CONSTRAINT a;",
)
def _(s: Subject) -> Iterator[str]:
    added = {command.get("def").conname for command in actions(s, "AddConstraint")}
    for command in actions(s, "ValidateConstraint"):
        if (str(s.target), command.name) in s.transaction.not_valid or command.name in added:
            yield f"{command.name} is proven under the lock that added it"


@rule(
    "ban-drop-constraint",
    _T,
    "warning",
    "Dropping a constraint",
    on=_ALTER,
    why="Rows that break the rule are accepted from then on, and adding it again means proving it again.",
    fix="Be sure that the same rule stands elsewhere, or that nobody needs it.",
    bad="ALTER TABLE users DROP CONSTRAINT age_positive;",
    good="ALTER TABLE users ADD CONSTRAINT age_over_18 CHECK (age > 18) NOT VALID;",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "DropConstraint"):
        if s.target is not None and s.is_made_again("CONSTRAINT", f"{s.target.name}.{command.name}"):
            continue
        if any(f"constraint {command.name} " in text + " " for text in s.effects.loses):
            yield f"{command.name} of {s.target} guards nothing any more"


@rule(
    "drop-constraint-cascade",
    _T,
    "error",
    "DROP CONSTRAINT … CASCADE",
    on=_ALTER,
    why="Foreign keys of other tables go with the key, unnamed, and those tables are locked.",
    fix="Drop the foreign keys by name first.",
    bad="ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE;",
    good="ALTER TABLE users VALIDATE CONSTRAINT users_age;",
)
def _(s: Subject) -> Iterator[str]:
    for command in actions(s, "DropConstraint"):
        if command.behavior == "DROP_CASCADE":
            yield f"foreign keys that point to {command.name} of {s.target} are dropped too"


@rule(
    "set-not-null-with-drop-of-proof",
    _T,
    "error",
    "SET NOT NULL and the drop of its CHECK in one ALTER",
    on=_ALTER,
    why="The CHECK is dropped first and proves nothing: the table is read under ACCESS EXCLUSIVE.",
    fix="Write two ALTER TABLE statements: SET NOT NULL, then DROP CONSTRAINT.",
    bad="ALTER TABLE users ALTER COLUMN email SET NOT NULL, DROP CONSTRAINT email_there;",
    good="ALTER TABLE users ADD CONSTRAINT email_there CHECK (email IS NOT NULL) NOT VALID;\n"
    "ALTER TABLE users VALIDATE CONSTRAINT email_there;\n"
    "ALTER TABLE users ALTER COLUMN email SET NOT NULL;\n"
    "ALTER TABLE users DROP CONSTRAINT email_there;",
)
def _(s: Subject) -> Iterator[str]:
    if any(True for _ in actions(s, "SetNotNull")) and any(True for _ in actions(s, "DropConstraint")):
        yield f"the proof is gone before it is looked for: {s.target} is read under the lock"


@rule(
    "foreign-key-on-delete-cascade",
    _T,
    "info",
    "ON DELETE CASCADE",
    on="AlterTableStmt CreateStmt",
    why="One DELETE may remove any number of rows elsewhere, in one transaction, unseen.",
    fix="ON DELETE RESTRICT (or nothing), and delete the children in batches.",
    bad="ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id)\n"
    "    ON DELETE CASCADE NOT VALID;",
    good="ALTER TABLE orders ADD CONSTRAINT orders_user FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;",
)
def _(s: Subject) -> Iterator[str]:
    for item in added_constraints(s, "FOREIGN"):
        if item.fk_del_action == "c":
            yield f"a DELETE in {s.name(item.pktable)} deletes rows of {s.target} too"


@rule(
    "foreign-key-of-another-type",
    _T,
    "warning",
    "A foreign key between different types",
    on="CreateStmt",
    why="Every lookup casts, and the smaller type runs out first.",
    fix="Give the column the type of the key that it points to.",
    bad="CREATE TABLE a (id bigint PRIMARY KEY);\nCREATE TABLE b (id bigint PRIMARY KEY, a_id text REFERENCES a (id));",
    good="CREATE TABLE a (id bigint PRIMARY KEY);\n"
    "CREATE TABLE b (id bigint PRIMARY KEY, a_id bigint REFERENCES a (id));",
)
def _(s: Subject) -> Iterator[str]:
    for _table, column in new_columns(s):
        for constraint in column.constraints or ():
            if constraint.contype != "CONSTR_FOREIGN":
                continue
            other = s.table(s.name(constraint.pktable))
            names = names_in(constraint.pk_attrs)
            if other is None:
                continue
            if not names and other.primary_key is not None:
                names = list(other.primary_key.columns)
            key = other.column(names[0]) if len(names) == 1 else None
            mine = printed_type(column.typeName)
            if key is not None and mine is not None and key.type != mine:
                yield f"{column.colname} is {mine}, {other.name}.{key.name} is {key.type}"


@rule(
    "not-enforced-constraint",
    _T,
    "info",
    "NOT ENFORCED",
    on="AlterTableStmt CreateStmt",
    why="The constraint says something that nobody checks; readers of the schema believe it.",
    fix="Enforce it with NOT VALID and VALIDATE, or write a comment instead.",
    bad="ALTER TABLE users ADD CONSTRAINT a CHECK (age > 0) NOT ENFORCED;",
    good="ALTER TABLE users ADD CONSTRAINT a CHECK (age > 0) NOT VALID;",
)
def _(s: Subject) -> Iterator[str]:
    for item in added_constraints(s, "CHECK", "FOREIGN"):
        if not item.is_enforced:
            yield f"{item.conname or 'the constraint'} of {s.target} is not checked by anybody"


@rule(
    "unnamed-constraint",
    _T,
    "info",
    "ADD CONSTRAINT without a name",
    on=_ALTER,
    why="The server chooses a name; the next migration has to guess it, and it may differ between databases.",
    fix="ADD CONSTRAINT name …",
    bad="ALTER TABLE users ADD CHECK (age > 0) NOT VALID;",
    good="ALTER TABLE users ADD CONSTRAINT users_age CHECK (age > 0) NOT VALID;",
)
def _(s: Subject) -> Iterator[str]:
    for item in added_constraints(s, "CHECK", "FOREIGN", "UNIQUE", "EXCLUSION"):
        if not item.conname:
            yield f"the new constraint of {s.target} has no name of its own"


@rule(
    "deferrable-key",
    _T,
    "info",
    "A deferrable unique constraint",
    on="AlterTableStmt CreateStmt",
    why="ON CONFLICT cannot use it, foreign keys cannot point to it, and planners know less.",
    fix="Leave DEFERRABLE out unless rows really swap their keys within a transaction.",
    bad="ALTER TABLE users ADD CONSTRAINT users_rank UNIQUE (rank) DEFERRABLE;",
    good="CREATE UNIQUE INDEX CONCURRENTLY users_rank ON users (rank);",
)
def _(s: Subject) -> Iterator[str]:
    for item in added_constraints(s, "UNIQUE", "PRIMARY"):
        if item.deferrable:
            yield f"{item.conname or 'the constraint'} cannot be used by ON CONFLICT or by foreign keys"


@rule(
    "foreign-key-without-index",
    _T,
    "info",
    "A foreign key whose columns have no index",
    on="CreateStmt AlterTableStmt",
    why="Each row that is deleted from the referenced table, or gets another key, has this table read from end to end.",
    fix="CREATE INDEX CONCURRENTLY on the columns of the key.",
    bad="CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));",
    good="CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));\n"
    "CREATE INDEX orders_user_id ON orders (user_id);",
)
def _(s: Subject) -> Iterator[str]:
    if s.target is None:
        return
    table = s.table(s.target)
    for column in _key_columns(s):
        known = table is not None and is_indexed(table, column)
        if not known and (s.target.name, column) not in s.outline.indexed:
            yield f"{s.target}.{column}"


def _key_columns(s: Subject) -> Iterator[str]:
    """The first column of each foreign key that the statement makes."""
    for _, column in new_columns(s):
        if "FOREIGN" in column_constraints(column):
            yield str(column.colname)
    elements = s.node.tableElts or () if s.node.tag == "CreateStmt" else ()
    added = (
        [c.get("def") for c in s.node.cmds if c.subtype == "AT_AddConstraint"] if s.node.tag == "AlterTableStmt" else ()
    )
    for constraint in (*elements, *added):
        if constraint.contype == "CONSTR_FOREIGN":
            yield names_in(constraint.fk_attrs)[0]
