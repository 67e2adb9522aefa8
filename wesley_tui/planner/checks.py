"""Checks before and after a step: one SELECT each, one boolean.

They ask ``pg_class``, ``pg_attribute`` and their like, by name: that neither waits behind ACCESS EXCLUSIVE (as
``pg_get_indexdef()`` does) nor stumbles over a name that needs quotes (as ``to_regclass()`` does). The only ones that
read a table are those that ask about rows, and they stop at the first.
"""

from __future__ import annotations

from wesley_tui.catalog.model import QName
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal
from wesley_tui.planner.plan import StepCheck

__all__ = [
    "column_absent",
    "column_exists",
    "column_has_default",
    "column_has_type",
    "column_is_identity",
    "column_is_not_null",
    "comment_is",
    "constraint_absent",
    "constraint_exists",
    "constraint_valid",
    "index_absent",
    "index_exists",
    "index_leftover",
    "index_valid",
    "label_absent",
    "label_exists",
    "no_nulls",
    "nothing_depends_on_column",
    "policy_absent",
    "policy_exists",
    "relation_absent",
    "resting_place_free",
    "row_security_is",
    "schema_exists",
    "table_exists",
    "table_is_empty",
    "type_absent",
    "type_exists",
]


def _relation(name: QName, kinds: str = "'r', 'p', 'm'") -> str:
    return (
        "FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
        f"WHERE n.nspname = {quote_literal(name.schema)} AND c.relname = {quote_literal(name.name)} "
        f"AND c.relkind IN ({kinds})"
    )


def _column(table: QName, column: str, condition: str = "") -> str:
    return (
        "FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid "
        "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
        f"WHERE n.nspname = {quote_literal(table.schema)} AND c.relname = {quote_literal(table.name)} "
        f"AND a.attname = {quote_literal(column)} AND a.attnum > 0 AND NOT a.attisdropped{condition}"
    )


def _constraint(table: QName, name: str, condition: str = "") -> str:
    return (
        "FROM pg_catalog.pg_constraint AS k JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid "
        "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
        f"WHERE n.nspname = {quote_literal(table.schema)} AND c.relname = {quote_literal(table.name)} "
        f"AND k.conname = {quote_literal(name)}{condition}"
    )


def _index(table: QName, name: str, condition: str = "") -> str:
    return (
        "FROM pg_catalog.pg_index AS x JOIN pg_catalog.pg_class AS i ON i.oid = x.indexrelid "
        "JOIN pg_catalog.pg_class AS c ON c.oid = x.indrelid "
        "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
        f"WHERE n.nspname = {quote_literal(table.schema)} AND c.relname = {quote_literal(table.name)} "
        f"AND i.relname = {quote_literal(name)}{condition}"
    )


def _type(name: QName) -> str:
    return (
        "FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace "
        f"WHERE n.nspname = {quote_literal(name.schema)} AND t.typname = {quote_literal(name.name)}"
    )


def _exists(source: str) -> str:
    return f"SELECT EXISTS (SELECT 1 {source})"


def _absent(source: str) -> str:
    return f"SELECT NOT EXISTS (SELECT 1 {source})"


def schema_exists(schema: str) -> StepCheck:
    sql = _exists(f"FROM pg_catalog.pg_namespace WHERE nspname = {quote_literal(schema)}")
    return StepCheck(f"schema {schema} does not exist", sql)


def table_exists(table: QName) -> StepCheck:
    return StepCheck(f"table {table} does not exist; read the database and plan again", _exists(_relation(table)))


def relation_absent(name: QName) -> StepCheck:
    """No table, index, view or sequence of that name."""
    sql = _absent(_relation(name, "'r', 'p', 'v', 'm', 'f', 'S', 'i', 'I', 'c'"))
    return StepCheck(f"the name {name} is taken; read the database and plan again", sql)


def resting_place_free(name: QName) -> StepCheck:
    """Nothing of that name was retired before and is still there."""
    sql = _absent(_relation(name, "'r', 'p', 'v', 'm', 'f', 'S', 'i', 'I', 'c'"))
    return StepCheck(f"{name} was retired earlier and still rests there: drop it, or rename it, and run again", sql)


def table_is_empty(table: QName, column: str) -> StepCheck:
    return StepCheck(
        f"{table} has rows, and column {column} is NOT NULL without a default: PostgreSQL cannot know their value; "
        "give the field a @default, or make it nullable first",
        f"SELECT NOT EXISTS (SELECT 1 FROM ONLY {qualified(table)})",
    )


def column_exists(table: QName, column: str) -> StepCheck:
    return StepCheck(f"column {table}.{column} does not exist; read the database and plan again",
                     _exists(_column(table, column)))  # fmt: skip


def column_absent(table: QName, column: str) -> StepCheck:
    return StepCheck(f"column {table}.{column} exists already; read the database and plan again",
                     _absent(_column(table, column)))  # fmt: skip


def column_is_not_null(table: QName, column: str, wanted: bool = True) -> StepCheck:
    state = "a.attnotnull" if wanted else "NOT a.attnotnull"
    message = f"column {table}.{column} is {'nullable' if wanted else 'NOT NULL'}"
    return StepCheck(message, _exists(_column(table, column, f" AND {state}")))


def column_has_default(table: QName, column: str, wanted: bool = True) -> StepCheck:
    state = "a.atthasdef" if wanted else "NOT a.atthasdef"
    message = f"column {table}.{column} has {'no' if wanted else 'a'} default"
    return StepCheck(message, _exists(_column(table, column, f" AND {state}")))


def column_is_identity(table: QName, column: str, kind: str) -> StepCheck:
    """``kind`` as in ``pg_attribute.attidentity``: ``a``, ``d`` or nothing."""
    return StepCheck(f"the identity of column {table}.{column} is not as planned",
                     _exists(_column(table, column, f" AND a.attidentity = {quote_literal(kind)}")))  # fmt: skip


def column_has_type(table: QName, column: str, type_name: str) -> StepCheck:
    """``format_type()`` prints built-in types the same whatever the search_path, so modifiers can be compared; of other
    types only the type itself is."""
    condition = f" AND a.atttypid = pg_catalog.to_regtype({quote_literal(type_name)})"
    if "." not in type_name and '"' not in type_name:
        condition += f" AND pg_catalog.format_type(a.atttypid, a.atttypmod) = {quote_literal(type_name)}"
    return StepCheck(f"column {table}.{column} is not of type {type_name}", _exists(_column(table, column, condition)))


def nothing_depends_on_column(table: QName, column: str) -> StepCheck:
    """No view, rule, policy or generated column uses the column: PostgreSQL refuses to change its type then."""
    sql = (
        "SELECT NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d "
        "JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid "
        "JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid "
        "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass "
        "AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass "
        f"AND n.nspname = {quote_literal(table.schema)} AND c.relname = {quote_literal(table.name)} "
        f"AND a.attname = {quote_literal(column)})"
    )
    return StepCheck(
        f"a view or rule uses {table}.{column}: PostgreSQL refuses to change its type; drop the view first", sql
    )


def no_nulls(table: QName, column: str) -> StepCheck:
    question = f"SELECT count(*) FROM {qualified(table)} WHERE {quote_ident(column)} IS NULL"
    return StepCheck(
        f"{table}.{column} has rows that are NULL ({question}): give them a value, or give the field a @default",
        f"SELECT NOT EXISTS (SELECT 1 FROM {qualified(table)} WHERE {quote_ident(column)} IS NULL)",
    )


def constraint_exists(table: QName, name: str) -> StepCheck:
    return StepCheck(f"constraint {name} of {table} does not exist; read the database and plan again",
                     _exists(_constraint(table, name)))  # fmt: skip


def constraint_valid(table: QName, name: str) -> StepCheck:
    return StepCheck(f"constraint {name} of {table} is missing or NOT VALID",
                     _exists(_constraint(table, name, " AND k.convalidated")))  # fmt: skip


def constraint_absent(table: QName, name: str) -> StepCheck:
    return StepCheck(f"constraint {name} of {table} exists; read the database and plan again",
                     _absent(_constraint(table, name)))  # fmt: skip


def index_valid(table: QName, name: str, *, unique: bool | None = None) -> StepCheck:
    condition = " AND x.indisvalid AND x.indisready"
    if unique is not None:
        condition += " AND x.indisunique" if unique else " AND NOT x.indisunique"
    return StepCheck(f"index {name} of {table} is missing or INVALID", _exists(_index(table, name, condition)))


def index_exists(table: QName, name: str) -> StepCheck:
    """Valid or not."""
    return StepCheck(f"index {name} of {table} is missing", _exists(_index(table, name)))


def index_absent(table: QName, name: str) -> StepCheck:
    return StepCheck(f"index {name} of {table} exists; read the database and plan again", _absent(_index(table, name)))


def index_leftover(table: QName, name: str) -> StepCheck:
    return StepCheck(f"an INVALID index {name} of {table} was left by a build or a drop that did not finish",
                     _exists(_index(table, name, " AND NOT x.indisvalid")))  # fmt: skip


def type_exists(name: QName) -> StepCheck:
    return StepCheck(f"type {name} does not exist; read the database and plan again", _exists(_type(name)))


def type_absent(name: QName) -> StepCheck:
    return StepCheck(f"type {name} exists already; read the database and plan again", _absent(_type(name)))


def _label(enum: QName, label: str) -> str:
    return (
        "FROM pg_catalog.pg_enum AS e JOIN pg_catalog.pg_type AS t ON t.oid = e.enumtypid "
        "JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace "
        f"WHERE n.nspname = {quote_literal(enum.schema)} AND t.typname = {quote_literal(enum.name)} "
        f"AND e.enumlabel = {quote_literal(label)}"
    )


def label_exists(enum: QName, label: str) -> StepCheck:
    return StepCheck(f"enum {enum} has no label {label!r}", _exists(_label(enum, label)))


def label_absent(enum: QName, label: str) -> StepCheck:
    return StepCheck(f"enum {enum} has the label {label!r} already", _absent(_label(enum, label)))


def _policy(table: QName, name: str) -> str:
    return (
        "FROM pg_catalog.pg_policy AS p JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid "
        "JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace "
        f"WHERE n.nspname = {quote_literal(table.schema)} AND c.relname = {quote_literal(table.name)} "
        f"AND p.polname = {quote_literal(name)}"
    )


def policy_exists(table: QName, name: str) -> StepCheck:
    return StepCheck(f"policy {name} of {table} does not exist", _exists(_policy(table, name)))


def policy_absent(table: QName, name: str) -> StepCheck:
    return StepCheck(f"policy {name} of {table} exists", _absent(_policy(table, name)))


def row_security_is(table: QName, *, enabled: bool, forced: bool) -> StepCheck:
    flags = f" AND {'' if enabled else 'NOT '}c.relrowsecurity AND {'' if forced else 'NOT '}c.relforcerowsecurity"
    return StepCheck(f"row-level security of {table} is not as planned", _exists(_relation(table) + flags))


def comment_is(table: QName, column: str | None, text: str | None) -> StepCheck:
    """The comment of a table, or of one of its columns."""
    number = "0" if column is None else f"(SELECT a.attnum {_column(table, column)})"
    wanted = f"= {quote_literal(text)}" if text is not None else "IS NULL"
    sql = (
        f"SELECT (SELECT d.description FROM pg_catalog.pg_description AS d WHERE d.objoid = (SELECT c.oid "
        f"{_relation(table)}) AND d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass "
        f"AND d.objsubid = {number}) {wanted}"
    )
    return StepCheck(f"the comment of {table}{'.' + column if column else ''} is not as planned", sql)
