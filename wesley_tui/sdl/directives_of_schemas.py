"""The directives that stand on ``schema`` and ``extend schema``: everything of a database that is no table, enum or
view with a type of its own.

Each is one object. Its ``sql`` is the statement that makes it, as a block string; what that says (name, schema,
arguments, table) is not said again.
"""

from __future__ import annotations

from wesley_tui.sdl.directive import Argument, Directive, Location

__all__ = ["OF_SCHEMAS"]

_SCHEMA: tuple[Location, ...] = ("SCHEMA",)
_COMMENT = Argument("comment", "String", "`COMMENT ON` the object.")
_THEN = Argument(
    "then", "[String!]", "Statements that follow it and set what CREATE cannot: `ALTER TABLE t DISABLE TRIGGER x`."
)


def _sql(statement: str, *, required: bool = True) -> Argument:
    return Argument(
        "sql", "String!" if required else "String", f"The statement: `{statement}`.", aliases=("body", "definition")
    )


def _object(name: str, doc: str, statement: str, example: str = "") -> Directive:
    return Directive(name, _SCHEMA, doc, (_sql(statement), _COMMENT, _THEN), repeatable=True, example=example)


OF_SCHEMAS: tuple[Directive, ...] = (
    Directive(
        "namespace",
        _SCHEMA,
        "A schema of the database. Schemas that tables and objects name are there without it.",
        (Argument("name", "String!", "Its name."), _COMMENT),
        repeatable=True,
    ),
    Directive(
        "extension",
        _SCHEMA,
        "Extension.",
        (
            Argument("name", "String!", "Its name: `pg_trgm`."),
            Argument("schema", "String", "Where its objects go; default: where PostgreSQL puts them."),
            Argument("version", "String", "Its version; default: the newest at hand."),
            _COMMENT,
        ),
        repeatable=True,
        example="""\
extend schema
  @namespace(name: "app", comment: "What the application owns")
  @extension(name: "pg_trgm", schema: "app")
""",
    ),
    Directive(
        "domain",
        _SCHEMA,
        "Domain: `sql`, or its parts.",
        (
            _sql("CREATE DOMAIN email AS text CHECK (VALUE ~ '@')", required=False),
            Argument("name", "String", "Its name, if there is no `sql`."),
            Argument("schema", "String", "Its schema; default `public`."),
            Argument("type", "String", "The type that it restricts."),
            Argument("default", "String", "Default, an SQL expression."),
            Argument("notNull", "Boolean", "`NOT NULL`."),
            Argument("check", "String", "Condition over `VALUE`."),
            _COMMENT,
            _THEN,
        ),
        repeatable=True,
        example="""\
extend schema
  @domain(name: "email", type: "text", check: "VALUE ~ '@'")
  @composite(sql: "CREATE TYPE money_amount AS (currency text, cents bigint)")
  @range(sql: "CREATE TYPE time_range AS RANGE (subtype = time)")

type Contact @table {
  id: ID! @pk
  email: String! @type(name: "email")
}
""",
    ),
    _object("composite", "Composite type.", "CREATE TYPE point3 AS (x float, y float, z float)"),
    _object("range", "Range type.", "CREATE TYPE time_range AS RANGE (subtype = time)"),
    Directive(
        "sequence",
        _SCHEMA,
        "Sequence of its own: `sql`, or its parts. Those of identity columns are there without it.",
        (
            _sql("CREATE SEQUENCE invoice_number START 1000", required=False),
            Argument("name", "String", "Its name, if there is no `sql`."),
            Argument("schema", "String", "Its schema; default `public`."),
            Argument("type", "String", "`smallint`, `integer` or `bigint`, the default."),
            Argument("start", "BigInt", "First value."),
            Argument("increment", "BigInt", "Step; default 1."),
            Argument("min", "BigInt", "Least value."),
            Argument("max", "BigInt", "Greatest value."),
            Argument("cache", "BigInt", "Values that each session takes at once; default 1."),
            Argument("cycle", "Boolean", "Starts again after its last value."),
            Argument("ownedBy", "String", "The column that it belongs to: `table.column`; also beside `sql`."),
            _COMMENT,
            _THEN,
        ),
        repeatable=True,
        example="""\
extend schema
  @sequence(name: "invoice_number", start: 1000)

type Invoice @table {
  id: ID! @pk
  number: BigInt! @default(expr: "nextval('invoice_number')")
}
""",
    ),
    _object(
        "function",
        "Function.",
        "CREATE FUNCTION f(integer) RETURNS integer …",
        '''\
extend schema
  @function(
    sql: """
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      NEW.updated_at := now();
      RETURN NEW;
    END $$
    """
    comment: "Keeps updated_at"
  )
  @trigger(sql: "CREATE TRIGGER note_touch BEFORE UPDATE ON note FOR EACH ROW EXECUTE FUNCTION touch()")
  @rule(sql: "CREATE RULE note_keep AS ON DELETE TO note DO INSTEAD NOTHING")

type Note @table {
  id: ID! @pk
  updatedAt: DateTime!
}
''',
    ),
    _object("procedure", "Procedure.", "CREATE PROCEDURE p() …"),
    _object("aggregate", "Aggregate.", "CREATE AGGREGATE a(integer) (…)"),
    _object("trigger", "Trigger of a table or view.", "CREATE TRIGGER x BEFORE UPDATE ON t …"),
    _object("rule", "Rewrite rule of a table or view.", "CREATE RULE r AS ON INSERT TO t …"),
    Directive(
        "statistics",
        ("SCHEMA", "FIELD_DEFINITION"),
        "Extended statistics, or on a field how much ANALYZE collects.",
        (
            _sql("CREATE STATISTICS s ON a, b FROM t", required=False),
            Argument("target", "Int", "On a field: `SET STATISTICS`."),
            _COMMENT,
            _THEN,
        ),
        repeatable=True,
        once_on=("FIELD_DEFINITION",),
    ),
    _object("publication", "Publication of logical replication.", "CREATE PUBLICATION p FOR TABLE t"),
    _object("eventTrigger", "Event trigger.", "CREATE EVENT TRIGGER e ON ddl_command_end …"),
    Directive(
        "defaultPrivileges",
        _SCHEMA,
        "Privileges of objects that are yet to be made, by one role, in one schema or (without one) in all.",
        (
            _sql("ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA app GRANT SELECT ON TABLES TO reader"),
            Argument("then", "[String!]", "More of them, about the same role, schema and kind of object."),
        ),
        repeatable=True,
    ),
    _object(
        "collation",
        "Collation.",
        "CREATE COLLATION nocase (provider = icu, deterministic = false, locale = 'und-u-ks-level2')",
        """\
extend schema
  @collation(sql: "CREATE COLLATION bytes (provider = libc, locale = 'C')")
  @textSearchDictionary(sql: "CREATE TEXT SEARCH DICTIONARY plain (TEMPLATE = simple, stopwords = 'english')")
  @textSearchConfiguration(
    sql: "CREATE TEXT SEARCH CONFIGURATION notes (PARSER = default)"
    then: ["ALTER TEXT SEARCH CONFIGURATION notes ADD MAPPING FOR asciiword, word WITH plain"]
  )

type Page @table {
  id: ID! @pk
  slug: String! @collate(name: "bytes", schema: "public")
}
""",
    ),
    _object("textSearchDictionary", "Text search dictionary.", "CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple)"),
    _object(
        "textSearchConfiguration",
        "Text search configuration; `then` maps kinds of words to dictionaries.",
        "CREATE TEXT SEARCH CONFIGURATION c (PARSER = default)",
    ),
    _object("operator", "Operator.", "CREATE OPERATOR === (FUNCTION = same, LEFTARG = point, RIGHTARG = point)"),
    _object("operatorFamily", "Operator family.", "CREATE OPERATOR FAMILY f USING btree"),
    _object("operatorClass", "Operator class.", "CREATE OPERATOR CLASS c FOR TYPE t USING btree AS …"),
    _object("cast", "Cast.", "CREATE CAST (text AS mood) WITH INOUT AS ASSIGNMENT"),
    _object("foreignDataWrapper", "Foreign-data wrapper.", "CREATE FOREIGN DATA WRAPPER w HANDLER h"),
    _object("server", "Server of a foreign-data wrapper.", "CREATE SERVER s FOREIGN DATA WRAPPER w"),
    _object(
        "foreignTable",
        "Foreign table.",
        "CREATE FOREIGN TABLE t (id integer) SERVER s",
        """\
extend schema
  @foreignDataWrapper(sql: "CREATE FOREIGN DATA WRAPPER files")
  @server(sql: "CREATE SERVER archive FOREIGN DATA WRAPPER files")
  @foreignTable(sql: "CREATE FOREIGN TABLE old_note (id integer NOT NULL, body text) SERVER archive")
  @function(sql: "CREATE FUNCTION far(a point, b point) RETURNS float8 LANGUAGE sql IMMUTABLE RETURN a <-> b")
  @operator(sql: "CREATE OPERATOR <~> (FUNCTION = far, LEFTARG = point, RIGHTARG = point)")
""",
    ),
    Directive(
        "sql",
        _SCHEMA,
        "Any other object, as SQL that is run when it is not there yet, and compared as text.",
        (
            Argument("name", "String!", "What plans call it."),
            Argument("create", "String!", "The statement that makes it."),
            Argument("drop", "String", "The statement that takes it away."),
            Argument("dependsOn", "[String!]", "What must be there before it: `table users`, `function f(integer)`."),
        ),
        repeatable=True,
        example="""\
extend schema
  @sql(
    name: "conversion to Latin 1"
    create: "CREATE CONVERSION latin FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1"
    drop: "DROP CONVERSION latin"
  )
  @defaultPrivileges(sql: "ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT SELECT ON TABLES TO reader")
  @publication(sql: "CREATE PUBLICATION changes FOR TABLE city")
  @statistics(sql: "CREATE STATISTICS city_place ON country, region FROM city")

type City @table {
  id: ID! @pk
  country: String!
  region: String!
}
""",
    ),
)
