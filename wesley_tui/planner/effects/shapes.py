"""What a table looks like after a part of it was added, changed or taken away."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from wesley_tui.catalog.model import (
    Check,
    Column,
    Constraint,
    ForeignKey,
    Index,
    IndexKey,
    PrimaryKey,
    QName,
    ReferentialAction,
    Table,
    Unique,
)
from wesley_tui.catalog.naming import default_name, quote_ident
from wesley_tui.planner.effects.context import EffectContext, name_of, names_in
from wesley_tui.planner.effects.tree import walk
from wesley_tui.planner.effects.types import printed_type

__all__ = [
    "add_column",
    "add_constraint",
    "altered",
    "index_of",
    "rename_constraint",
    "rename_index",
    "with_parent",
    "without_index",
    "without_keys_to",
    "without_policy",
]

_ACTIONS: dict[str, ReferentialAction] = {
    "a": "no action",
    "r": "restrict",
    "c": "cascade",
    "n": "set null",
    "d": "set default",
}


def altered(table: Table, command: Any, context: EffectContext, source: bytes) -> Table:
    """After one subcommand of ALTER TABLE."""
    match command.subtype:
        case "AT_AddColumn":
            return add_column(table, command.get("def"), context, source)
        case "AT_DropColumn":
            return _drop_column(table, command.name)
        case "AT_SetNotNull":
            return _change_column(table, command.name, not_null=True)
        case "AT_DropNotNull":
            return _change_column(table, command.name, not_null=False)
        case "AT_AlterColumnType":
            return _change_column(table, command.name, type=_column_type(command.get("def").typeName, context))
        case "AT_AddConstraint":
            return add_constraint(table, command.get("def"), context, source)
        case "AT_DropConstraint":
            return replace(table, constraints=tuple(c for c in table.constraints if c.name != command.name))
        case "AT_ValidateConstraint":
            return replace(table, constraints=tuple(_validated(c, command.name) for c in table.constraints))
        case "AT_AddInherit":
            return replace(table, inherits=(*table.inherits, name_of(command.get("def"), context)))
        case "AT_DropInherit":
            gone = name_of(command.get("def"), context)
            return replace(table, inherits=tuple(parent for parent in table.inherits if parent != gone))
        case "AT_SetLogged" | "AT_SetUnLogged":
            return replace(table, unlogged=command.subtype == "AT_SetUnLogged")
        case _:
            return table


def _validated(constraint: Constraint, name: str) -> Constraint:
    if constraint.name == name and isinstance(constraint, Check | ForeignKey):
        return replace(constraint, validated=True)
    return constraint


def _change_column(table: Table, name: str, **values: Any) -> Table:
    if table.column(name) is None:
        # Of a table that nobody has described, what is said of a column is all that is known of it.
        return replace(table, columns=(*table.columns, replace(Column(name, "unknown"), **values)))
    return replace(table, columns=tuple(replace(c, **values) if c.name == name else c for c in table.columns))


def _drop_column(table: Table, name: str) -> Table:
    def stays(constraint: Constraint) -> bool:
        return name not in getattr(constraint, "columns", ())

    return replace(
        table,
        columns=tuple(column for column in table.columns if column.name != name),
        constraints=tuple(item for item in table.constraints if stays(item)),
        indexes=tuple(index for index in table.indexes if name not in {key.column for key in index.keys}),
    )


def _column_type(type_name: Any, context: EffectContext) -> str:
    """A name that PostgreSQL does not have is a type of the user, in the first schema of the path if it names none."""
    printed = printed_type(type_name)
    if printed is not None:
        return printed
    *schema, name = names_in(type_name["names"])
    home = schema[-1] if schema else (context.search_path or ("public",))[0]
    return f"{home}.{name}" + "[]" * bool(type_name.arrayBounds)


def add_column(table: Table, definition: Any, context: EffectContext, source: bytes) -> Table:
    constraints = definition.constraints or ()
    not_null = any(item.contype in ("CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY") for item in constraints)
    type_name = _column_type(definition.typeName, context) if definition.typeName is not None else ""
    table = replace(table, columns=(*table.columns, Column(definition.colname, type_name, not_null=not_null)))
    for constraint in constraints:
        table = add_constraint(table, constraint, context, source, columns=(definition.colname,))
    return table


def add_constraint(
    table: Table, node: Any, context: EffectContext, source: bytes, columns: tuple[str, ...] = ()
) -> Table:
    """``columns``: the column that a constraint stands beside, when it is not one of the whole table."""
    constraint: Constraint
    match node.contype:
        case "CONSTR_FOREIGN":
            own = columns or tuple(names_in(node.fk_attrs))
            other = name_of(node.pktable, context)
            constraint = ForeignKey(
                node.conname or default_name(table.name.name, own, "fkey"),
                own,
                other,
                tuple(names_in(node.pk_attrs)) or _primary_key_columns(other, context),
                on_update=_ACTIONS.get(node.fk_upd_action or "a", "no action"),
                on_delete=_ACTIONS.get(node.fk_del_action or "a", "no action"),
                validated=not node.skip_validation,
            )
        case "CONSTR_CHECK":
            name = node.conname or default_name(table.name.name, columns, "check")
            constraint = Check(name, _condition(node, source), validated=not node.skip_validation)
        case "CONSTR_PRIMARY" | "CONSTR_UNIQUE":
            primary = node.contype == "CONSTR_PRIMARY"
            keys = columns or _key_columns(table, node)
            name = node.conname or default_name(table.name.name, () if primary else keys, "pkey" if primary else "key")
            constraint = PrimaryKey(name, keys) if primary else Unique(name, keys)
            if node.indexname is not None:
                table = without_index(table, node.indexname)
            if primary:
                for key in keys:
                    table = _change_column(table, key, not_null=True)
        case _:
            return table
    return replace(table, constraints=(*table.constraints, constraint))


def _primary_key_columns(name: QName, context: EffectContext) -> tuple[str, ...]:
    table = context.table(name)
    key = table.primary_key if table is not None else None
    return key.columns if key is not None else ()


def _key_columns(table: Table, node: Any) -> tuple[str, ...]:
    if node.indexname is None:
        return tuple(names_in(node.get("keys")))
    index = table.index(node.indexname)
    return tuple(key.column for key in index.keys if key.column is not None) if index is not None else ()


def _condition(constraint: Any, source: bytes) -> str:
    """The text in the parentheses after CHECK; the tree knows where it begins, not where it ends."""
    position = constraint.location or 0
    depth, start = 0, -1
    while position < len(source):
        char = source[position : position + 1]
        if char in (b"'", b'"'):
            end = source.find(char, position + 1)
            position = len(source) if end < 0 else end
        elif char == b"(":
            depth += 1
            if depth == 1:
                start = position + 1
        elif char == b")":
            depth -= 1
            if depth == 0:
                return source[start:position].decode(errors="replace").strip()
        position += 1
    return ""


def index_of(node: Any) -> Index:
    """Of expressions only the columns are kept, which is all that effects ask for."""
    keys = tuple(
        IndexKey(column=item.name) if item.name is not None else IndexKey(expression=_columns_of(item.expr))
        for item in node.indexParams or ()
    )
    where = _columns_of(node.whereClause) if node.whereClause is not None else None
    return Index(node.idxname, keys, method=node.accessMethod or "btree", unique=bool(node.unique), where=where)


def _columns_of(expression: Any) -> str:
    names = {
        item.fields[-1].sval
        for item in walk(expression)
        if item.tag == "ColumnRef" and item.fields[-1].sval is not None
    }
    return f"ROW({', '.join(sorted(map(quote_ident, names)))})"


def without_index(table: Table, name: str) -> Table:
    return replace(table, indexes=tuple(index for index in table.indexes if index.name != name))


def without_policy(table: Table, name: str) -> Table:
    return replace(table, policies=tuple(policy for policy in table.policies if policy.name != name))


def with_parent(table: Table, parent: QName | None, bound: str | None) -> Table:
    """A partition of ``parent``, or of nobody any more."""
    return replace(table, partition_of=parent, partition_bound=bound)


def without_keys_to(table: Table, gone: Collection[QName]) -> Table:
    if not any(key.references in gone for key in table.foreign_keys):
        return table
    return replace(
        table,
        constraints=tuple(
            item for item in table.constraints if not (isinstance(item, ForeignKey) and item.references in gone)
        ),
    )


def rename_constraint(table: Table, old: str, new: str) -> Table:
    return replace(
        table,
        constraints=tuple(replace(item, name=new) if item.name == old else item for item in table.constraints),
    )


def rename_index(table: Table, old: str, new: str) -> Table:
    table = rename_constraint(table, old, new)
    return replace(table, indexes=tuple(replace(i, name=new) if i.name == old else i for i in table.indexes))
