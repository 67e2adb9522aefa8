"""The directives of the dialect, as one table: what the compiler accepts, what editors complete, what the manual says.

``directives.graphql`` (shipped with the package, for editors and validators) and ``docs/dialect.md`` are written from
it:

    python -m wesley_tui.sdl.directives

A directive is **built** (it changes the planned database), it **informs** (clients, generated code, tests; the database
is the same with or without it), or it comes **later**: a known word whose use is an error until it is supported,
because a directive that is silently ignored is a database that silently lacks something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "ARGUMENT_SCALARS",
    "BY_NAME",
    "DIRECTIVES",
    "SCALARS",
    "Argument",
    "Directive",
    "Location",
    "Status",
    "canonical_directive",
]

Location = Literal["SCHEMA", "SCALAR", "OBJECT", "FIELD_DEFINITION", "ENUM", "ENUM_VALUE"]
Status = Literal["built", "informs", "later"]

SCALARS: Mapping[str, str] = {
    "ID": "uuid",
    "UUID": "uuid",
    "String": "text",
    "Int": "integer",
    "BigInt": "bigint",
    "Float": "double precision",
    "Boolean": "boolean",
    "DateTime": "timestamp with time zone",
    "Date": "date",
    "Time": "time without time zone",
    "JSON": "jsonb",
    "Decimal": "numeric",
    "Bytes": "bytea",
    "Inet": "inet",
    "CIDR": "cidr",
    "MacAddr": "macaddr",
}
"""Scalar of the dialect → canonical PostgreSQL type."""

ARGUMENT_SCALARS: Mapping[str, str] = {
    "Literal": "Any value: text, number, boolean, list, object.",
    "SqlOptions": "An object of options, or texts name=value.",
    "SortOrder": "ASC, DESC, ASC_NULLS_FIRST, DESC_NULLS_LAST; also as text.",
    "ReferentialAction": "NO_ACTION, RESTRICT, CASCADE, SET_NULL, SET_DEFAULT; also as text.",
    "MatchType": "SIMPLE or FULL; also as text.",
}
"""Types of arguments, for editors: no column has them."""


@dataclass(frozen=True, slots=True)
class Argument:
    name: str
    type: str
    """As in SDL: ``String``, ``[String!]``, ``Boolean`` …; a single value stands for a list of one, as in GraphQL."""
    doc: str
    aliases: tuple[str, ...] = ()
    later: bool = False

    @property
    def required(self) -> bool:
        return self.type.endswith("!")


@dataclass(frozen=True, slots=True)
class Directive:
    name: str
    locations: tuple[Location, ...]
    doc: str
    arguments: tuple[Argument, ...] = ()
    repeatable: bool = False
    aliases: tuple[str, ...] = ()
    status: Status = "built"


_TYPE: tuple[Location, ...] = ("OBJECT",)
_FIELD: tuple[Location, ...] = ("FIELD_DEFINITION",)
_BOTH: tuple[Location, ...] = ("OBJECT", "FIELD_DEFINITION")
_SCHEMA: tuple[Location, ...] = ("SCHEMA",)

_NAME = Argument("name", "String", "Name of the constraint; default: the one PostgreSQL would choose.")
_INDEX_NAME = Argument("name", "String", "Name of the index; default: the one PostgreSQL would choose.")
_KEY_FIELDS = Argument("fields", "[String!]", "On a type: the fields (or columns) of the key, in order.")
_INCLUDE = Argument("include", "[String!]", "Fields carried along in the index, not part of the key.")
_DEFERRABLE = Argument("deferrable", "Boolean", "`DEFERRABLE`: may be checked at the end of the transaction.")
_DEFERRED = Argument("initiallyDeferred", "Boolean", "`DEFERRABLE INITIALLY DEFERRED`.")
_COMMENT = Argument("comment", "String", "`COMMENT ON` the object.")
_NOT_VALID = Argument("notValid", "Boolean", "`NOT VALID`: holds for new rows only, existing rows were never checked.")
_WHERE = Argument("where", "String", "SQL predicate: only rows for which it is true.")

DIRECTIVES: tuple[Directive, ...] = (
    Directive(
        "table",
        _TYPE,
        "The type is a table. A type without it is not.",
        (
            Argument("name", "String", "Table name; default: the type's name in snake_case, singular as written."),
            Argument("schema", "String", "Schema; default `public`."),
            Argument("comment", "String", "`COMMENT ON TABLE`; the type's description says the same."),
            Argument("tablespace", "String", "Tablespace; default: that of the database."),
            Argument("with", "SqlOptions", "Storage parameters: `{fillfactor: 70}`."),
            Argument("unlogged", "Boolean", "`UNLOGGED`: faster, empty after a crash, not replicated."),
        ),
    ),
    Directive(
        "column",
        _FIELD,
        "Names the column; default: the field's name in snake_case.",
        (Argument("name", "String!", "Column name, exactly as in the database."),),
    ),
    Directive(
        "type",
        ("FIELD_DEFINITION", "SCALAR", "ENUM"),
        "Any PostgreSQL type: of a field, of a custom scalar; on an enum, the name of the enum type.",
        (
            Argument("name", "String!", 'As in SQL: `numeric(5,2)`, `public.citext`, `"Odd Name"`.'),
            Argument("schema", "String", "On an enum: its schema, default `public`."),
        ),
    ),
    Directive(
        "label",
        ("ENUM_VALUE",),
        "The label in the database, where it is no GraphQL name.",
        (Argument("name", "String!", "The label: `in-progress`."),),
    ),
    Directive(
        "pk",
        _BOTH,
        "Primary key. On several fields, or on the type with `fields`: a composite one.",
        (
            _KEY_FIELDS,
            _NAME,
            Argument("using", "String", "Access method; a primary key is always `btree`."),
            _INCLUDE,
            _DEFERRABLE,
            _DEFERRED,
            _COMMENT,
        ),
        aliases=("primaryKey",),
    ),
    Directive(
        "unique",
        _BOTH,
        "Unique constraint; with `where` a unique index.",
        (
            _KEY_FIELDS,
            _NAME,
            Argument("nullsNotDistinct", "Boolean", "`NULLS NOT DISTINCT`: at most one null (PostgreSQL 15)."),
            _INCLUDE,
            _DEFERRABLE,
            _DEFERRED,
            _WHERE,
            _COMMENT,
        ),
        repeatable=True,
    ),
    Directive(
        "index",
        _BOTH,
        "Index. `fields` or `expr`, each a list of keys in order.",
        (
            _KEY_FIELDS,
            Argument("expr", "[String!]", "Keys as SQL expressions; a bare column name is a plain key."),
            _INDEX_NAME,
            Argument("using", "String", "Access method: `btree` (default), `gin`, `gist`, `brin`, `hash`, `spgist` …"),
            _WHERE,
            _INCLUDE,
            Argument("opclass", "[String]", "Operator class of each key; null or empty for the default."),
            Argument("collate", "[String]", "Collation of each key; null or empty for that of the column."),
            Argument("order", "[SortOrder]", "Of each key: `ASC`, `DESC`, `ASC_NULLS_FIRST`, `DESC_NULLS_LAST`."),
            Argument("unique", "Boolean", "Unique index."),
            Argument("nullsNotDistinct", "Boolean", "`NULLS NOT DISTINCT` of a unique index (PostgreSQL 15)."),
            Argument("with", "SqlOptions", "Storage parameters: `{fillfactor: 70}`."),
            _COMMENT,
        ),
        repeatable=True,
        aliases=("idx",),
    ),
    Directive(
        "fk",
        _BOTH,
        "Foreign key. On a field whose type is a table the column is `<field>_id`, with the type of the key.",
        (
            _KEY_FIELDS,
            Argument(
                "ref",
                "[String!]",
                '`"Type.field"`, `"table.column"`, `"schema.table.column"`, or `"table(a, b)"`; '
                "default: the primary key of the field's type.",
                aliases=("references",),
            ),
            Argument("onDelete", "ReferentialAction", "`NO_ACTION` (default) `RESTRICT CASCADE SET_NULL SET_DEFAULT`."),
            Argument("onUpdate", "ReferentialAction", "The same, when the referenced key changes."),
            Argument("onDeleteColumns", "[String!]", "Fields that `SET NULL`/`SET DEFAULT` sets (PostgreSQL 15)."),
            Argument("match", "MatchType", "`SIMPLE` (default) or `FULL`."),
            _DEFERRABLE,
            _DEFERRED,
            _NOT_VALID,
            _NAME,
            _COMMENT,
        ),
        repeatable=True,
        aliases=("foreignKey",),
    ),
    Directive(
        "check",
        _BOTH,
        "Check constraint.",
        (
            Argument("expr", "String!", "SQL condition over columns of the row."),
            _NAME,
            Argument("noInherit", "Boolean", "`NO INHERIT`."),
            _NOT_VALID,
            _COMMENT,
        ),
        repeatable=True,
    ),
    Directive(
        "exclude",
        _TYPE,
        "Exclusion constraint.",
        (
            Argument("expr", "[String!]!", "`room WITH =`, `during WITH &&`: one text, or one per key."),
            Argument("using", "String", "Access method; default `gist`."),
            _WHERE,
            _NAME,
            _DEFERRABLE,
            _DEFERRED,
            _COMMENT,
        ),
        repeatable=True,
    ),
    Directive(
        "default",
        _FIELD,
        "Default of the column: `value` or `expr`, not both.",
        (
            Argument(
                "value",
                "Literal",
                "A literal, quoted for the column's type; a string that is an SQL literal, a cast or a call, as that.",
            ),
            Argument("expr", "String", "An SQL expression, taken as written."),
        ),
    ),
    Directive(
        "generated",
        _FIELD,
        "`GENERATED ALWAYS AS (expr)`.",
        (
            Argument("expr", "String!", "SQL expression over other columns of the row."),
            Argument("stored", "Boolean", "Default true; false makes it `VIRTUAL` (PostgreSQL 18)."),
        ),
    ),
    Directive(
        "identity",
        _FIELD,
        "`GENERATED BY DEFAULT AS IDENTITY`.",
        (Argument("always", "Boolean", "`GENERATED ALWAYS`: the application cannot choose the value."),),
    ),
    Directive(
        "collate",
        _FIELD,
        "Collation of the column.",
        (
            Argument("name", "String!", "Name of the collation, without its schema: `C`, `de-x-icu`."),
            Argument("schema", "String", "Schema of the collation; default `pg_catalog`."),
        ),
    ),
    Directive(
        "comment",
        ("OBJECT", "FIELD_DEFINITION", "ENUM"),
        "`COMMENT ON` the table, column or enum, where it is not the description.",
        (Argument("text", "String!", "The comment.", aliases=("value",)),),
    ),
    Directive(
        "rls",
        _TYPE,
        "Row-level security. `using` and `check` make one policy for all commands, the others one each.",
        (
            Argument("enabled", "Boolean", "Default true."),
            Argument("force", "Boolean", "`FORCE`: the table's owner obeys too."),
            Argument("select", "String", "Rows that may be read: `USING`."),
            Argument("insert", "String", "Rows that may be inserted: `WITH CHECK`."),
            Argument("update", "String", "Rows that may be updated: `USING`; the new row must satisfy it too."),
            Argument("delete", "String", "Rows that may be deleted: `USING`."),
            Argument("using", "String", "`USING` for all commands."),
            Argument(
                "check", "String", "`WITH CHECK` for all commands; of `update`, if that is given without `using`."
            ),
            Argument("roles", "[String!]", "Roles that the policies are for; default `public`, everybody."),
            Argument("preset", "String", "A ready-made set of policies.", later=True),
            Argument("options", "SqlOptions", "Options of the preset.", later=True),
        ),
        aliases=("rowLevelSecurity",),
    ),
    Directive(
        "policy",
        _TYPE,
        "One policy, with everything said.",
        (
            Argument("name", "String!", "Name of the policy."),
            Argument("for", "String", "`all` (default), `select`, `insert`, `update`, `delete`."),
            Argument("roles", "[String!]", "Default `public`, everybody.", aliases=("to",)),
            Argument("using", "String", "`USING`."),
            Argument("check", "String", "`WITH CHECK`."),
            Argument("restrictive", "Boolean", "`AS RESTRICTIVE`: must hold besides another, permissive one."),
            _COMMENT,
        ),
        repeatable=True,
    ),
    Directive(
        "renamed",
        ("OBJECT", "FIELD_DEFINITION", "ENUM", "ENUM_VALUE"),
        "It had another name: a rename, never a drop and an add.",
        (
            Argument(
                "from",
                "String!",
                "The name in the database before; `schema.table` when a table moves to another schema too.",
            ),
        ),
    ),
    Directive(
        "drop",
        _BOTH,
        "It is to be dropped. The only way to ask for that of something still written down.",
    ),
    Directive(
        "uid",
        _BOTH,
        "Stable identity of a type or field, for the detection of renames; not a unique key.",
        (Argument("value", "String!", "Any text that stays the same."),),
        status="informs",
    ),
    *(
        Directive(
            name,
            _FIELD,
            doc,
            (
                Argument("type", "String", "The other type."),
                Argument("field", "String", "The field over there."),
                Argument("via", "String", "The type in between."),
                Argument("ref", "String", "The key that makes the relation."),
            ),
            status="informs",
        )
        for name, doc in (
            ("belongsTo", "Relation to one, for clients and generated code: no column by itself."),
            ("hasMany", "Relation to many, for clients and generated code: no column by itself."),
            ("hasOne", "Relation to at most one, for clients and generated code: no column by itself."),
        )
    ),
    Directive("sensitive", _BOTH, "Masked in logs and in the terminal.", status="informs"),
    Directive("pii", _BOTH, "Personal data: masked in logs and in the terminal.", status="informs"),
    Directive("critical", _BOTH, "Tested deeper, and counted higher as a risk.", status="informs"),
    Directive(
        "weight",
        _BOTH,
        "Depth of tests and weight of risk.",
        (Argument("value", "Int!", "1 is usual, 10 is a lot."),),
        status="informs",
    ),
    Directive(
        "tenant",
        _TYPE,
        "Rows belong to tenants.",
        (Argument("by", "String!", "The field that says which."),),
        status="later",
    ),
    Directive(
        "owner",
        _TYPE,
        "Rows belong to users.",
        (Argument("column", "String!", "The field that says which."),),
        status="later",
    ),
    Directive(
        "computed",
        _FIELD,
        "Kept up to date across tables, by triggers.",
        (
            Argument("from", "String", "Where the value comes from."),
            Argument("expr", "String", "How it is computed."),
        ),
        status="later",
    ),
    Directive(
        "partition",
        _TYPE,
        "Partitioned table.",
        (
            Argument("by", "[String!]", "Fields of the partition key."),
            Argument("strategy", "String", "`range`, `list` or `hash`."),
        ),
        status="later",
    ),
    Directive(
        "partitionOf",
        _TYPE,
        "Partition of another table.",
        (
            Argument("table", "String", "The partitioned table.", aliases=("type", "parent")),
            Argument("from", "Literal", "Lower bound."),
            Argument("to", "Literal", "Upper bound."),
            Argument("in", "[Literal]", "Values of a list partition."),
            Argument("modulus", "Int", "Of a hash partition."),
            Argument("remainder", "Int", "Of a hash partition."),
            Argument("default", "Boolean", "The default partition."),
        ),
        status="later",
    ),
    Directive("view", _TYPE, "View.", (Argument("query", "String", "Its SELECT."),), status="later"),
    Directive(
        "materializedView",
        _TYPE,
        "Materialized view.",
        (Argument("query", "String", "Its SELECT."),),
        status="later",
    ),
    *(
        Directive(
            name,
            _SCHEMA,
            doc,
            (
                Argument("name", "String", "Its name."),
                Argument("schema", "String", "Its schema."),
                Argument("body", "String", "Its SQL.", aliases=("sql", "query", "definition")),
                Argument("options", "SqlOptions", "Anything else."),
            ),
            repeatable=True,
            status="later",
        )
        for name, doc in (
            ("namespace", "A schema of the database."),
            ("extension", "Extension."),
            ("function", "Function."),
            ("procedure", "Procedure."),
            ("trigger", "Trigger."),
            ("sequence", "Sequence."),
            ("domain", "Domain."),
            ("composite", "Composite type."),
            ("grant", "Privileges."),
            ("sql", "Any other object, as SQL."),
        )
    ),
)

BY_NAME: Mapping[str, Directive] = {directive.name: directive for directive in DIRECTIVES}

_ALIASES = {alias: directive.name for directive in DIRECTIVES for alias in directive.aliases}


def canonical_directive(name: str) -> str | None:
    """The canonical name that ``name`` is, or is an alias of (``wes_pk``, ``wesley_pk``, ``primaryKey``); else None."""
    if name in BY_NAME:
        return name
    for prefix in ("wes_", "wesley_"):
        if name.startswith(prefix):
            name = name.removeprefix(prefix)
            break
    return name if name in BY_NAME else _ALIASES.get(name)


if __name__ == "__main__":
    from wesley_tui.sdl.publish import main

    main()
