"""One table as a type: its columns as fields, and everything else as directives on them and on the type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    Constraint,
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
from wesley_tui.sdl.emit_partitions import bound_arguments, key_parts
from wesley_tui.sdl.emit_privileges import grant_directives
from wesley_tui.sdl.key_names import distinct_labels, elements_not_null
from wesley_tui.sdl.literal import literal_default
from wesley_tui.sdl.names import join_name, snake_case
from wesley_tui.sdl.render import Arguments, Naming, description, directive
from wesley_tui.sdl.sqltext import SqlError, parse_expression
from wesley_tui.sdl.vocabulary import scalar_of

__all__ = ["TableText", "index_arguments", "open_name"]


def open_name(column: str) -> str:
    """A column that the type does not declare itself, so that the compiler takes it for exactly this one."""
    return column if snake_case(column) == column and column.isidentifier() else quoted(column)


def quoted(name: str) -> str:
    """``"Odd Name"``, in quotes whether it needs them or not."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True)
class _Written:
    """A directive and the column on whose field it goes; None for the type itself."""

    column: str | None
    name: str
    arguments: Arguments


class TableText:
    """Writes one table."""

    def __init__(self, table: Table, naming: Naming, catalog: Catalog, used: Counter[tuple[str, str]]) -> None:
        self._table = table
        self._naming = naming
        self._catalog = catalog
        self._used = used
        self._fields = naming.fields[table.name]
        self._columns = {column.name: column for column in table.columns}
        self._open = table.partition_of is not None or bool(table.inherits)
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
        head += [
            directive(item.name, item.arguments, "  ") for item in (*self._place(), *written) if item.column is None
        ]
        head += [directive("policy", _policy(policy), "  ") for policy in table.policies]
        head += [directive(*item, "  ") for item in grant_directives(table.grants, columns=self._list)]
        name = self._naming.types[table.name]
        if len(head) == 1 and "\n" not in head[0]:
            lines.append(f"type {name} {head[0]}")
        else:
            lines += [f"type {name}", *(f"  {item}" for item in head)]
        if not table.columns:
            return "\n".join([*lines, ""])
        if len(head) == 1 and "\n" not in head[0]:
            lines[-1] += " {"
        else:
            lines.append("{")
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
        arguments += _given(tablespace=table.tablespace, unlogged=table.unlogged, accessMethod=table.access_method)
        arguments += _given(clusterOn=table.clustered_on)
        if table.options:
            arguments.append(("with", dict(table.options)))
        return arguments

    def _place(self) -> list[_Written]:
        """Where it stands among other tables."""
        table, found = self._table, []
        if table.partition_by is not None:
            keys, strategy = key_parts(table.partition_by)
            by = [self._fields.get(key) or open_name(key) if is_column else key for key, is_column in keys]
            found.append(_Written(None, "partition", [("by", by), ("strategy", Naming.word(strategy))]))
        if table.partition_of is not None:
            parent: Arguments = [("parent", self._type_or_name(table.partition_of))]
            found.append(_Written(None, "partitionOf", [*parent, *bound_arguments(table.partition_bound or "DEFAULT")]))
        if table.inherits:
            found.append(_Written(None, "inherits", [("from", [self._type_or_name(name) for name in table.inherits])]))
        if table.replica_identity is not None:
            found.append(_Written(None, "replicaIdentity", [("by", table.replica_identity)]))
        return found

    def _type_or_name(self, name: QName) -> str:
        return self._naming.types.get(name) or join_name(*name)

    # -- columns ----------------------------------------------------------------------------------------------------

    def _column(self, column: Column, written: Sequence[_Written]) -> list[str]:
        field = self._fields[column.name]
        lines = description(column.comment, "  ")
        base, is_list = (column.type[:-2], True) if column.type.endswith("[]") else (column.type, False)
        type_name, exact = self._type_name(column, base)
        shown = f"[{type_name}{'!' if column.name in self._full_lists else ''}]" if is_list else type_name
        parts: list[tuple[str, Arguments]] = []
        if self._naming.default_column(field) != column.name or column.options:
            named: Arguments = [("name", column.name)] if self._naming.default_column(field) != column.name else []
            parts.append(("column", [*named, *([("with", dict(column.options))] if column.options else [])]))
        if not exact:
            parts.append(("type", [("name", base)]))
        parts += [(item.name, item.arguments) for item in written if item.name == "pk"]
        if column.identity is not None:
            parts.append(("identity", _identity(column)))
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
        if column.not_null_name is not None or column.not_null_comment is not None:
            named_as = _given(name=column.not_null_name, comment=column.not_null_comment)
            parts.append(("notNull", named_as))
        for directive_name, argument, value in (
            ("storage", "type", column.storage),
            ("compression", "method", column.compression),
            ("statistics", "target", column.statistics),
        ):
            if value is not None:
                parts.append((directive_name, [(argument, value)]))
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
        return [] if name == default and self._alone(name) and not self._open else [("name", name)]

    def _list(self, columns: Iterable[str]) -> list[str]:
        return [self._fields.get(column) or open_name(column) for column in columns]

    def _key(self, columns: tuple[str, ...]) -> tuple[str | None, Arguments]:
        """Where a directive for these columns goes, and its ``fields`` there."""
        if len(columns) == 1 and columns[0] in self._columns:
            return columns[0], []
        return None, [("fields", self._list(columns))]

    def _constraint(self, item: Constraint) -> _Written:
        match item:
            case PrimaryKey():
                column, arguments = self._key(item.columns)
                arguments = [*arguments, *self._name(item.name, (), "pkey"), *self._included(item.include)]
                arguments += [*_given(withoutOverlaps=item.without_overlaps), *_stored(item)]
                return _Written(column, "pk", [*arguments, *_deferral(item), *_given(comment=item.comment)])
            case Unique():
                column, arguments = self._key(item.columns)
                arguments = [
                    *arguments,
                    *self._name(item.name, (*item.columns, *item.include), "key"),
                    *_given(nullsNotDistinct=item.nulls_not_distinct),
                    *self._included(item.include),
                    *_given(withoutOverlaps=item.without_overlaps),
                    *_stored(item),
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
        arguments += [*_deferral(item), *_given(notValid=not item.validated, notEnforced=not item.enforced)]
        arguments += _given(period=item.period)
        arguments += [*self._name(item.name, item.columns, "fkey"), *_given(comment=item.comment)]
        return _Written(column, "fk", arguments)

    def _reference(self, item: ForeignKey) -> str | list[str]:
        other = self._naming.types.get(item.references)
        declared = self._naming.fields.get(item.references, {})
        if other is None or any(column not in declared for column in item.referenced_columns):
            inner = ", ".join(join_name(column) for column in item.referenced_columns)
            return f"{join_name(*item.references)}({inner})"
        references = [f"{other}.{declared[column]}" for column in item.referenced_columns]
        return references[0] if len(references) == 1 else references

    def _check(self, item: Check) -> _Written:
        columns = [name for name in parse_expression(item.expression).columns if name in self._columns]
        single = columns if len(columns) == 1 else []
        arguments: Arguments = [
            ("expr", item.expression),
            *self._name(item.name, single, "check"),
            *_given(noInherit=item.no_inherit, notValid=not item.validated, notEnforced=not item.enforced),
            *_given(comment=item.comment),
        ]
        return _Written(single[0] if single else None, "check", arguments)

    def _exclude(self, item: Exclude) -> _Written:
        labels = distinct_labels(key.column or parse_expression(key.expression or "").label for key, _ in item.elements)
        texts = [_exclusion_key(key, operator) for key, operator in item.elements]
        arguments: Arguments = [("expr", texts if len(texts) > 1 else texts[0])]
        if item.method != "gist":
            arguments.append(("using", item.method))
        arguments += [*_given(where=item.where), *_stored(item)]
        arguments += [*self._name(item.name, labels, "excl"), *_deferral(item), *_given(comment=item.comment)]
        return _Written(None, "exclude", arguments)

    # -- indexes ----------------------------------------------------------------------------------------------------

    def _index(self, index: Index) -> _Written:
        alone = index.keys[0].column if len(index.keys) == 1 else None
        on_field = alone is not None and alone in self._columns
        arguments = index_arguments(index, self._list, on_field=on_field)
        labels = [key.column or parse_expression(key.expression or "").label for key in index.keys]
        names = distinct_labels([*labels, *index.include])
        arguments += [*self._name(index.name, names, "idx"), *_given(comment=index.comment)]
        return _Written(alone if on_field else None, "index", arguments)


def index_arguments(index: Index, fields: Callable[[Iterable[str]], list[str]], *, on_field: bool) -> Arguments:
    """What ``@index`` says of an index, but for its name and comment; ``fields`` spells columns."""
    plain = [key.column for key in index.keys if key.column is not None]
    arguments: Arguments = []
    if len(plain) < len(index.keys):
        texts = [key.expression or quote_ident(key.column or "") for key in index.keys]
        arguments.append(("expr", texts if len(texts) > 1 else texts[0]))
    elif not on_field:
        arguments.append(("fields", fields(plain)))
    if index.method != "btree":
        arguments.append(("using", index.method))
    arguments += _given(unique=index.unique, nullsNotDistinct=index.nulls_not_distinct, where=index.where)
    if index.include:
        arguments.append(("include", fields(index.include)))
    arguments += _per_key("opclass", [key.opclass for key in index.keys])
    arguments += _per_key("collate", [_collation(key) for key in index.keys])
    arguments += _per_key("order", [_order(key) for key in index.keys])
    targets = [key.statistics for key in index.keys]
    if any(target is not None for target in targets):
        arguments.append(("statistics", targets if len(targets) > 1 else targets[0]))
    if index.options:
        arguments.append(("with", dict(index.options)))
    return [*arguments, *_given(tablespace=index.tablespace, invalid=not index.valid)]


def _given(**values: str | bool | None) -> Arguments:
    """Arguments that say something: texts that are not empty, flags that are true."""
    return [(name, value) for name, value in values.items() if value]


def _stored(item: PrimaryKey | Unique | Exclude) -> Arguments:
    arguments: Arguments = [("with", dict(item.options))] if item.options else []
    return [*arguments, *_given(tablespace=item.tablespace)]


def _identity(column: Column) -> Arguments:
    arguments = _given(always=column.identity == "always")
    arguments += [(name, True if name == "cycle" else int(value)) for name, value in column.identity_options]
    sequence = column.identity_sequence
    return [*arguments, *_given(sequence=sequence.name if sequence is not None else None)]


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
