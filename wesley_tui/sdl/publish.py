"""Writes ``directives.graphql`` and ``docs/dialect.md`` from the table of directives.

Both are files that people read and editors load; the test suite fails when they are older than the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wesley_tui.sdl.directives import ARGUMENT_SCALARS, DIRECTIVES, SCALARS, Directive
from wesley_tui.sdl.preset_options import PRESETS, Option

__all__ = ["graphql_text", "main", "manual_text", "published"]

_ROOT = Path(__file__).resolve().parents[2]
_SPECIFIED = ("ID", "String", "Int", "Float", "Boolean")
_PLACES = {
    "SCHEMA": "schema",
    "SCALAR": "scalar",
    "OBJECT": "type",
    "FIELD_DEFINITION": "field",
    "ENUM": "enum",
    "ENUM_VALUE": "enum value",
}


def published() -> dict[Path, str]:
    """Each file with the text that it should have."""
    return {
        Path(__file__).with_name("directives.graphql"): graphql_text(),
        _ROOT / "docs" / "dialect.md": manual_text(),
    }


def main() -> None:
    """Write the files."""
    for path, text in published().items():
        path.write_text(text, encoding="utf-8", newline="\n")


def graphql_text() -> str:
    """``directives.graphql``: the dialect for editors and validators."""
    return "\n".join(_graphql_lines()) + "\n"


def _graphql_lines() -> Iterator[str]:
    yield "# The directives of Wesley's SDL dialect. Written by: python -m wesley_tui.sdl.directives"
    yield ""
    for name, sql in SCALARS.items():
        if name not in _SPECIFIED:
            yield f'"PostgreSQL: {sql}"'
            yield f"scalar {name}"
    for name, doc in ARGUMENT_SCALARS.items():
        yield f'"{doc}"'
        yield f"scalar {name}"
    for directive in DIRECTIVES:
        yield ""
        yield '"""'
        yield directive.doc
        yield '"""'
        opening = f"directive @{directive.name}"
        closing = f"{'repeatable ' if directive.repeatable else ''}on {' | '.join(directive.locations)}"
        if not directive.arguments:
            yield f"{opening} {closing}"
            continue
        yield opening + "("
        for argument in directive.arguments:
            text = argument.doc.replace("\\", "\\\\").replace('"', '\\"')
            yield f'  "{text}"'
            yield f"  {argument.name}: {argument.type}"
        yield ") " + closing


_BEFORE = """\
# The SDL dialect

<!-- Written by: python -m wesley_tui.sdl.directives -->

A schema is GraphQL SDL, in one file or many, `extend type` included. What the database needs and GraphQL lacks is said
with the directives below. They are defined in `wesley_tui/sdl/directives.graphql`, which editors can load to complete
and validate them.

Nothing is ever dropped in silence. An unknown directive, argument or type, and a directive in the wrong place, is an
error at its line and column with the nearest valid name; all errors of a schema are reported at once.

```graphql
"People who can sign in"
type User @table(name: "users") @index(expr: "lower(email)", unique: true) @rls(select: "true") {
  id: ID! @pk @default(expr: "gen_random_uuid()")
  email: String! @unique
  role: Role! @default(value: VIEWER)
  tags: [String!]! @default(value: [])
  createdAt: DateTime! @default(expr: "now()")
  organisation: Organisation! @fk(onDelete: CASCADE)
}

type Organisation @table {
  id: ID! @pk
  name: String! @check(expr: "length(name) > 2")
  users: [User!] @hasMany
}

enum Role {
  VIEWER
  ADMIN
}
```

## Names

A table is named by `@table(name:)`, else by its type's name in snake_case, singular as written: `HTTPServer` is
`http_server`. A column is named by `@column(name:)`, else by its field's name in snake_case: `createdAt` is
`created_at`. A constraint or index without a name gets the one that PostgreSQL would choose: `users_pkey`,
`users_email_key`, `users_org_id_fkey`, `users_age_check`, `users_lower_idx`, with a number when it is taken.

More than 63 bytes are an error, never cut off. Reserved words of SQL are allowed, because they are quoted wherever they
are used, and give a warning.

Names of directives have aliases: `@wes_X` and `@wesley_X` for every `@X`, and those in the tables below. An alias works
and gives a warning that names the canonical form.

## Fields and columns

| SDL | PostgreSQL |
|---|---|
| `T!` | `NOT NULL` |
| `[T]` | `T[]` |
| `[T!]` | `T[]` and a check that no element is null: `array_position(c, NULL) IS NULL` |
| an enum | an enum type of the same name in snake_case; its values are the labels |
| `scalar Percentage @type(name: "numeric(5,2)")` | that type; a scalar that does not say its type is an error |
| `field: T @type(name: "varchar(20)")` | any PostgreSQL type, whatever `T` is |
| `field: Organisation` | a relation, no column, if `Organisation` is a table |
| `field: Organisation @fk` | the column `field_id`, of the type of the referenced key, with a foreign key to it |

A description becomes the comment of its table, column or enum. `@renamed(from:)` says that something had another name
(its SQL name; a GraphQL spelling stands for its snake_case, with a warning; in quotes of SQL it is exact); `@drop` that
it is to go. A type without `@table` is no table, and a table that no type declares is left alone. `interface`, `union`
and `input` are for the API.

## Objects of the schema

What is neither table nor enum stands on `extend schema`, once for each object: `@function`, `@view`, `@trigger`,
`@domain`, `@extension` … Its `sql` is the statement that makes it, as a block string, one statement without more. Kind,
name, arguments and the table of a trigger are in the statement; a name without a schema is in `public`. What the object
leans on is found by reading the statement, so that plans make things in order.

Two objects are the same when their statements mean the same to PostgreSQL, however they are spelled. `then` holds what
CREATE cannot say (`ALTER TABLE t DISABLE TRIGGER x`).

`on:` names an object as SQL does after COMMENT ON: `users` or `table users`, `function f(integer)`,
`trigger x ON users`, `constraint users_pkey ON users`, `schema app`. `ALL` privileges are those that every supported
server has, without MAINTAIN.

"""

_PRESETS = """\
## Presets

Ready-made row-level security: `@rls(preset: "owner", options: {column: "authorId"})`; `@tenant(by:)` and
`@owner(column:)` are short for two of them. Who asks is said by the application, in settings, at the start of each
transaction: `app.tenant_id`, `app.user_id`, `app.roles` (a list with commas). A setting that is absent or empty sees
nothing. Policies read them through functions in the schema `wesley_policy`, whose `search_path` is fixed. That the
application says the truth is its own business: whoever can run SQL of his own choice can set them, too.

`tenant`, `hierarchical`, `soft-delete` and `time-window` are restrictive: they hold besides any other policy. A table
that has no permissive policy gets one. `FORCE ROW LEVEL SECURITY` is on unless `force: false`, so that the table's
owner obeys, too; superusers and roles with BYPASSRLS never do, and TRUNCATE is not covered. Missing indexes on the
columns of owners and tenants are added.

"""

_AFTER = """\
## Defaults

`@default(expr:)` is SQL, taken as written. `@default(value:)` is quoted for the type of the column: numbers and
booleans as they are, lists as arrays (`'{a,b}'::text[]`), objects as JSON, enum values by their label. A text that
already is an SQL literal, a cast or a call, such as `"'VIEWER'"` or `"now()"`, is taken as that; a bare word on a text
or enum column is a literal.

## References

`ref:` is `"Type.field"`, `"table.column"`, `"schema.table.column"` or, for several columns, `"Type(a, b)"` or
`["Type.a", "Type.b"]`; parts with dots or spaces go in double quotes as in SQL. The referenced columns must be the
primary key or unique. A table that the schema does not declare is taken as written, with a warning.

## SQL in a schema

Expressions are read by PostgreSQL's own grammar before anything is planned; an error points to the character. They
speak of columns, not of fields: `created_at`, not `createdAt`.
"""


def manual_text() -> str:
    """``docs/dialect.md``."""
    return _BEFORE + "\n".join(_manual_lines()) + "\n" + _AFTER


def _manual_lines() -> Iterator[str]:
    yield "## Scalars"
    yield ""
    yield "| scalar | PostgreSQL |"
    yield "|---|---|"
    for name, sql in SCALARS.items():
        yield f"| `{name}` | `{sql}` |"
    yield ""
    yield "## Directives"
    yield ""
    for directive in DIRECTIVES:
        if directive.status == "built":
            yield from _section(directive)
    yield from _presets()
    yield "## Directives that inform"
    yield ""
    yield "They are for clients, generated code and tests; the database is the same with or without them."
    yield ""
    yield from _short(item for item in DIRECTIVES if item.status == "informs")


def _section(directive: Directive) -> Iterator[str]:
    yield f"### `@{directive.name}`"
    yield ""
    places = ", ".join(_PLACES[place] for place in directive.locations)
    aliases = f" Alias: {', '.join(f'`@{alias}`' for alias in directive.aliases)}." if directive.aliases else ""
    yield f"{directive.doc} On: {places}{'; repeatable' if directive.repeatable else ''}.{aliases}"
    yield ""
    if directive.arguments:
        yield "| argument | type | |"
        yield "|---|---|---|"
        for argument in directive.arguments:
            yield f"| `{argument.name}` | `{argument.type}` | {argument.doc} |"
        yield ""
    if directive.example:
        yield "```graphql"
        yield directive.example.rstrip()
        yield "```"
        yield ""


def _presets() -> Iterator[str]:
    yield from _PRESETS.splitlines()
    yield "| preset | options | |"
    yield "|---|---|---|"
    for spec in PRESETS:
        options = "; ".join(_option(option) for option in spec.options)
        yield f"| `{spec.name}` | {options} | {spec.doc} |"
    yield ""


def _option(option: Option) -> str:
    default = f", default `{option.default}`" if option.default is not None else ""
    return f"`{option.name}`{default}: {option.doc}"


def _short(directives: Iterator[Directive]) -> Iterator[str]:
    yield "| directive | on | |"
    yield "|---|---|---|"
    for directive in directives:
        names = ", ".join(argument.name for argument in directive.arguments)
        shown = f"@{directive.name}({names})" if names else f"@{directive.name}"
        places = ", ".join(_PLACES[place] for place in directive.locations)
        yield f"| `{shown}` | {places} | {directive.doc} |"
    yield ""
