"""The directives that tie tables together, or show them otherwise: inheritance, partitions, views, computed columns."""

from __future__ import annotations

from wesley_tui.sdl.directive import Argument, Directive, Location

__all__ = ["OF_RELATIONS"]

_TYPE: tuple[Location, ...] = ("OBJECT",)
_FIELD: tuple[Location, ...] = ("FIELD_DEFINITION",)
_TYPE_OR_SCHEMA: tuple[Location, ...] = ("OBJECT", "SCHEMA")
_COMMENT = Argument("comment", "String", "`COMMENT ON` the object.")

OF_RELATIONS: tuple[Directive, ...] = (
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
