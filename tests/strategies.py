"""Hypothesis strategies for whole catalogs that PostgreSQL accepts.

``catalogs()`` draws a :class:`Catalog` of the core kinds: enums, tables with columns of many types, defaults, identity,
generated columns, keys, foreign keys (also to the own table and in circles), checks, exclusions, indexes of several
access methods, row-level security with policies, comments, storage parameters. Names are hostile on purpose. Every
record is spelled as introspection would spell it, but expressions are spelled as people write them; so that
``tests.catalogs.differences(catalog, introspected)`` must be empty once the catalog has been created.

``edits(catalog)`` draws another catalog that is a neighbour of the first: what somebody made of it in an afternoon.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from hypothesis import strategies as st

from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    Constraint,
    Enum,
    Exclude,
    ForeignKey,
    Generated,
    Identity,
    Index,
    IndexKey,
    Policy,
    PrimaryKey,
    QName,
    ReferentialAction,
    Table,
    Unique,
)
from wesley_tui.catalog.naming import MAX_IDENTIFIER_BYTES, qualified, quote_ident, quote_literal

__all__ = [
    "Pool",
    "any_check",
    "any_column",
    "any_default",
    "any_index",
    "any_policy",
    "any_table",
    "any_unique",
    "by_name",
    "catalogs",
    "comments",
    "conditions",
    "edits",
    "is_sortable",
    "names",
    "with_foreign_keys",
]

_HOSTILE_NAMES = (
    *("user", "order", "select", "Users", "camelCase", "a b", "a.b", 'say "hi"', "it's", "naïve", "数据", "🙂 table"),
    *(
        "1st",
        "_",
        "$money",
        "semi;colon",
        "--comment",
        "/*c*/",
        "back\\slash",
        "%s",
        "{brace}",
        "[bold]red[/]",
        "tab\t",
    ),
    *("x" * MAX_IDENTIFIER_BYTES, "é" * 31, "🙂" * 15),
)
_PLAIN_NAMES = ("users", "orders", "item", "tag", "price", "status", "email", "created_at", "owner_id", "kind")
_TEXTS = ("", "plain", "it's", 'a "quoted" word', "back\\slash", "two\nlines", "🙂", "%s {x} $1", "-- no comment")


@dataclass(frozen=True)
class _Kind:
    """What can be written about a column of one type; ``{c}`` is the column."""

    type: str
    defaults: tuple[str, ...]
    checks: tuple[str, ...] = ()
    sortable: bool = True
    expressions: tuple[str, ...] = ()
    """Immutable ones, for index keys and generated columns of the same type."""


_KINDS = (
    _Kind("integer", ("0", "-1", "(1 + 2)"), ("{c} > 0", "{c} BETWEEN 1 AND 5", "{c} IN (1, 2)"), True, ("{c} + 1",)),
    _Kind("bigint", ("0", "9999999999"), ("{c} <> -1", "{c} != 0"), True, ("{c} * 2",)),
    _Kind("smallint", ("1",), ("{c} NOT IN (1, 2)",)),
    _Kind("text", ("''", "'it''s'", "upper('x')"), ("length({c}) > 3", "{c} LIKE 'a%'"), True, ("lower({c})",)),
    _Kind(
        "character varying(20)",
        ("'draft'", "'draft'::varchar"),
        ("{c} IN ('a', 'b')", "{c} <> ''", "lower({c}) = {c}"),
    ),
    _Kind("character(3)", ("'abc'",), ("{c} = 'abc'",)),
    _Kind("boolean", ("true", "FALSE"), ("{c} IS NOT FALSE", "{c}")),
    _Kind("numeric(10,2)", ("0", "0.00", "-1.5"), ("{c} >= 0", "{c} > 0.5"), True, ("{c} * 2",)),
    _Kind("double precision", ("0", "0.5"), ("{c} >= 0 AND {c} <= 1",)),
    _Kind("real", ("1.5",), ("{c} > 0",)),
    _Kind("date", ("CURRENT_DATE", "'2020-01-01'"), ("{c} > '2020-01-01'",), True, ("{c} + 1",)),
    _Kind("timestamp with time zone", ("now()", "CURRENT_TIMESTAMP"), ("{c} > '2020-01-01 00:00:00+00'",)),
    _Kind("timestamp(3) without time zone", ("LOCALTIMESTAMP",), ()),
    _Kind("interval", ("'1 day'", "interval '36 hours'"), ("{c} > '1 month'",)),
    _Kind("uuid", ("gen_random_uuid()",), ("{c} <> '00000000-0000-0000-0000-000000000000'",)),
    _Kind("jsonb", ("'{}'", "'[]'::jsonb"), ("jsonb_typeof({c}) = 'object'",)),
    _Kind("text[]", ("'{}'", "ARRAY['a']"), ("cardinality({c}) > 0", "array_position({c}, NULL) IS NULL")),
    _Kind("integer[]", ("'{1,2}'",), ("{c} <> '{}'",)),
    _Kind("inet", ("'127.0.0.1'",)),
    _Kind("bytea", ("'\\x00'",)),
    _Kind("int4range", ("'empty'",), ("NOT isempty({c})",)),
    _Kind("point", ("point(0, 0)",), (), False),
)
_BY_TYPE = {kind.type: kind for kind in _KINDS}
_BRIN_TYPES = ("integer", "bigint", "date", "numeric(10,2)", "timestamp with time zone", "uuid", "text")
_KEY_TYPES = ("integer", "bigint", "uuid", "text", "character varying(20)")
_Named = TypeVar("_Named", Constraint, Index)
_COMMANDS: tuple[Literal["all", "select", "insert", "update", "delete"], ...] = (
    *("all", "select", "insert", "update", "delete"),
)
_C_COLLATION = QName("pg_catalog", "C")


@dataclass
class Pool:
    """Names that are taken, by namespace: relations, types and constraints of a schema must not meet."""

    taken: set[tuple[str, str]] = field(default_factory=set)

    def claim(self, space: str, wanted: str) -> str:
        name, number = wanted, 0
        while (space, name) in self.taken:
            number += 1
            suffix = str(number)
            room = MAX_IDENTIFIER_BYTES - len(suffix)
            name = wanted.encode()[:room].decode(errors="ignore") + suffix
        self.taken.add((space, name))
        return name


def names() -> st.SearchStrategy[str]:
    """Identifiers, plain and hostile: keywords, quotes, dots, spaces, emoji, 63 bytes."""
    return st.sampled_from(_PLAIN_NAMES) | st.sampled_from(_HOSTILE_NAMES)


def comments() -> st.SearchStrategy[str | None]:
    return st.none() | st.sampled_from(tuple(text for text in _TEXTS if text))


@st.composite
def catalogs(draw: st.DrawFn, *, max_tables: int = 4, major: int = 15, kinds: Collection[str] = ()) -> Catalog:
    """A catalog that a fresh database of PostgreSQL ``major`` or later can hold: tables and enums, and the ``kinds`` of
    :data:`tests.strategies_objects.KINDS` that are asked for."""
    pool = Pool()
    schemas = ["public"]
    if draw(st.booleans()):
        schemas.append(pool.claim("schema", draw(names())))
    enums = {}
    for _ in range(draw(st.integers(0, 2))):
        schema = draw(st.sampled_from(schemas))
        labels = draw(st.lists(st.sampled_from((*_PLAIN_NAMES, *_TEXTS)), min_size=1, max_size=4, unique=True))
        name = QName(schema, pool.claim(f"relation {schema}", draw(names())))
        enums[name] = Enum(name, tuple(labels), draw(comments()))
    tables = []
    for _ in range(draw(st.integers(1, max_tables))):
        schema = draw(st.sampled_from(schemas))
        name = QName(schema, pool.claim(f"relation {schema}", draw(names())))
        tables.append(draw(any_table(name, tuple(enums.values()), pool, major)))
    tables = [draw(with_foreign_keys(table, tables, pool, major)) for table in tables]
    catalog = Catalog(
        schemas=frozenset(schemas), tables={table.name: table for table in sorted(tables, key=_name)}, enums=enums
    )
    if not kinds:
        return catalog
    from tests.strategies_objects import with_objects

    return draw(with_objects(catalog, pool, kinds, major))


@st.composite
def edits(draw: st.DrawFn, catalog: Catalog, *, max_edits: int = 4, major: int = 15) -> Catalog:
    """A neighbour of ``catalog``: columns, checks, indexes, comments and tables added and removed, NOT NULL and
    defaults changed, labels added at the end of enums. A table goes only when no other table refers to it."""
    pool = Pool({("schema", schema) for schema in catalog.schemas})
    for table in catalog.tables.values():
        space = f"relation {table.name.schema}"
        pool.taken |= {(space, table.name.name)}
        pool.taken |= {(space, item.name) for item in (*table.constraints, *table.indexes)}
        pool.taken |= {(f"policy {table.name}", policy.name) for policy in table.policies}
    pool.taken |= {(f"relation {enum.name.schema}", enum.name.name) for enum in catalog.enums.values()}
    tables = dict(catalog.tables)
    enums = dict(catalog.enums)
    for _ in range(draw(st.integers(1, max_edits))):
        kind = draw(
            st.sampled_from(("add table", "drop table", "label", "comment", "column", "column", "index", "check"))
        )
        name = draw(st.sampled_from(sorted(tables))) if tables else None
        if kind == "add table" or name is None:
            schema = draw(st.sampled_from(sorted(catalog.schemas)))
            new = QName(schema, pool.claim(f"relation {schema}", draw(names())))
            tables[new] = draw(any_table(new, tuple(enums.values()), pool, major))
        elif kind == "drop table":
            if not any(key.references == name for other in tables.values() for key in other.foreign_keys):
                del tables[name]
        elif kind == "label" and enums:
            enum = enums[draw(st.sampled_from(sorted(enums)))]
            fresh = [text for text in (*_TEXTS, "fresh", "newer", "newest") if text not in enum.labels]
            enums[enum.name] = dataclasses.replace(enum, labels=(*enum.labels, draw(st.sampled_from(fresh))))
        elif kind == "comment":
            tables[name] = dataclasses.replace(tables[name], comment=draw(comments()))
        else:
            tables[name] = draw(_edited(tables[name], kind, tuple(enums.values()), pool))
    return Catalog(schemas=catalog.schemas, tables=dict(sorted(tables.items())), enums=enums)


@st.composite
def _edited(draw: st.DrawFn, table: Table, kind: str, enums: Sequence[Enum], pool: Pool) -> Table:
    if kind == "index":
        made = draw(any_index(table.name, table.columns, pool))
        kept = table.indexes[1:] if draw(st.booleans()) else table.indexes
        return dataclasses.replace(table, indexes=by_name((*kept, *((made,) if made else ()))))
    if kind == "check":
        made_check = draw(any_check(table.name, table.columns, pool))
        others = tuple(item for item in table.constraints if not isinstance(item, Check)) if draw(st.booleans()) else ()
        kept_constraints = others or table.constraints
        return dataclasses.replace(
            table, constraints=by_name((*kept_constraints, *((made_check,) if made_check else ())))
        )
    position = draw(st.integers(0, len(table.columns)))
    if position == len(table.columns):
        local = Pool({("column", column.name) for column in table.columns})
        added = draw(any_column(local, enums))
        return dataclasses.replace(table, columns=(*table.columns, added))
    column = table.columns[position]
    if column.generated or column.identity or _is_key(table, column.name):
        return table
    changed = dataclasses.replace(column, not_null=not column.not_null, default=draw(any_default(column.type, enums)))
    return dataclasses.replace(table, columns=(*table.columns[:position], changed, *table.columns[position + 1 :]))


def _is_key(table: Table, column: str) -> bool:
    return table.primary_key is not None and column in table.primary_key.columns


def _name(table: Table) -> QName:
    return table.name


def by_name(items: Sequence[_Named]) -> tuple[_Named, ...]:
    return tuple(sorted(items, key=lambda item: item.name))


@st.composite
def any_table(draw: st.DrawFn, name: QName, enums: Sequence[Enum], pool: Pool, major: int) -> Table:
    """A table without foreign keys."""
    local = Pool()
    columns = [draw(any_column(local, enums)) for _ in range(draw(st.integers(1, 5)))]
    if draw(st.integers(0, 3)):
        key_type = draw(st.sampled_from(_KEY_TYPES))
        identity: Identity | None = None
        if key_type in ("integer", "bigint"):
            identity = draw(st.sampled_from((None, "always", "by default")))
        columns.insert(0, Column(local.claim("column", draw(names())), key_type, not_null=True, identity=identity))
        key = [columns[0].name]
    else:
        key = []
    generated = draw(_generated_columns(columns, local, major))
    constraints: list[Constraint] = []
    if key:
        constraints.append(
            PrimaryKey(pool.claim(f"relation {name.schema}", draw(names())), tuple(key), comment=draw(comments()))
        )
    for strategy in (any_unique, any_check, _excludes):
        if draw(st.booleans()):
            made = draw(strategy(name, columns, pool))
            constraints += [made] if made else []
    if key and draw(st.integers(0, 7)) == 0:
        # A unique that repeats the primary key: legal, seen in old databases, and dropped in silence by CREATE TABLE.
        constraints.append(Unique(pool.claim(f"relation {name.schema}", draw(names())), tuple(key)))
    stored = [column for column in generated if column.generated and column.generated.kind == "stored"]
    indexes = [draw(any_index(name, [*columns, *stored], pool)) for _ in range(draw(st.integers(0, 3)))]
    policies = [draw(any_policy(name, columns, pool)) for _ in range(draw(st.integers(0, 2)))]
    options = draw(
        st.sampled_from(((), (("fillfactor", "70"),), (("autovacuum_enabled", "false"), ("fillfactor", "90"))))
    )
    return Table(
        name=name,
        columns=(*columns, *generated),
        constraints=by_name(constraints),
        indexes=by_name([index for index in indexes if index]),
        policies=tuple(sorted(policies, key=lambda policy: policy.name)),
        rls_enabled=draw(st.booleans()),
        rls_forced=draw(st.booleans()),
        options=options,
        comment=draw(comments()),
    )


@st.composite
def any_column(draw: st.DrawFn, local: Pool, enums: Sequence[Enum]) -> Column:
    types = [kind.type for kind in _KINDS]
    types += [qualified(enum.name) for enum in enums] + [f"{qualified(enum.name)}[]" for enum in enums]
    column_type = draw(st.sampled_from(types))
    collation = _C_COLLATION if column_type == "text" and draw(st.integers(0, 5)) == 0 else None
    default = draw(any_default(column_type, enums))
    return Column(
        local.claim("column", draw(names())),
        column_type,
        not_null=draw(st.booleans()),
        default=default,
        collation=collation,
        comment=draw(comments()),
    )


@st.composite
def any_default(draw: st.DrawFn, column_type: str, enums: Sequence[Enum]) -> str | None:
    if draw(st.booleans()):
        return None
    kind = _BY_TYPE.get(column_type)
    if kind is not None:
        return draw(st.sampled_from(kind.defaults))
    if column_type.endswith("[]"):
        return "'{}'"
    enum = next((item for item in enums if qualified(item.name) == column_type), None)
    return quote_literal(draw(st.sampled_from(enum.labels))) if enum else None


@st.composite
def _generated_columns(draw: st.DrawFn, columns: Sequence[Column], local: Pool, major: int) -> list[Column]:
    sources = [column for column in columns if column.type in ("integer", "text", "numeric(10,2)")]
    if not sources or draw(st.integers(0, 2)):
        return []
    source = draw(st.sampled_from(sources))
    expression = draw(st.sampled_from(_BY_TYPE[source.type].expressions)).replace("{c}", quote_ident(source.name))
    kind: Literal["stored", "virtual"] = "virtual" if major >= 18 and draw(st.booleans()) else "stored"
    result = "numeric" if source.type.startswith("numeric") else source.type
    return [Column(local.claim("column", draw(names())), result, generated=Generated(expression, kind))]


@st.composite
def any_unique(draw: st.DrawFn, table: QName, columns: Sequence[Column], pool: Pool) -> Unique | None:
    keys = [column.name for column in columns if is_sortable(column)]
    if not keys:
        return None
    chosen = draw(st.lists(st.sampled_from(keys), min_size=1, max_size=3, unique=True))
    rest = [column.name for column in columns if column.name not in chosen]
    include = draw(st.lists(st.sampled_from(rest), max_size=1)) if rest else []
    deferrable = draw(st.booleans())
    return Unique(
        pool.claim(f"relation {table.schema}", draw(names())),
        tuple(chosen),
        include=tuple(include),
        nulls_not_distinct=draw(st.booleans()),
        deferrable=deferrable,
        initially_deferred=deferrable and draw(st.booleans()),
        comment=draw(comments()),
    )


@st.composite
def any_check(draw: st.DrawFn, table: QName, columns: Sequence[Column], pool: Pool) -> Check | None:
    condition = draw(conditions(columns))
    if condition is None:
        return None
    return Check(
        pool.claim(f"relation {table.schema}", draw(names())),
        condition,
        no_inherit=draw(st.booleans()),
        validated=draw(st.booleans()),
        comment=draw(comments()),
    )


@st.composite
def conditions(draw: st.DrawFn, columns: Sequence[Column]) -> str | None:
    written = [
        check.replace("{c}", quote_ident(column.name))
        for column in columns
        if column.generated is None and column.type in _BY_TYPE
        for check in _BY_TYPE[column.type].checks
    ]
    if not written:
        return None
    chosen = draw(st.lists(st.sampled_from(written), min_size=1, max_size=2, unique=True))
    return draw(st.sampled_from((" AND ", " OR "))).join(f"({text})" for text in chosen)


@st.composite
def _excludes(draw: st.DrawFn, table: QName, columns: Sequence[Column], pool: Pool) -> Exclude | None:
    ranges = [column.name for column in columns if column.type == "int4range"]
    numbers = [column.name for column in columns if column.type == "integer"]
    if not ranges and not numbers:
        return None
    method, key, operator = ("gist", ranges[0], "&&") if ranges else ("btree", numbers[0], "=")
    deferrable = draw(st.booleans())
    return Exclude(
        pool.claim(f"relation {table.schema}", draw(names())),
        method,
        ((IndexKey(key), operator),),
        where=draw(conditions(columns)) if draw(st.booleans()) else None,
        deferrable=deferrable,
        comment=draw(comments()),
    )


@st.composite
def any_index(draw: st.DrawFn, table: QName, columns: Sequence[Column], pool: Pool) -> Index | None:
    shapes: list[tuple[str, IndexKey]] = []
    for column in columns:
        virtual = column.generated is not None and column.generated.kind == "virtual"
        if virtual:
            continue
        if is_sortable(column):
            shapes.append(("btree", IndexKey(column.name)))
            descending = draw(st.booleans())
            nulls_first = draw(st.sampled_from((None, not descending)))
            shapes.append(("btree", IndexKey(column.name, descending=descending, nulls_first=nulls_first)))
        if column.type in _BRIN_TYPES:
            shapes.append(("brin", IndexKey(column.name)))
        if column.type == "text":
            shapes.append(("btree", IndexKey(column.name, opclass="text_pattern_ops")))
            shapes.append(("spgist", IndexKey(column.name)))
            if column.collation is None:
                shapes.append(("btree", IndexKey(column.name, collation=_C_COLLATION)))
        if column.type == "jsonb":
            shapes += [("gin", IndexKey(column.name)), ("gin", IndexKey(column.name, opclass="jsonb_path_ops"))]
        if column.type.endswith("[]"):
            shapes.append(("gin", IndexKey(column.name)))
        if column.type in ("int4range", "point"):
            shapes.append(("gist", IndexKey(column.name)))
        if column.type in ("inet",):
            shapes.append(("gist", IndexKey(column.name, opclass="inet_ops")))
        if column.type in ("uuid", "integer", "text"):
            shapes.append(("hash", IndexKey(column.name)))
        if column.type in _BY_TYPE:
            written = [text.replace("{c}", quote_ident(column.name)) for text in _BY_TYPE[column.type].expressions]
            shapes += [("btree", IndexKey(expression=text)) for text in written]
    if not shapes:
        return None
    method, first = draw(st.sampled_from(shapes))
    keys = [first]
    if method in ("btree", "gin", "brin"):
        others = [key for other, key in shapes if other == method and key.column != first.column]
        keys += draw(st.lists(st.sampled_from(others), max_size=2)) if others else []
    unique = method == "btree" and draw(st.booleans())
    used = {key.column for key in keys}
    rest = [column.name for column in columns if column.name not in used and column.generated is None]
    include = draw(st.lists(st.sampled_from(rest), max_size=1)) if rest and method == "btree" else []
    return Index(
        pool.claim(f"relation {table.schema}", draw(names())),
        tuple(keys),
        method,
        unique=unique,
        include=tuple(include),
        nulls_not_distinct=unique and draw(st.booleans()),
        where=draw(conditions(columns)) if draw(st.booleans()) else None,
        options=(("fillfactor", "70"),) if method == "btree" and draw(st.booleans()) else (),
        comment=draw(comments()),
    )


@st.composite
def any_policy(draw: st.DrawFn, table: QName, columns: Sequence[Column], pool: Pool) -> Policy:
    command = draw(st.sampled_from(_COMMANDS))
    condition = draw(conditions(columns)) or "true"
    using = None if command == "insert" else condition
    check = condition if command == "insert" or (command in ("all", "update") and draw(st.booleans())) else None
    return Policy(
        pool.claim(f"policy {table}", draw(names())),
        command,
        permissive=draw(st.booleans()),
        roles=draw(st.sampled_from((("public",), ("pg_monitor",), ("pg_monitor", "pg_read_all_stats")))),
        using=using,
        check=check,
        comment=draw(comments()),
    )


@st.composite
def with_foreign_keys(draw: st.DrawFn, table: Table, tables: Sequence[Table], pool: Pool, major: int) -> Table:
    """``table`` with foreign keys, on columns made for them, to primary keys of any tables, its own included."""
    targets = [target for target in tables if target.primary_key is not None]
    local = Pool({("column", column.name) for column in table.columns})
    columns, keys = list(table.columns), list(table.constraints)
    for target in draw(st.lists(st.sampled_from(targets), max_size=2)) if targets else ():
        assert target.primary_key is not None
        types = [(target.column(name), name) for name in target.primary_key.columns]
        own = []
        for referenced, _ in types:
            assert referenced is not None
            own.append(Column(local.claim("column", draw(names())), referenced.type, not_null=draw(st.booleans())))
        columns += own
        actions: tuple[ReferentialAction, ...] = ("no action", "restrict", "cascade", "set null", "set default")
        on_delete = draw(st.sampled_from(actions))
        names_of_own = tuple(column.name for column in own)
        listed = on_delete in ("set null", "set default") and major >= 15 and draw(st.booleans())
        deferrable = draw(st.booleans())
        keys.append(
            ForeignKey(
                pool.claim(f"relation {table.name.schema}", draw(names())),
                names_of_own,
                target.name,
                target.primary_key.columns,
                on_update=draw(st.sampled_from(actions)),
                on_delete=on_delete,
                on_delete_columns=names_of_own if listed else (),
                match_full=draw(st.booleans()),
                deferrable=deferrable,
                initially_deferred=deferrable and draw(st.booleans()),
                validated=draw(st.booleans()),
                comment=draw(comments()),
            )
        )
    return dataclasses.replace(table, columns=tuple(columns), constraints=by_name(keys))


def is_sortable(column: Column) -> bool:
    """Whether btree can hold it."""
    if column.generated is not None and column.generated.kind == "virtual":
        return False
    kind = _BY_TYPE.get(column.type)
    return kind is None or (kind.sortable and column.type != "jsonb")
