"""Everything that is no table and no enum, as directives on ``extend schema``: one for each object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from wesley_tui.catalog.ddl_lifecycle import object_name
from wesley_tui.catalog.model import Catalog, ObjectKind, QName, SchemaDetails, SqlObject
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.sdl.emit_privileges import grant_directives
from wesley_tui.sdl.emit_tables import index_arguments, open_name
from wesley_tui.sdl.render import Arguments, Block, directive
from wesley_tui.sdl.sqltext import SqlError, parse_one
from wesley_tui.sdl.statements import argument_types, read_statement

__all__ = [
    "BEFORE_TABLES",
    "ORDER",
    "address",
    "inexpressible_object",
    "namespaces_text",
    "object_text",
    "objects_text",
    "written_schemas",
]

_DIRECTIVES: Mapping[ObjectKind, str] = {
    "extension": "extension",
    "collation": "collation",
    "text search dictionary": "textSearchDictionary",
    "text search configuration": "textSearchConfiguration",
    "foreign-data wrapper": "foreignDataWrapper",
    "server": "server",
    "domain": "domain",
    "composite type": "composite",
    "range type": "range",
    "sequence": "sequence",
    "view": "view",
    "materialized view": "materializedView",
    "function": "function",
    "procedure": "procedure",
    "aggregate": "aggregate",
    "operator": "operator",
    "operator family": "operatorFamily",
    "operator class": "operatorClass",
    "cast": "cast",
    "foreign table": "foreignTable",
    "trigger": "trigger",
    "rule": "rule",
    "statistics": "statistics",
    "publication": "publication",
    "event trigger": "eventTrigger",
    "default privileges": "defaultPrivileges",
    "other": "sql",
}
"""In the order in which they read well."""
ORDER: Mapping[ObjectKind, int] = {kind: number for number, kind in enumerate(_DIRECTIVES)}
BEFORE_TABLES: frozenset[ObjectKind] = frozenset(
    (
        *(
            "extension",
            "collation",
            "text search dictionary",
            "text search configuration",
            "foreign-data wrapper",
            "server",
        ),
        *("domain", "composite type", "range type", "sequence"),
    )
)


def inexpressible_object(record: SqlObject) -> str | None:
    """Why the dialect cannot say this object; None when what is written for it is read as it again."""
    if record.kind in ("extension", "other"):
        return None
    try:
        statement = read_statement(record.statements[0])
        for text in record.statements[1:]:
            parse_one("", text, "")
    except SqlError as error:
        return f"a statement that PostgreSQL's grammar does not read: {error}"
    known = {record.name.name: record.name}
    found = statement.kind, statement.name, argument_types(statement, known), statement.relation
    if found != (record.kind, record.name, record.arguments, record.relation):
        return f"its statement makes {statement.kind} {statement.name}"
    return None


def namespaces_text(schemas: Mapping[str, SchemaDetails]) -> str:
    """The schemas that need words of their own."""
    lines = []
    for name, details in sorted(schemas.items()):
        arguments: Arguments = [("name", name)]
        if details.comment is not None:
            arguments.append(("comment", details.comment))
        lines.append(directive("namespace", arguments, "  "))
        on = f"schema {quote_ident(name)}"
        lines += [directive(*item, "  ") for item in grant_directives(details.grants, on=on)]
    return "\n".join(["extend schema", *(f"  {line}" for line in lines), ""])


def object_text(record: SqlObject) -> str:
    """``extend schema`` with one object, its privileges, the comments of its parts and its indexes."""
    return _extension_of_schema(_lines(record))


def objects_text(records: Iterable[SqlObject]) -> str:
    """``extend schema`` with several objects."""
    return _extension_of_schema([line for record in records for line in _lines(record)])


def _extension_of_schema(lines: list[str]) -> str:
    if len(lines) == 1 and "\n" not in lines[0]:
        return f"extend schema {lines[0]}\n"
    return "\n".join(["extend schema", *(f"  {line}" for line in lines), ""])


def _lines(record: SqlObject) -> list[str]:
    lines = [directive(_DIRECTIVES[record.kind], _arguments(record), "  ")]
    lines += [directive("index", arguments, "  ") for arguments in _indexes(record)]
    if record.grants:
        lines += [directive(*item, "  ") for item in grant_directives(record.grants, on=address(record))]
    for part, text in record.part_comments:
        if record.kind == "domain":
            where = f"constraint {quote_ident(part)} ON DOMAIN {qualified(record.name)}"
        else:
            where = f"column {qualified(record.name)}.{quote_ident(part)}"
        lines.append(directive("comment", [("on", where), ("text", text)], "  "))
    return lines


def _arguments(record: SqlObject) -> Arguments:
    if record.kind == "extension":
        arguments = _extension(record)
    elif record.kind == "other":
        arguments = [("name", record.name.name), ("create", Block(record.statements[0]))]
        arguments += [("drop", Block(record.drop))] if record.drop is not None else []
        wanted = [_wanted(ref.kind, ref.name) for ref in record.depends_on]
        arguments += [("dependsOn", wanted)] if wanted else []
    else:
        arguments = [("sql", Block(record.statements[0].strip()))]
        if record.owned_by is not None:
            table, column = record.owned_by
            arguments.append(("ownedBy", f"{qualified(table)}.{quote_ident(column)}"))
        if len(record.statements) > 1:
            arguments.append(("then", [text.strip() for text in record.statements[1:]]))
    if record.comment is not None:
        arguments.append(("comment", record.comment))
    return arguments


def _wanted(kind: str, name: str) -> str:
    return f"{'type' if kind in ('enum', 'composite type', 'range type') else kind} {name}"


def _extension(record: SqlObject) -> Arguments:
    arguments: Arguments = [("name", record.name.name)]
    node = parse_one("", record.statements[0], "")["stmts"][0]["stmt"]["CreateExtensionStmt"]
    options = {item["DefElem"]["defname"]: item["DefElem"].get("arg", {}) for item in node.get("options", ())}
    for option, argument in (("schema", "schema"), ("new_version", "version")):
        if option in options:
            arguments.append((argument, options[option]["String"]["sval"]))
    return arguments


def _indexes(record: SqlObject) -> Iterator[Arguments]:
    def spelled(columns: Iterable[str]) -> list[str]:
        return [name if record.columns else open_name(name) for name in columns]

    for index in record.indexes:
        arguments: Arguments = [("on", qualified(record.name)), ("name", index.name)]
        arguments += index_arguments(index, spelled, on_field=False)
        if index.comment is not None:
            arguments.append(("comment", index.comment))
        yield arguments


def address(record: SqlObject) -> str:
    """What the object is called after ``COMMENT ON`` and ``GRANT … ON``."""
    if record.kind in ("operator", "operator family", "operator class", "cast", "foreign-data wrapper"):
        return object_name(record)
    if record.arguments is not None:
        return f"{record.kind} {qualified(record.name)}({record.arguments})"
    if record.relation is not None:
        return f"{record.kind} {quote_ident(record.name.name)} ON {qualified(record.relation)}"
    kind = "type" if record.kind in ("composite type", "range type") else record.kind
    return f"{kind} {qualified(record.name) if record.name.schema else quote_ident(record.name.name)}"


def written_schemas(catalog: Catalog, declared: set[QName]) -> dict[str, SchemaDetails]:
    """Schemas that something must be said of: those with a comment or privileges, and those that hold nothing."""
    used = {name.schema for name in declared}
    return {
        schema: catalog.schema_details.get(schema, SchemaDetails())
        for schema in catalog.schemas
        if schema not in used or schema in catalog.schema_details
    }
