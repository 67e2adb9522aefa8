"""Records → SQL: the statements that make what a record says.

Every name is schema-qualified and every identifier quoted where it must be, so that the text means the same whatever
the ``search_path`` of the session that runs it. Statements carry no semicolon. Nothing here decides *how* to reach a
state without hurting anybody (CONCURRENTLY, NOT VALID, backfill): that is the planner's business, which orders these
pieces and adds its own.

A new table is made by :func:`create_table`: all its parts in order, except foreign keys, which wait until every table
of a plan exists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from pglast.parser import ParseError, parse_sql_json

from wesley_tui.catalog.model import (
    Check,
    Column,
    Constraint,
    Enum,
    Exclude,
    ForeignKey,
    Index,
    IndexKey,
    Policy,
    PrimaryKey,
    QName,
    Table,
    Unique,
)
from wesley_tui.catalog.naming import qualified, quote_ident, quote_idents, quote_literal

__all__ = [
    "CommentKind",
    "add_constraint",
    "add_enum_label",
    "alter_policy",
    "column_definition",
    "comment_on",
    "constraint_definition",
    "create_enum",
    "create_index",
    "create_policy",
    "create_schema",
    "create_table",
    "create_table_statement",
    "default_clause",
    "drop_policy",
    "index_key",
    "policy_is_alterable",
    "set_row_security",
    "storage_options",
    "table_comments",
]

CommentKind = Literal["schema", "table", "column", "constraint", "index", "policy", "type"]

_PLAIN_OPTION = re.compile(r"[a-z_][a-z0-9_]*|-?[0-9]+(\.[0-9]+)?")


def create_schema(schema: str) -> str:
    return f"CREATE SCHEMA {quote_ident(schema)}"


def create_table(table: Table) -> tuple[str, ...]:
    """Everything that makes ``table`` on a database that does not have it, in order: the table with its columns, keys,
    uniques, checks and exclusions, its indexes, row-level security, policies and comments.

    Foreign keys are left out, see :func:`add_constraint`: they need the other table, which may need this one. Their
    comments are left out with them.
    """
    return (
        create_table_statement(table),
        *(add_constraint(table.name, constraint) for constraint in _late_constraints(table)),
        *(create_index(table.name, index) for index in table.indexes),
        *set_row_security(table.name, enabled=table.rls_enabled, forced=table.rls_forced),
        *(create_policy(table.name, policy) for policy in table.policies),
        *table_comments(table, foreign_keys=False),
    )


def create_table_statement(table: Table) -> str:
    """``CREATE TABLE`` with its columns, and with the constraints that it can hold: see :func:`create_table` for those
    that come right after it."""
    late = _late_constraints(table)
    parts = [column_definition(column) for column in table.columns]
    parts += [
        f"CONSTRAINT {quote_ident(constraint.name)} {constraint_definition(constraint)}"
        for constraint in table.constraints
        if not isinstance(constraint, ForeignKey) and constraint not in late
    ]
    body = "(\n    " + ",\n    ".join(parts) + "\n)" if parts else "()"
    persistence = "UNLOGGED " if table.unlogged else ""
    options = f" WITH ({storage_options(table.options)})" if table.options else ""
    tablespace = f" TABLESPACE {quote_ident(table.tablespace)}" if table.tablespace else ""
    return f"CREATE {persistence}TABLE {qualified(table.name)} {body}{options}{tablespace}"


def _late_constraints(table: Table) -> tuple[Constraint, ...]:
    """Constraints that CREATE TABLE would not make as they are: it takes a check for valid whatever it is told, and
    silently drops a key that repeats another one (``transformIndexConstraints()``)."""
    late: list[Constraint] = []
    seen = {table.primary_key.columns} if table.primary_key else set()
    for constraint in table.constraints:
        match constraint:
            case Check(validated=False):
                late.append(constraint)
            case Unique() if constraint.columns in seen:
                late.append(constraint)
            case Unique():
                seen.add(constraint.columns)
            case Exclude() if constraint.where is None:
                columns = tuple(key.column or "" for key, _ in constraint.elements)
                if columns in seen:
                    late.append(constraint)
                seen.add(columns)
    return tuple(late)


def column_definition(column: Column) -> str:
    """The text of a column in CREATE TABLE and after ADD COLUMN: name, type and all that belongs to it."""
    parts = [quote_ident(column.name), column.type]
    if column.collation is not None:
        parts.append(f"COLLATE {_collation(column.collation)}")
    if column.generated is not None:
        parts.append(f"GENERATED ALWAYS AS ({_embedded(column.generated.expression)}) {column.generated.kind.upper()}")
    elif column.identity is not None:
        parts.append(f"GENERATED {column.identity.upper()} AS IDENTITY")
    elif column.default is not None:
        parts.append(f"DEFAULT {default_clause(column.default)}")
    if column.not_null:
        parts.append("NOT NULL")
    return " ".join(parts)


@lru_cache(maxsize=8192)
def default_clause(expression: str) -> str:
    """``expression`` as it may stand after DEFAULT: in parentheses when the grammar wants them there (``a AND b``)."""
    try:
        document = json.loads(parse_sql_json(f"CREATE TABLE t (c text DEFAULT {expression}\n)"))
        (element,) = document["stmts"][0]["stmt"]["CreateStmt"]["tableElts"]
        (clause,) = element["ColumnDef"]["constraints"]
        # COLLATE would belong to the column, not to the expression.
        stands_alone = (
            len(document["stmts"]) == 1
            and clause["Constraint"]["contype"] == "CONSTR_DEFAULT"
            and "collClause" not in element["ColumnDef"]
        )
    except (ParseError, KeyError, ValueError):
        stands_alone = False
    return _embedded(expression) if stands_alone else f"({_embedded(expression)})"


def constraint_definition(constraint: Constraint) -> str:
    """The text after ``CONSTRAINT name``, without NOT VALID (see :func:`add_constraint`)."""
    match constraint:
        case PrimaryKey():
            text = f"PRIMARY KEY ({quote_idents(constraint.columns)}){_include(constraint.include)}"
        case Unique():
            nulls = " NULLS NOT DISTINCT" if constraint.nulls_not_distinct else ""
            text = f"UNIQUE{nulls} ({quote_idents(constraint.columns)}){_include(constraint.include)}"
        case ForeignKey():
            text = _foreign_key(constraint)
        case Check():
            return f"CHECK ({_embedded(constraint.expression)})" + (" NO INHERIT" if constraint.no_inherit else "")
        case Exclude():
            elements = ", ".join(f"{index_key(key)} WITH {operator}" for key, operator in constraint.elements)
            text = f"EXCLUDE USING {quote_ident(constraint.method)} ({elements}){_where(constraint.where)}"
    if constraint.deferrable:
        text += " DEFERRABLE INITIALLY DEFERRED" if constraint.initially_deferred else " DEFERRABLE"
    return text


def _foreign_key(key: ForeignKey) -> str:
    text = (
        f"FOREIGN KEY ({quote_idents(key.columns)}) "
        f"REFERENCES {qualified(key.references)} ({quote_idents(key.referenced_columns)})"
    )
    if key.match_full:
        text += " MATCH FULL"
    if key.on_update != "no action":
        text += f" ON UPDATE {key.on_update.upper()}"
    if key.on_delete != "no action":
        text += f" ON DELETE {key.on_delete.upper()}"
        if key.on_delete_columns:
            text += f" ({quote_idents(key.on_delete_columns)})"
    return text


def add_constraint(table: QName, constraint: Constraint, not_valid: bool = False) -> str:
    """``ALTER TABLE … ADD CONSTRAINT``; NOT VALID when asked, or when the record says that it is not validated.

    Only checks and foreign keys can be NOT VALID: ``not_valid`` raises ``ValueError`` for any other.
    """
    if isinstance(constraint, Check | ForeignKey):
        not_valid = not_valid or not constraint.validated
    elif not_valid:
        raise ValueError(f"constraint {constraint.name}: only CHECK and FOREIGN KEY constraints can be NOT VALID")
    return (
        f"ALTER TABLE {qualified(table)} ADD CONSTRAINT {quote_ident(constraint.name)} "
        f"{constraint_definition(constraint)}{' NOT VALID' if not_valid else ''}"
    )


def create_index(table: QName, index: Index, concurrently: bool = False) -> str:
    """``CREATE INDEX``; the index lands in the schema of its table."""
    words = [
        "CREATE",
        *(["UNIQUE"] if index.unique else []),
        "INDEX",
        *(["CONCURRENTLY"] if concurrently else []),
        quote_ident(index.name),
        "ON",
        qualified(table),
        "USING",
        quote_ident(index.method),
        f"({', '.join(index_key(key) for key in index.keys)})",
    ]
    text = " ".join(words) + _include(index.include)
    if index.nulls_not_distinct:
        text += " NULLS NOT DISTINCT"
    if index.options:
        text += f" WITH ({storage_options(index.options)})"
    return text + _where(index.where)


def index_key(key: IndexKey) -> str:
    """One key between the parentheses of an index: column or expression, collation, operator class, order."""
    if key.column is not None:
        text = quote_ident(key.column)
    elif key.expression is not None:
        text = f"({_embedded(key.expression)})"
    else:
        raise ValueError("an index key is a column or an expression, this one is neither")
    if key.collation is not None:
        text += f" COLLATE {_collation(key.collation)}"
    if key.opclass is not None:
        text += f" {key.opclass}"
    if key.descending:
        text += " DESC"
    if key.nulls_first is not None and key.nulls_first != key.descending:
        text += " NULLS FIRST" if key.nulls_first else " NULLS LAST"
    return text


def storage_options(options: Iterable[tuple[str, str]]) -> str:
    """``fillfactor=70, autovacuum_enabled=off``: what stands between the parentheses of WITH and SET."""
    return ", ".join(
        ".".join(quote_ident(part) for part in name.split("."))
        + "="
        + (value if _PLAIN_OPTION.fullmatch(value) else quote_literal(value))
        for name, value in options
    )


def set_row_security(
    table: QName, *, enabled: bool, forced: bool, was_enabled: bool = False, was_forced: bool = False
) -> tuple[str, ...]:
    """The ALTER TABLE statements that bring the two flags of row-level security from one state to another."""
    changes = []
    if enabled != was_enabled:
        changes.append("ENABLE" if enabled else "DISABLE")
    if forced != was_forced:
        changes.append("FORCE" if forced else "NO FORCE")
    return tuple(f"ALTER TABLE {qualified(table)} {change} ROW LEVEL SECURITY" for change in changes)


def create_policy(table: QName, policy: Policy) -> str:
    text = f"CREATE POLICY {quote_ident(policy.name)} ON {qualified(table)}"
    if not policy.permissive:
        text += " AS RESTRICTIVE"
    if policy.command != "all":
        text += f" FOR {policy.command.upper()}"
    if policy.roles != ("public",):
        text += f" TO {_roles(policy)}"
    return text + _policy_conditions(policy)


def policy_is_alterable(old: Policy, new: Policy) -> bool:
    """True when ALTER POLICY can lead from ``old`` to ``new``: it cannot change the command or the mode, and cannot
    take a condition away."""
    return (
        (old.command, old.permissive) == (new.command, new.permissive)
        and not (old.using is not None and new.using is None)
        and not (old.check is not None and new.check is None)
    )


def alter_policy(table: QName, old: Policy, new: Policy) -> tuple[str, ...]:
    """From ``old`` to ``new`` (of the same name): one ALTER POLICY where that can do it, else drop and create."""
    if not policy_is_alterable(old, new):
        return drop_policy(table, old), create_policy(table, new)
    roles = f" TO {_roles(new)}" if old.roles != new.roles else ""
    return (f"ALTER POLICY {quote_ident(new.name)} ON {qualified(table)}{roles}{_policy_conditions(new)}",)


def drop_policy(table: QName, policy: Policy) -> str:
    return f"DROP POLICY {quote_ident(policy.name)} ON {qualified(table)}"


def create_enum(enum: Enum) -> str:
    return f"CREATE TYPE {qualified(enum.name)} AS ENUM ({', '.join(quote_literal(label) for label in enum.labels)})"


def add_enum_label(
    enum: QName, label: str, position: Literal["before", "after"] = "after", neighbour: str | None = None
) -> str:
    """``ALTER TYPE … ADD VALUE``; at the end when there is no ``neighbour``."""
    where = f" {position.upper()} {quote_literal(neighbour)}" if neighbour is not None else ""
    return f"ALTER TYPE {qualified(enum)} ADD VALUE {quote_literal(label)}{where}"


def comment_on(kind: CommentKind, relation: QName, name: str | None, text: str | None) -> str:
    """``COMMENT ON``; ``None`` takes the comment away.

    ``relation`` is the table, for ``type`` the type itself, for ``schema`` only its ``schema`` counts; ``name`` is the
    column, constraint, index or policy.
    """
    target = quote_ident(relation.schema) if kind == "schema" else qualified(relation)
    if kind not in ("schema", "table", "type"):
        if name is None:
            raise ValueError(f"COMMENT ON {kind.upper()} needs the name of the {kind}")
        if kind == "column":
            target = f"{target}.{quote_ident(name)}"
        elif kind == "index":
            target = qualified(QName(relation.schema, name))
        else:
            target = f"{quote_ident(name)} ON {target}"
    return f"COMMENT ON {kind.upper()} {target} IS {'NULL' if text is None else quote_literal(text)}"


def table_comments(table: Table, *, foreign_keys: bool = True) -> tuple[str, ...]:
    """COMMENT ON for everything in ``table`` that has a comment; those of foreign keys only when they exist by then."""
    found: list[tuple[CommentKind, str | None, str | None]] = [("table", None, table.comment)]
    found += [("column", column.name, column.comment) for column in table.columns]
    found += [
        ("constraint", constraint.name, constraint.comment)
        for constraint in table.constraints
        if foreign_keys or not isinstance(constraint, ForeignKey)
    ]
    found += [("index", index.name, index.comment) for index in table.indexes]
    found += [("policy", policy.name, policy.comment) for policy in table.policies]
    return tuple(comment_on(kind, table.name, name, text) for kind, name, text in found if text is not None)


def _embedded(expression: str) -> str:
    """An expression that something follows on the same line: a line comment at its end must not swallow that."""
    return f"{expression}\n" if "--" in expression else expression


def _collation(name: QName) -> str:
    return quote_ident(name.name) if name.schema == "pg_catalog" else qualified(name)


def _include(columns: tuple[str, ...]) -> str:
    return f" INCLUDE ({quote_idents(columns)})" if columns else ""


def _where(condition: str | None) -> str:
    return f" WHERE ({_embedded(condition)})" if condition is not None else ""


def _roles(policy: Policy) -> str:
    return ", ".join("PUBLIC" if role == "public" else quote_ident(role) for role in policy.roles)


def _policy_conditions(policy: Policy) -> str:
    using = f" USING ({_embedded(policy.using)})" if policy.using is not None else ""
    check = f" WITH CHECK ({_embedded(policy.check)})" if policy.check is not None else ""
    return using + check
