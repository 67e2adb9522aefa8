"""Catalog to SDL: the schema that a person would like to keep, and that compiles to the same catalog again.

Only what differs from what the dialect takes for granted is written. A name goes without ``@table(name:)`` or
``@column(name:)`` when snake_case leads back to it; a constraint or index goes without a name when PostgreSQL, and so
the compiler, would choose the same one and no other object of the schema has it. Whatever cannot be said in the dialect
is listed in a comment at the end, and nothing that it belongs to is declared: what is not declared is left alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    Constraint,
    Enum,
    Exclude,
    ForeignKey,
    Index,
    IndexKey,
    Policy,
    PrimaryKey,
    QName,
    Table,
    Unique,
)
from wesley_tui.catalog.naming import default_name, qualified, quote_ident
from wesley_tui.sdl.keys import distinct_labels, elements_not_null
from wesley_tui.sdl.literal import literal_default
from wesley_tui.sdl.names import join_name
from wesley_tui.sdl.render import Arguments, Naming, description, directive, printable
from wesley_tui.sdl.sqltext import SqlError, parse_expression
from wesley_tui.sdl.vocabulary import inexpressible, scalar_of

__all__ = ["emit_schema"]

_HEADER = """\
# The schema of a PostgreSQL database: edit it, then let Wesley plan the way there.
# A table that is not written here is left alone; a column that is missing from a table that is, is to be dropped.
"""


def emit_schema(catalog: Catalog) -> str:
    """SDL whose :func:`~wesley_tui.sdl.compile.compile_schema` is ``catalog`` again (without ``unmanaged``)."""
    left_out = {name: reason for name, table in catalog.tables.items() if (reason := inexpressible(table))}
    left_out |= {name: reason for name, enum in catalog.enums.items() if (reason := inexpressible(enum))}
    tables = {name: catalog.tables[name] for name in sorted(catalog.tables) if name not in left_out}
    enums = {name: catalog.enums[name] for name in sorted(catalog.enums) if name not in left_out}
    naming = Naming(tables.values(), enums.values())
    parts = [_HEADER]
    parts += [_enum(enum, naming) for enum in enums.values()]
    used = Counter((name.schema, item) for name, table in tables.items() for item in _names(table))
    parts += [_TableText(table, naming, catalog, used).text() for table in tables.values()]
    remarks = list(_remarks(catalog, left_out, {name.schema for name in (*tables, *enums)}))
    if remarks:
        parts.append("\n".join(remarks) + "\n")
    return "\n".join(parts)


def _names(table: Table) -> Iterable[str]:
    yield table.name.name
    yield from (item.name for item in table.constraints)
    yield from (item.name for item in table.indexes)


def _remarks(catalog: Catalog, left_out: dict[QName, str], schemas: set[str]) -> Iterable[str]:
    lines = [f"{item.kind} {printable(str(item.name))}" for item in catalog.unmanaged]
    lines += [printable(str(ref)) for ref, item in catalog.objects.items() if item.owned_by is None]
    lines += [f"{printable(str(name))}: {reason}" for name, reason in sorted(left_out.items())]
    lines += [f"schema {printable(schema)}: it holds nothing that is declared" for schema in catalog.schemas - schemas]
    lines += [
        f"index {printable(index.name)} of {printable(str(table.name))} is invalid: its CREATE INDEX did not finish"
        for table in catalog.tables.values()
        for index in table.indexes
        if not index.valid
    ]
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
    lines.append(head + " {")
    for label in enum.labels:
        value = fields[label]
        lines.append(f"  {value}" + ("" if value == label else " " + directive("label", [("name", label)], "    ")))
    return "\n".join([*lines, "}", ""])


@dataclass(frozen=True, slots=True)
class _Written:
    """A directive and the column on whose field it goes; None for the type itself."""

    column: str | None
    name: str
    arguments: Arguments


class _TableText:
    """Writes one table."""

    def __init__(self, table: Table, naming: Naming, catalog: Catalog, used: Counter[tuple[str, str]]) -> None:
        self._table = table
        self._naming = naming
        self._catalog = catalog
        self._used = used
        self._fields = naming.fields[table.name]
        self._columns = {column.name: column for column in table.columns}
        self._enums = {qualified(enum.name): enum for enum in catalog.enums.values() if enum.name in naming.types}
        self._full_lists = {
            column.name: check
            for column in table.columns
            if column.type.endswith("[]") and (check := self._elements_check(column)) is not None
        }

    def text(self) -> str:
        table = self._table
        folded = set(self._full_lists.values())
        written = [self._constraint(item) for item in table.constraints if item not in folded]
        written += [self._index(index) for index in table.indexes]
        lines = description(table.comment, "")
        head = [directive("table", self._table_arguments(), "  ")]
        if table.comment and not lines:
            head.append(directive("comment", [("text", table.comment)], "  "))
        if table.rls_enabled or table.rls_forced:
            flags: Arguments = [] if table.rls_enabled else [("enabled", False)]
            head.append(directive("rls", [*flags, *_given(force=table.rls_forced)], "  "))
        head += [directive(item.name, item.arguments, "  ") for item in written if item.column is None]
        head += [directive("policy", _policy(policy), "  ") for policy in table.policies]
        name = self._naming.types[table.name]
        if len(head) == 1 and "\n" not in head[0]:
            lines.append(f"type {name} {head[0]} {{")
        else:
            lines += [f"type {name}", *(f"  {item}" for item in head), "{"]
        for column in table.columns:
            lines += self._column(column, [item for item in written if item.column == column.name])
        return "\n".join([*lines, "}", ""])

    def _table_arguments(self) -> Arguments:
        table = self._table
        arguments: Arguments = []
        default = self._naming.default_type(self._naming.types[table.name])
        if default.name != table.name.name:
            arguments.append(("name", table.name.name))
        if table.name.schema != "public":
            arguments.append(("schema", table.name.schema))
        arguments += _given(tablespace=table.tablespace, unlogged=table.unlogged)
        if table.options:
            arguments.append(("with", dict(table.options)))
        return arguments

    # -- columns ----------------------------------------------------------------------------------------------------

    def _column(self, column: Column, written: Sequence[_Written]) -> list[str]:
        field = self._fields[column.name]
        lines = description(column.comment, "  ")
        base, is_list = (column.type[:-2], True) if column.type.endswith("[]") else (column.type, False)
        type_name, exact = self._type_name(column, base)
        shown = f"[{type_name}{'!' if column.name in self._full_lists else ''}]" if is_list else type_name
        parts: list[tuple[str, Arguments]] = []
        if self._naming.default_column(field) != column.name:
            parts.append(("column", [("name", column.name)]))
        if not exact:
            parts.append(("type", [("name", base)]))
        parts += [(item.name, item.arguments) for item in written if item.name == "pk"]
        if column.identity is not None:
            parts.append(("identity", _given(always=column.identity == "always")))
        if column.default is not None:
            enum = self._enums.get(base)
            parts.append(("default", [literal_default(column.default, column.type, enum, self._naming)]))
        if column.generated is not None:
            arguments: Arguments = [("expr", column.generated.expression)]
            parts.append(
                ("generated", arguments if column.generated.kind == "stored" else [*arguments, ("stored", False)])
            )
        if column.collation is not None:
            schema = column.collation.schema
            parts.append(
                (
                    "collate",
                    [("name", column.collation.name), *_given(schema=schema if schema != "pg_catalog" else None)],
                )
            )
        if column.comment and not lines:
            parts.append(("comment", [("text", column.comment)]))
        parts += [(item.name, item.arguments) for item in written if item.name != "pk"]
        head = f"  {field}: {shown}{'!' if column.not_null else ''}"
        texts = [directive(name, arguments, "    ") for name, arguments in parts]
        line = " ".join([head, *texts])
        if "\n" in line or len(line) > 118:
            return [*lines, head, *(f"    {text}" for text in texts)]
        return [*lines, line]

    def _type_name(self, column: Column, base: str) -> tuple[str, bool]:
        """(GraphQL type, whether it says the whole type)."""
        enum = self._naming.enum_types.get(base)
        if enum is not None:
            return enum, True
        is_key = any(
            isinstance(item, PrimaryKey | ForeignKey) and column.name in item.columns
            for item in self._table.constraints
        )
        return scalar_of(base, is_key=is_key)

    def _elements_check(self, column: Column) -> Check | None:
        """The check that ``[T!]`` makes, if the table has exactly that one."""
        name = default_name(self._table.name.name, (column.name,), "check")
        wanted = Check(name, elements_not_null(column))
        return wanted if wanted in self._table.constraints and self._alone(name) else None

    # -- constraints ------------------------------------------------------------------------------------------------

    def _alone(self, name: str) -> bool:
        """No other object of the schema has this name, so that a default one is certain to be it."""
        return self._used[self._table.name.schema, name] == 1

    def _name(self, name: str, columns: Sequence[str], suffix: str) -> Arguments:
        default = default_name(self._table.name.name, columns, suffix)
        return [] if name == default and self._alone(name) else [("name", name)]

    def _list(self, columns: Iterable[str]) -> list[str]:
        return [self._fields[column] for column in columns]

    def _key(self, columns: tuple[str, ...]) -> tuple[str | None, Arguments]:
        """Where a directive for these columns goes, and its ``fields`` there."""
        return (columns[0], []) if len(columns) == 1 else (None, [("fields", self._list(columns))])

    def _constraint(self, item: Constraint) -> _Written:
        match item:
            case PrimaryKey():
                column, arguments = self._key(item.columns)
                arguments = [*arguments, *self._name(item.name, (), "pkey"), *self._included(item.include)]
                return _Written(column, "pk", [*arguments, *_deferral(item), *_given(comment=item.comment)])
            case Unique():
                column, arguments = self._key(item.columns)
                arguments = [
                    *arguments,
                    *self._name(item.name, (*item.columns, *item.include), "key"),
                    *_given(nullsNotDistinct=item.nulls_not_distinct),
                    *self._included(item.include),
                ]
                return _Written(column, "unique", [*arguments, *_deferral(item), *_given(comment=item.comment)])
            case ForeignKey():
                return self._foreign_key(item)
            case Check():
                return self._check(item)
            case Exclude():
                return self._exclude(item)

    def _included(self, include: tuple[str, ...]) -> Arguments:
        return [("include", self._list(include))] if include else []

    def _foreign_key(self, item: ForeignKey) -> _Written:
        column, arguments = self._key(item.columns)
        arguments = [*arguments, ("ref", self._reference(item))]
        if item.on_delete != "no action":
            arguments.append(("onDelete", Naming.word(item.on_delete)))
        if item.on_delete_columns:
            arguments.append(("onDeleteColumns", self._list(item.on_delete_columns)))
        if item.on_update != "no action":
            arguments.append(("onUpdate", Naming.word(item.on_update)))
        if item.match_full:
            arguments.append(("match", Naming.word("full")))
        arguments += [*_deferral(item), *_given(notValid=not item.validated)]
        arguments += [*self._name(item.name, item.columns, "fkey"), *_given(comment=item.comment)]
        return _Written(column, "fk", arguments)

    def _reference(self, item: ForeignKey) -> str | list[str]:
        other = self._naming.types.get(item.references)
        if other is None or item.references not in self._catalog.tables:
            inner = ", ".join(join_name(column) for column in item.referenced_columns)
            return f"{join_name(*item.references)}({inner})"
        fields = self._naming.fields[item.references]
        references = [f"{other}.{fields[column]}" for column in item.referenced_columns]
        return references[0] if len(references) == 1 else references

    def _check(self, item: Check) -> _Written:
        columns = [name for name in parse_expression(item.expression).columns if name in self._columns]
        single = columns if len(columns) == 1 else []
        arguments: Arguments = [
            ("expr", item.expression),
            *self._name(item.name, single, "check"),
            *_given(noInherit=item.no_inherit, notValid=not item.validated, comment=item.comment),
        ]
        return _Written(single[0] if single else None, "check", arguments)

    def _exclude(self, item: Exclude) -> _Written:
        labels = distinct_labels(key.column or parse_expression(key.expression or "").label for key, _ in item.elements)
        texts = [_exclusion_key(key, operator) for key, operator in item.elements]
        arguments: Arguments = [("expr", texts if len(texts) > 1 else texts[0])]
        if item.method != "gist":
            arguments.append(("using", item.method))
        arguments += _given(where=item.where)
        arguments += [*self._name(item.name, labels, "excl"), *_deferral(item), *_given(comment=item.comment)]
        return _Written(None, "exclude", arguments)

    # -- indexes ----------------------------------------------------------------------------------------------------

    def _index(self, index: Index) -> _Written:
        plain = [key.column for key in index.keys if key.column is not None]
        column: str | None = None
        arguments: Arguments = []
        if len(plain) < len(index.keys):
            texts = [key.expression or quote_ident(key.column or "") for key in index.keys]
            arguments.append(("expr", texts if len(texts) > 1 else texts[0]))
        elif len(plain) == 1:
            column = plain[0]
        else:
            arguments.append(("fields", self._list(plain)))
        labels = [key.column or parse_expression(key.expression or "").label for key in index.keys]
        if index.method != "btree":
            arguments.append(("using", index.method))
        arguments += _given(unique=index.unique, nullsNotDistinct=index.nulls_not_distinct, where=index.where)
        arguments += self._included(index.include)
        arguments += _per_key("opclass", [key.opclass for key in index.keys])
        arguments += _per_key("collate", [_collation(key) for key in index.keys])
        orders = [_order(key) for key in index.keys]
        arguments += _per_key("order", orders)
        if index.options:
            arguments.append(("with", dict(index.options)))
        names = distinct_labels([*labels, *index.include])
        arguments += [*self._name(index.name, names, "idx"), *_given(comment=index.comment)]
        return _Written(column, "index", arguments)


def _given(**values: str | bool | None) -> Arguments:
    """Arguments that say something: texts that are not empty, flags that are true."""
    return [(name, value) for name, value in values.items() if value]


def _deferral(item: PrimaryKey | Unique | ForeignKey | Exclude) -> Arguments:
    if item.initially_deferred:
        return [("initiallyDeferred", True)]
    return _given(deferrable=item.deferrable)


def _policy(policy: Policy) -> Arguments:
    arguments: Arguments = [("name", policy.name)]
    if policy.command != "all":
        arguments.append(("for", policy.command))
    if policy.roles != ("public",):
        arguments.append(("roles", list(policy.roles)))
    arguments += _given(using=policy.using, check=policy.check, restrictive=not policy.permissive)
    return [*arguments, *_given(comment=policy.comment)]


def _per_key(name: str, values: Sequence[str | None]) -> Arguments:
    if not any(values):
        return []
    return [(name, values[0])] if len(values) == 1 else [(name, list(values))]


def _collation(key: IndexKey) -> str | None:
    if key.collation is None:
        return None
    schema, name = key.collation
    return join_name(name) if schema == "pg_catalog" else join_name(schema, name)


def _order(key: IndexKey) -> Naming.Word | None:
    if key.nulls_first is None or key.nulls_first is key.descending:
        return Naming.word("desc") if key.descending else None
    return Naming.word("desc nulls last" if key.descending else "asc nulls first")


def _exclusion_key(key: IndexKey, operator: str) -> str:
    if key.column is not None:
        text = quote_ident(key.column)
    else:
        expression = key.expression or ""
        try:
            called = parse_expression(expression).node == "FuncCall" and not expression.startswith("(")
        except SqlError:
            called = False
        text = expression if called else f"({expression})"
    if key.collation is not None:
        text += f" COLLATE {qualified(key.collation)}"
    if key.opclass is not None:
        text += f" {key.opclass}"
    if key.descending:
        text += " DESC"
    if key.nulls_first is not None and key.nulls_first is not key.descending:
        text += " NULLS FIRST" if key.nulls_first else " NULLS LAST"
    return f"{text} WITH {operator}"
