"""Records → SQL: the statements that make what a record says.

Every name is schema-qualified and every identifier quoted where it must be, so that the text means the same whatever
the ``search_path`` of the session that runs it. Statements carry no semicolon. Nothing here decides *how* to reach a
state without hurting anybody (CONCURRENTLY, NOT VALID, backfill): that is the planner's business, which orders these
pieces and adds its own.

A new table is made by :func:`create_table`: all its parts in order, except foreign keys, which wait until every table
of a plan exists. What is kept as SQL is made by :mod:`wesley_tui.catalog.ddl_objects`, privileges are given by
:mod:`wesley_tui.catalog.ddl_grants`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from pglast.parser import ParseError, parse_sql_json

from wesley_tui.catalog.ddl_grants import change_grants
from wesley_tui.catalog.identity import identity_clause
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
from wesley_tui.catalog.naming import default_name, qualified, quote_ident, quote_idents, quote_literal

__all__ = [
    "CommentKind",
    "add_constraint",
    "add_enum_label",
    "alter_policy",
    "attach_index",
    "attach_partition",
    "column_definition",
    "column_settings",
    "comment_on",
    "constraint_definition",
    "create_enum",
    "create_index",
    "create_policy",
    "create_schema",
    "create_table",
    "create_table_statement",
    "default_clause",
    "detach_partition",
    "drop_policy",
    "index_key",
    "not_null_constraint",
    "policy_is_alterable",
    "set_clustering",
    "set_column_compression",
    "set_column_options",
    "set_column_statistics",
    "set_column_storage",
    "set_index_statistics",
    "set_replica_identity",
    "set_row_security",
    "storage_options",
    "table_comments",
]

CommentKind = Literal["schema", "table", "column", "constraint", "index", "policy", "type"]

_PLAIN_OPTION = re.compile(r"[a-z_][a-z0-9_]*|-?[0-9]+(\.[0-9]+)?")


def create_schema(schema: str) -> str:
    return f"CREATE SCHEMA {quote_ident(schema)}"


def create_table(table: Table, *, attach: bool = False) -> tuple[str, ...]:
    """Everything that makes ``table`` on a database that does not have it, in order: the table with its columns, keys,
    uniques, checks and exclusions, its indexes, row-level security, policies, privileges and comments.

    Foreign keys are left out, see :func:`add_constraint`: they need the other table, which may need this one. Their
    comments are left out with them.

    With ``attach``, a partition is made by itself, in the likeness of its parent, and attached at the end: that takes
    SHARE UPDATE EXCLUSIVE on the parent, where CREATE TABLE … PARTITION OF takes ACCESS EXCLUSIVE.
    """
    apart = attach and table.partition_of is not None
    return (
        create_table_statement(table, apart=apart),
        *(add_constraint(table.name, constraint) for constraint in _late_constraints(table)),
        *(statement for column in table.columns for statement in column_settings(table.name, column)),
        *(create_index(table.name, index) for index in table.indexes),
        *(text for index in table.indexes for text in set_index_statistics(table.name, index)),
        *((set_clustering(table.name, table.clustered_on),) if table.clustered_on is not None else ()),
        *((set_replica_identity(table.name, table.replica_identity),) if table.replica_identity is not None else ()),
        *set_row_security(table.name, enabled=table.rls_enabled, forced=table.rls_forced),
        *(create_policy(table.name, policy) for policy in table.policies),
        *change_grants(f"TABLE {qualified(table.name)}", (), table.grants),
        *table_comments(table, foreign_keys=False),
        *((attach_partition(table),) if apart else ()),
    )


def create_table_statement(table: Table, *, apart: bool = False) -> str:
    """``CREATE TABLE`` with its columns, and with the constraints that it can hold: see :func:`create_table` for those
    that come right after it. ``apart`` makes a partition that is not one yet."""
    late = _late_constraints(table)
    parts = [column_definition(column) for column in table.columns]
    if apart:
        parts.append(
            f"LIKE {qualified(_parent(table))} INCLUDING ALL EXCLUDING INDEXES EXCLUDING IDENTITY EXCLUDING COMMENTS "
            "EXCLUDING STATISTICS"
        )
    parts += [
        f"CONSTRAINT {quote_ident(constraint.name)} {constraint_definition(constraint)}"
        for constraint in table.constraints
        if not isinstance(constraint, ForeignKey) and constraint not in late
    ]
    body = "(\n    " + ",\n    ".join(parts) + "\n)" if parts else "()"
    persistence = "UNLOGGED " if table.unlogged else ""
    text = f"CREATE {persistence}TABLE {qualified(table.name)} "
    if table.partition_of is not None and not apart:
        text += f"PARTITION OF {qualified(table.partition_of)} {body + ' ' if parts else ''}{table.partition_bound}"
    else:
        text += body
    if table.inherits:
        text += f" INHERITS ({', '.join(map(qualified, table.inherits))})"
    if table.partition_by is not None:
        text += f" PARTITION BY {table.partition_by}"
    if table.access_method is not None:
        text += f" USING {quote_ident(table.access_method)}"
    options = f" WITH ({storage_options(table.options)})" if table.options else ""
    tablespace = f" TABLESPACE {quote_ident(table.tablespace)}" if table.tablespace else ""
    return text + options + tablespace


def attach_partition(table: Table) -> str:
    """Makes a table a partition; scans it for rows outside of the bound unless a valid check says that there are none,
    and scans the DEFAULT partition of the parent, if there is one."""
    return f"ALTER TABLE {qualified(_parent(table))} ATTACH PARTITION {qualified(table.name)} {table.partition_bound}"


def detach_partition(table: Table, *, concurrently: bool = False) -> str:
    """``concurrently`` (PostgreSQL 14 and later, not in a transaction) does without ACCESS EXCLUSIVE on the parent."""
    how = " CONCURRENTLY" if concurrently else ""
    return f"ALTER TABLE {qualified(_parent(table))} DETACH PARTITION {qualified(table.name)}{how}"


def _parent(table: Table) -> QName:
    if table.partition_of is None or table.partition_bound is None:
        raise ValueError(f"table {table.name} is no partition")
    return table.partition_of


def _late_constraints(table: Table) -> tuple[Constraint, ...]:
    """Constraints that CREATE TABLE would not make as they are: it takes a check for valid whatever it is told, and
    silently drops a key that repeats another one (``transformIndexConstraints()``). A partition's own all come later,
    because it has its columns from elsewhere."""
    late: list[Constraint] = []
    if table.partition_of is not None:
        return tuple(item for item in table.constraints if not isinstance(item, ForeignKey))
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
        parts.append(identity_clause(column))
    elif column.default is not None:
        parts.append(f"DEFAULT {default_clause(column.default)}")
    if column.not_null:
        named = f"CONSTRAINT {quote_ident(column.not_null_name)} " if column.not_null_name is not None else ""
        parts.append(f"{named}NOT NULL")
    return " ".join(parts)


def column_settings(table: QName, column: Column) -> tuple[str, ...]:
    """The ALTER TABLE statements for what CREATE TABLE and ADD COLUMN cannot say on every version: storage,
    compression, statistics target and options, each only when it is not the default."""
    statements = []
    if column.storage is not None:
        statements.append(set_column_storage(table, column.name, column.storage))
    if column.compression is not None:
        statements.append(set_column_compression(table, column.name, column.compression))
    if column.statistics is not None:
        statements.append(set_column_statistics(table, column.name, column.statistics))
    return (*statements, *set_column_options(table, column.name, (), column.options))


def set_column_storage(table: QName, column: str, storage: str) -> str:
    """``storage`` is ``plain``, ``external``, ``extended`` or ``main``: only for values stored from now on."""
    return f"{_alter_column(table, column)} SET STORAGE {storage.upper()}"


def set_column_compression(table: QName, column: str, compression: str | None) -> str:
    """PostgreSQL 14 and later; None goes back to ``default_toast_compression``."""
    return f"{_alter_column(table, column)} SET COMPRESSION {compression or 'DEFAULT'}"


def set_column_statistics(table: QName, column: str, target: int | None) -> str:
    """None goes back to ``default_statistics_target``, which every version understands as -1."""
    return f"{_alter_column(table, column)} SET STATISTICS {-1 if target is None else target}"


def set_column_options(
    table: QName, column: str, old: Iterable[tuple[str, str]], new: Iterable[tuple[str, str]]
) -> tuple[str, ...]:
    """``n_distinct`` and the like: what leads from ``old`` to ``new``."""
    before, after = dict(old), dict(new)
    gone = [name for name in before if name not in after]
    changed = [(name, value) for name, value in after.items() if before.get(name) != value]
    statements = []
    if gone:
        statements.append(f"{_alter_column(table, column)} RESET ({quote_idents(gone)})")
    if changed:
        statements.append(f"{_alter_column(table, column)} SET ({storage_options(changed)})")
    return tuple(statements)


def _alter_column(table: QName, column: str) -> str:
    return f"ALTER TABLE {qualified(table)} ALTER COLUMN {quote_ident(column)}"


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
            text = f"PRIMARY KEY ({_key_columns(constraint)}){_include(constraint.include)}{_stored(constraint)}"
        case Unique():
            nulls = " NULLS NOT DISTINCT" if constraint.nulls_not_distinct else ""
            text = f"UNIQUE{nulls} ({_key_columns(constraint)}){_include(constraint.include)}{_stored(constraint)}"
        case ForeignKey():
            text = _foreign_key(constraint)
        case Check():
            inherit = " NO INHERIT" if constraint.no_inherit else ""
            enforced = "" if constraint.enforced else " NOT ENFORCED"
            return f"CHECK ({_embedded(constraint.expression)}){inherit}{enforced}"
        case Exclude():
            elements = ", ".join(f"{index_key(key)} WITH {operator}" for key, operator in constraint.elements)
            text = f"EXCLUDE USING {quote_ident(constraint.method)} ({elements})"
            text += _stored(constraint) + _where(constraint.where)
    if constraint.deferrable:
        text += " DEFERRABLE INITIALLY DEFERRED" if constraint.initially_deferred else " DEFERRABLE"
    if isinstance(constraint, ForeignKey) and not constraint.enforced:
        text += " NOT ENFORCED"
    return text


def _stored(constraint: PrimaryKey | Unique | Exclude) -> str:
    """How and where the index of a constraint lies."""
    options = f" WITH ({storage_options(constraint.options)})" if constraint.options else ""
    place = f" USING INDEX TABLESPACE {quote_ident(constraint.tablespace)}" if constraint.tablespace else ""
    return options + place


def _key_columns(key: PrimaryKey | Unique) -> str:
    return quote_idents(key.columns) + (" WITHOUT OVERLAPS" if key.without_overlaps else "")


def _foreign_key(key: ForeignKey) -> str:
    text = (
        f"FOREIGN KEY ({_period_columns(key.columns, key.period)}) "
        f"REFERENCES {qualified(key.references)} ({_period_columns(key.referenced_columns, key.period)})"
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


def _period_columns(columns: tuple[str, ...], period: bool) -> str:
    return f"{quote_idents(columns[:-1])}, PERIOD {quote_ident(columns[-1])}" if period else quote_idents(columns)


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


def create_index(table: QName, index: Index, concurrently: bool = False, *, only: bool = False) -> str:
    """``CREATE INDEX``; the index lands in the schema of its table. ``only`` makes that of a partitioned table without
    those of its partitions, invalid until :func:`attach_index` has given it one of each."""
    words = [
        "CREATE",
        *(["UNIQUE"] if index.unique else []),
        "INDEX",
        *(["CONCURRENTLY"] if concurrently else []),
        quote_ident(index.name),
        "ON ONLY" if only else "ON",
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
    if index.tablespace is not None:
        text += f" TABLESPACE {quote_ident(index.tablespace)}"
    return text + _where(index.where)


def set_index_statistics(table: QName, index: Index, old: Index | None = None) -> tuple[str, ...]:
    """How much ANALYZE collects about the expressions of an index: what leads from ``old`` (None: a new one) there."""
    before = [None] * len(index.keys) if old is None else [key.statistics for key in old.keys]
    return tuple(
        f"ALTER INDEX {qualified(QName(table.schema, index.name))} ALTER COLUMN {number} "
        f"SET STATISTICS {-1 if key.statistics is None else key.statistics}"
        for number, (key, was) in enumerate(zip(index.keys, before, strict=True), 1)
        if key.statistics != was
    )


def set_clustering(table: QName, index: str | None) -> str:
    """Which index CLUSTER follows; None is none."""
    how = "SET WITHOUT CLUSTER" if index is None else f"CLUSTER ON {quote_ident(index)}"
    return f"ALTER TABLE {qualified(table)} {how}"


def attach_index(parent: QName, child: QName) -> str:
    """Makes the index of a partition a part of the partitioned table's."""
    return f"ALTER INDEX {qualified(parent)} ATTACH PARTITION {qualified(child)}"


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


def set_replica_identity(table: QName, identity: str | None) -> str:
    """``full``, ``nothing``, the name of an index, or None for the primary key."""
    match identity:
        case None:
            how = "DEFAULT"
        case "full" | "nothing":
            how = identity.upper()
        case _:
            how = f"USING INDEX {quote_ident(identity)}"
    return f"ALTER TABLE {qualified(table)} REPLICA IDENTITY {how}"


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
        ("constraint", not_null_constraint(table.name, column), column.not_null_comment) for column in table.columns
    ]
    found += [
        ("constraint", constraint.name, constraint.comment)
        for constraint in table.constraints
        if foreign_keys or not isinstance(constraint, ForeignKey)
    ]
    found += [("index", index.name, index.comment) for index in table.indexes]
    found += [("policy", policy.name, policy.comment) for policy in table.policies]
    return tuple(comment_on(kind, table.name, name, text) for kind, name, text in found if text is not None)


def not_null_constraint(table: QName, column: Column) -> str:
    """The name of its NOT NULL (PostgreSQL 18)."""
    return column.not_null_name or default_name(table.name, (column.name,), "not_null")


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
