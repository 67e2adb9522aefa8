"""The directives that say who may do what: privileges, row-level security, tenants and owners."""

from __future__ import annotations

from wesley_tui.sdl.directive import Argument, Directive, Location

__all__ = ["OF_SECURITY"]

_TYPE: tuple[Location, ...] = ("OBJECT",)
_TYPE_OR_SCHEMA: tuple[Location, ...] = ("OBJECT", "SCHEMA")
_COMMENT = Argument("comment", "String", "`COMMENT ON` the object.")

OF_SECURITY: tuple[Directive, ...] = (
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
)
