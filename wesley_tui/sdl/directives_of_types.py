"""The directives that stand on types, fields, enums and scalars."""

from __future__ import annotations

from wesley_tui.sdl.directive import Argument, Directive, Location

__all__ = ["OF_TYPES"]

_TYPE: tuple[Location, ...] = ("OBJECT",)
_FIELD: tuple[Location, ...] = ("FIELD_DEFINITION",)
_BOTH: tuple[Location, ...] = ("OBJECT", "FIELD_DEFINITION")

_NAME = Argument("name", "String", "Name of the constraint; default: the one PostgreSQL would choose.")
_INDEX_NAME = Argument("name", "String", "Name of the index; default: the one PostgreSQL would choose.")
_KEY_FIELDS = Argument("fields", "[String!]", "On a type: the fields (or columns) of the key, in order.")
_INCLUDE = Argument("include", "[String!]", "Fields carried along in the index, not part of the key.")
_DEFERRABLE = Argument("deferrable", "Boolean", "`DEFERRABLE`: may be checked at the end of the transaction.")
_DEFERRED = Argument("initiallyDeferred", "Boolean", "`DEFERRABLE INITIALLY DEFERRED`.")
_COMMENT = Argument("comment", "String", "`COMMENT ON` the object.")
_NOT_VALID = Argument("notValid", "Boolean", "`NOT VALID`: holds for new rows only, existing rows were never checked.")
_NOT_ENFORCED = Argument("notEnforced", "Boolean", "`NOT ENFORCED`: said, never checked (PostgreSQL 18).")
_OVERLAPS = Argument("withoutOverlaps", "Boolean", "`WITHOUT OVERLAPS` of the last column (PostgreSQL 18).")
_STORED = (
    Argument("with", "SqlOptions", "Storage parameters of its index: `{fillfactor: 70}`."),
    Argument("tablespace", "String", "Tablespace of its index; default: that of the database."),
)
_WHERE = Argument("where", "String", "SQL predicate: only rows for which it is true.")

OF_TYPES: tuple[Directive, ...] = (
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
            Argument("accessMethod", "String", "Table access method; default `heap`."),
            Argument("clusterOn", "String", "The index that `CLUSTER` follows."),
        ),
    ),
    Directive(
        "column",
        _FIELD,
        "Names the column; default: the field's name in snake_case.",
        (
            Argument("name", "String", "Column name, exactly as in the database."),
            Argument("with", "SqlOptions", "Attribute options: `{n_distinct: 100}`."),
        ),
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
        "using",
        _FIELD,
        "How a value of the column's old type becomes one of its new type, when that changes; else nothing.",
        (
            Argument(
                "expr",
                "String!",
                "SQL over the row as it was, with the columns' SQL names: `NULLIF(price, '')::numeric`.",
            ),
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
            _OVERLAPS,
            *_STORED,
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
            _OVERLAPS,
            *_STORED,
            _COMMENT,
        ),
        repeatable=True,
    ),
    Directive(
        "index",
        ("OBJECT", "FIELD_DEFINITION", "SCHEMA"),
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
            Argument("tablespace", "String", "Tablespace; default: that of the database."),
            Argument(
                "invalid",
                "Boolean",
                "It was INVALID when it was pulled, and is left so; without this, such a one is built again.",
            ),
            Argument("statistics", "[Int]", "Of each expression: how much ANALYZE collects; null for the default."),
            Argument("on", "String", "On the schema: the materialized view that it is an index of."),
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
            _NOT_ENFORCED,
            Argument("period", "Boolean", "`PERIOD` of the last column (PostgreSQL 18)."),
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
            _NOT_ENFORCED,
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
            *_STORED,
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
        (
            Argument("always", "Boolean", "`GENERATED ALWAYS`: the application cannot choose the value."),
            Argument("start", "BigInt", "First value."),
            Argument("increment", "BigInt", "Step; default 1."),
            Argument("min", "BigInt", "Least value."),
            Argument("max", "BigInt", "Greatest value."),
            Argument("cache", "BigInt", "Values that each session takes at once; default 1."),
            Argument("cycle", "Boolean", "Starts again after its last value."),
            Argument("sequence", "String", "Name of its sequence, where it is not the server's own choice."),
        ),
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
        "notNull",
        _FIELD,
        "NOT NULL as a constraint (PostgreSQL 18): its comment; its name, where it is not the server's own choice.",
        (Argument("name", "String", "Name of the constraint."), _COMMENT),
    ),
    Directive(
        "storage",
        _FIELD,
        "Where long values go, when that is not what the type asks for.",
        (Argument("type", "String!", "`plain`, `external`, `extended` or `main`."),),
    ),
    Directive(
        "compression",
        _FIELD,
        "How long values are compressed.",
        (Argument("method", "String!", "`pglz` or `lz4`."),),
    ),
    Directive(
        "comment",
        ("OBJECT", "FIELD_DEFINITION", "ENUM", "SCHEMA"),
        "`COMMENT ON` the table, column or enum, where it is not the description; on the schema, of anything.",
        (
            Argument("text", "String!", "The comment.", aliases=("value",)),
            Argument("on", "String", "On the schema: of what, as COMMENT ON has it: `constraint users_pkey ON users`."),
        ),
        repeatable=True,
        once_on=("OBJECT", "FIELD_DEFINITION", "ENUM"),
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
        ("OBJECT", "FIELD_DEFINITION", "SCHEMA"),
        "It is to be dropped. The only way to ask for that of something still written down.",
        (Argument("on", "String", "On the schema: what, as COMMENT ON has it: `function f(integer)`."),),
        repeatable=True,
        once_on=("OBJECT", "FIELD_DEFINITION", "ENUM"),
    ),
    Directive(
        "uid",
        _BOTH,
        "Stable identity of a type or field; not a unique key. The database remembers it: once a schema with it was "
        "applied, the same identity on another name is a rename, as with `@renamed`.",
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
)
