"""The directives that stand on types, fields, enums and scalars."""

from __future__ import annotations

from wesley_tui.sdl.directive import Argument, Directive, Location

__all__ = ["OF_TYPES"]

_TYPE: tuple[Location, ...] = ("OBJECT",)
_FIELD: tuple[Location, ...] = ("FIELD_DEFINITION",)
_BOTH: tuple[Location, ...] = ("OBJECT", "FIELD_DEFINITION")
_TYPE_OR_SCHEMA: tuple[Location, ...] = ("OBJECT", "SCHEMA")

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
        "notNull",
        _FIELD,
        "Names the NOT NULL of the column (PostgreSQL 18), where it is not the server's own choice.",
        (Argument("name", "String!", "Name of the constraint."),),
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
        "grant",
        ("OBJECT", "ENUM", "SCHEMA"),
        "Privileges. On a type they are those of its table or view.",
        (
            Argument("to", "[String!]", "Roles; `public` is everybody."),
            Argument("privileges", "[String!]", "`SELECT`, `USAGE` …; `ALL` for every one that the kind has."),
            Argument("columns", "[String!]", "Fields or columns, if it is not the whole table."),
            Argument("grantable", "Boolean", "`WITH GRANT OPTION`."),
            Argument("on", "String", "On the schema: on what: `function f(integer)`, `schema app`, `sequence s`."),
            Argument("sql", "String", "On the schema, instead of all that: `GRANT SELECT ON t TO r`."),
        ),
        repeatable=True,
        example="""\
extend schema
  @namespace(name: "app")
  @grant(on: "schema app", to: ["reader"], privileges: ["USAGE"])
  @comment(on: "constraint person_pkey ON app.person", text: "Never reused")

type Person @table(schema: "app")
  @grant(to: ["reader"], privileges: ["SELECT"], columns: ["id", "name"])
  @grant(to: ["writer"], privileges: ["SELECT", "INSERT", "UPDATE", "DELETE"]) {
  id: ID! @pk
  name: String!
  email: String!
}
""",
    ),
    Directive(
        "revoke",
        ("ENUM", "SCHEMA"),
        "Takes away what PUBLIC has unless told otherwise: EXECUTE on functions, USAGE on types.",
        (
            Argument("from", "[String!]!", "`public`."),
            Argument("privileges", "[String!]!", "`EXECUTE`, `USAGE`; `ALL` for every one that the kind has."),
            Argument("on", "String", "On the schema: on what: `function f(integer)`."),
        ),
        repeatable=True,
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
            Argument("preset", "String", "A ready-made set of policies: see *Presets* below."),
            Argument("options", "SqlOptions", "Options of the preset."),
        ),
        aliases=("rowLevelSecurity",),
    ),
    Directive(
        "policy",
        _TYPE_OR_SCHEMA,
        "One policy, with everything said.",
        (
            Argument("name", "String!", "Name of the policy."),
            Argument("table", "String", "On the schema: the table, by its type or by its name."),
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
        ("OBJECT", "FIELD_DEFINITION", "SCHEMA"),
        "It is to be dropped. The only way to ask for that of something still written down.",
        (Argument("on", "String", "On the schema: what, as COMMENT ON has it: `function f(integer)`."),),
        repeatable=True,
        once_on=("OBJECT", "FIELD_DEFINITION", "ENUM"),
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
        "inherits",
        _TYPE,
        "Plain inheritance: rows of this table are rows of its parents, too.",
        (Argument("from", "[String!]!", "The parents, by type or table, in order."),),
        example="""\
type Asset @table {
  id: ID!
  name: String!
}

type Vehicle @table @inherits(from: ["Asset"]) {
  id: ID! @pk
  name: String!
  wheels: Int!
}
""",
    ),
    Directive(
        "replicaIdentity",
        _TYPE,
        "What logical replication sends of the old row.",
        (Argument("by", "String!", "`full`, `nothing`, or the name of a unique index; without it, the primary key."),),
    ),
    Directive(
        "partition",
        _TYPE,
        "Partitioned table.",
        (
            Argument("by", "[String!]!", "Fields (or columns, or SQL expressions) of the partition key."),
            Argument("strategy", "PartitionStrategy", "`RANGE` (default), `LIST` or `HASH`."),
        ),
        example="""\
type Event @table @partition(by: ["at"], strategy: RANGE) @pk(fields: ["id", "at", "kind"]) {
  id: BigInt!
  at: DateTime!
  kind: String!
}

type Event2025 @table(name: "event_2025") @partitionOf(parent: "Event", from: "2025-01-01", to: "2026-01-01")

type Event2026 @table(name: "event_2026") @partition(by: ["kind"], strategy: LIST)
  @partitionOf(parent: "Event", from: "2026-01-01", to: MAXVALUE)

type Event2026Login @table(name: "event_2026_login") @partitionOf(parent: "Event2026", in: ["login"])

type Event2026Other @table(name: "event_2026_other") @partitionOf(parent: "Event2026", default: true)
""",
    ),
    Directive(
        "partitionOf",
        _TYPE,
        "Partition of another table. Its columns are those of the parent: it needs no fields.",
        (
            Argument("parent", "String!", "The partitioned table, by type or table.", aliases=("table", "type", "of")),
            Argument("from", "Literal", "Lower bound, inclusive; a list for several columns; `MINVALUE`."),
            Argument("to", "Literal", "Upper bound, exclusive; `MAXVALUE`."),
            Argument("in", "Literal", "Values of a list partition."),
            Argument("modulus", "Int", "Of a hash partition."),
            Argument("remainder", "Int", "Of a hash partition."),
            Argument("default", "Boolean", "The default partition."),
            Argument("bound", "String", "The bound as SQL, instead: `FOR VALUES IN ('a')`."),
        ),
    ),
    Directive(
        "view",
        _TYPE_OR_SCHEMA,
        "View. On a type: `query`, and the fields are its columns. On the schema: `sql`.",
        (
            Argument("query", "String", "Its SELECT."),
            Argument("sql", "String", "On the schema: the statement, `CREATE VIEW …`.", aliases=("body", "definition")),
            Argument("name", "String", "Its name; default: the type's name in snake_case."),
            Argument("schema", "String", "Its schema; default `public`."),
            Argument("securityInvoker", "Boolean", "Reads its tables with the rights of who asks (PostgreSQL 15)."),
            Argument("securityBarrier", "Boolean", "Conditions of who asks never see rows that it hides."),
            Argument("checkOption", "CheckOption", "Rows written through it must be rows of it: `LOCAL`, `CASCADED`."),
            _COMMENT,
            Argument("then", "[String!]", "Statements that follow it and set what CREATE cannot."),
        ),
        repeatable=True,
        once_on=("OBJECT", "FIELD_DEFINITION", "ENUM"),
        example='''\
type Account @table {
  id: ID! @pk
  name: String!
  active: Boolean!
}

"Who may sign in"
type ActiveAccount @view(query: "SELECT id, name FROM account WHERE active", securityInvoker: true) {
  id: ID!
  name: String!
}

type AccountCount @materializedView(
  query: """
  SELECT active, count(*) AS accounts
  FROM account
  GROUP BY active
  """
) @index(fields: ["active"], unique: true) {
  active: Boolean
  accounts: BigInt
}
''',
    ),
    Directive(
        "materializedView",
        _TYPE_OR_SCHEMA,
        "Materialized view. On a type: `query`, and the fields are its columns. On the schema: `sql`.",
        (
            Argument("query", "String", "Its SELECT."),
            Argument("sql", "String", "On the schema: the statement.", aliases=("body", "definition")),
            Argument("name", "String", "Its name; default: the type's name in snake_case."),
            Argument("schema", "String", "Its schema; default `public`."),
            Argument("withData", "Boolean", "Filled when it is made; default true."),
            Argument("tablespace", "String", "Tablespace; default: that of the database."),
            Argument("with", "SqlOptions", "Storage parameters: `{fillfactor: 70}`."),
            _COMMENT,
            Argument("then", "[String!]", "Statements that follow it and set what CREATE cannot."),
        ),
        repeatable=True,
        once_on=("OBJECT", "FIELD_DEFINITION", "ENUM"),
    ),
    Directive(
        "tenant",
        _TYPE,
        "Rows belong to tenants: the preset `tenant`.",
        (
            Argument("by", "String!", "The field that says which."),
            Argument("membership", "String", "Type that says who belongs to which tenant; see the preset."),
        ),
        example="""\
type Organisation @table {
  id: ID! @pk
  name: String!
}

type Invoice @table @tenant(by: "organisationId") {
  id: ID! @pk
  organisationId: ID! @fk(ref: "Organisation.id")
  total: Decimal!
}

type Draft @table @owner(column: "authorId") {
  id: ID! @pk
  authorId: ID!
  text: String!
}

type Post @table @rls(preset: "soft-delete", options: {column: "deletedAt"}) {
  id: ID! @pk
  deletedAt: DateTime
}
""",
    ),
    Directive(
        "owner",
        _TYPE,
        "Rows belong to users: the preset `owner`.",
        (Argument("column", "String!", "The field that says which."),),
    ),
    Directive(
        "computed",
        _FIELD,
        "Kept up to date across tables, by triggers on both: `expr` over the rows of `from` that point here. Rows that "
        "are there before the triggers keep what they have until they are touched: `UPDATE t SET c = c` computes them.",
        (
            Argument(
                "from", "String!", "The type whose rows count: `Line`, or `Line.order` for its field that points here."
            ),
            Argument("expr", "String!", "Aggregate over the columns of these rows: `coalesce(sum(price), 0)`."),
            Argument("where", "String", "Only of the rows for which it is true."),
        ),
        example="""\
type Order @table(name: "orders") {
  id: ID! @pk
  total: Decimal! @default(value: 0) @computed(from: "Line.order", expr: "coalesce(sum(price * pieces), 0)")
}

type Line @table {
  id: ID! @pk
  order: Order! @fk(onDelete: CASCADE) @index
  price: Decimal!
  pieces: Int!
}
""",
    ),
)
