"""Catalog to SDL: the schema that a person would like to keep, and that compiles to the same catalog again.

Only what differs from what the dialect takes for granted is written. A name goes without ``@table(name:)`` or
``@column(name:)`` when snake_case leads back to it; a constraint or index goes without a name when PostgreSQL, and so
the compiler, would choose the same one and no other object of the schema has it. Whatever cannot be said in the dialect
is listed in a comment at the end, and nothing that it belongs to is declared: what is not declared is left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from wesley_tui.catalog.model import Catalog, Enum, QName, Ref, SqlObject, Table
from wesley_tui.catalog.naming import quote_ident
from wesley_tui.sdl.emit_objects import (
    BEFORE_TABLES,
    ORDER,
    inexpressible_object,
    namespaces_text,
    object_text,
    objects_text,
    written_schemas,
)
from wesley_tui.sdl.emit_privileges import grant_directives
from wesley_tui.sdl.emit_tables import TableText
from wesley_tui.sdl.render import Arguments, Naming, description, directive, printable
from wesley_tui.sdl.vocabulary import inexpressible

__all__ = ["emit_schema"]

_HEADER = """\
# The schema of a PostgreSQL database: edit it, then let Wesley plan the way there.
# A table that is not written here is left alone; a column that is missing from a table that is, is to be dropped.
"""


def emit_schema(catalog: Catalog) -> str:
    """SDL whose :func:`~wesley_tui.sdl.compile.compile_schema` is ``catalog`` again (without ``unmanaged``).

    The same catalog gives the same text, byte for byte.
    """
    left_out = {name: reason for name, table in catalog.tables.items() if (reason := inexpressible(table))}
    left_out |= {name: reason for name, enum in catalog.enums.items() if (reason := inexpressible(enum))}
    tables = {name: catalog.tables[name] for name in sorted(catalog.tables) if name not in left_out}
    enums = {name: catalog.enums[name] for name in sorted(catalog.enums) if name not in left_out}
    not_said = {ref: reason for ref, record in catalog.objects.items() if (reason := inexpressible_object(record))}
    objects = [record for ref, record in catalog.objects.items() if ref not in not_said]
    objects.sort(key=lambda record: (ORDER[record.kind], record.ref))
    naming = Naming(tables.values(), enums.values())
    parts = [_HEADER]
    if schemas := written_schemas(catalog, {*tables, *enums, *(record.name for record in objects)}):
        parts.append(namespaces_text(schemas))
    if extensions := [record for record in objects if record.kind == "extension"]:
        parts.append(objects_text(extensions))
    parts += [_enum(enum, naming) for enum in enums.values()]
    carried = _carried(objects, tables)
    apart = [record for several in carried.values() for record in several]
    objects = [record for record in objects if record.kind != "extension" and all(record is not one for one in apart)]
    parts += [object_text(record) for record in objects if record.kind in BEFORE_TABLES]
    used = Counter((name.schema, item) for name, table in tables.items() for item in _names(table))
    used.update((record.name.schema, item) for record in objects for item in _relation_names(record))
    for table in tables.values():
        parts.append(TableText(table, naming, catalog, used).text())
        parts += [object_text(record) for record in carried.get(table.name, ())]
    parts += [object_text(record) for record in objects if record.kind not in BEFORE_TABLES]
    remarks = list(_remarks(catalog, left_out, not_said))
    if remarks:
        parts.append("\n".join(remarks) + "\n")
    return "\n".join(parts)


def _carried(objects: Iterable[SqlObject], tables: Mapping[QName, Table]) -> dict[QName, list[SqlObject]]:
    """Objects that belong to a table and are written below it: its sequences, triggers and rules."""
    carried: dict[QName, list[SqlObject]] = {}
    for record in objects:
        owner = record.relation or (record.owned_by[0] if record.owned_by is not None else None)
        if owner is not None and owner in tables:
            carried.setdefault(owner, []).append(record)
    return carried


def _relation_names(record: SqlObject) -> Iterable[str]:
    if record.kind in ("view", "materialized view", "sequence", "composite type", "foreign table"):
        yield record.name.name
    yield from (index.name for index in record.indexes)


def _names(table: Table) -> Iterable[str]:
    yield table.name.name
    yield from (item.name for item in table.constraints)
    yield from (item.name for item in table.indexes)


def _remarks(catalog: Catalog, left_out: Mapping[QName, str], not_said: Mapping[Ref, str]) -> Iterable[str]:
    lines = [f"{item.kind} {printable(str(item.name))}" for item in catalog.unmanaged]
    lines += [f"{printable(str(name))}: {printable(reason)}" for name, reason in sorted(left_out.items())]
    lines += [f"{printable(str(ref))}: {printable(reason)}" for ref, reason in sorted(not_said.items())]
    if lines:
        yield "# In the database, and not expressed above. Plans leave it alone:"
        yield from (f"#   {line}" for line in sorted(lines))


def _enum(enum: Enum, naming: Naming) -> str:
    name, fields = naming.types[enum.name], naming.fields[enum.name]
    lines = description(enum.comment, "")
    head = f"enum {name}"
    if naming.default_type(name) != enum.name:
        arguments: Arguments = [("name", quote_ident(enum.name.name))]
        if enum.name.schema != "public":
            arguments.append(("schema", enum.name.schema))
        head += " " + directive("type", arguments, "")
    if enum.comment and not lines:
        head += " " + directive("comment", [("text", enum.comment)], "")
    for item in grant_directives(enum.grants):
        head += " " + directive(*item, "")
    lines.append(head + " {")
    for label in enum.labels:
        value = fields[label]
        lines.append(f"  {value}" + ("" if value == label else " " + directive("label", [("name", label)], "    ")))
    return "\n".join([*lines, "}", ""])
