"""The catalog after a statement, as far as later effects depend on it.

Only what changes the effects of something later is followed: which tables exist, which constraints stand and
are proven, which columns are NOT NULL, what is called how. Everything else stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pglast import ast
from pglast.parser import ParseError
from pglast.stream import RawStream

from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    Constraint,
    ForeignKey,
    Index,
    IndexKey,
    Policy,
    PrimaryKey,
    QName,
    Table,
    Unique,
)
from wesley_tui.diff.changes import RenameColumn, RenameTable
from wesley_tui.diff.renames import renamed_catalog
from wesley_tui.planner.effects.context import EffectContext, name_of, names_in
from wesley_tui.planner.effects.types import printed_type
from wesley_tui.planner.parse import parse_statement

__all__ = ["advance"]


def advance(statement: str, context: EffectContext) -> EffectContext:
    """The context for what runs after ``statement``."""
    if context.catalog is None:
        return context
    try:
        node = parse_statement(statement)
    except (ParseError, ValueError):
        return context
    return _advanced(node, context)


def _advanced(node: Any, context: EffectContext) -> EffectContext:
    match node:
        case ast.CreateStmt():
            return _created(node, context)
        case ast.AlterTableStmt():
            return _altered(node, context)
        case ast.RenameStmt():
            return _renamed(node, context)
        case ast.AlterObjectSchemaStmt() if node.relation is not None:
            old = name_of(node.relation, context)
            return _moved(old, QName(str(node.newschema), old.name), context)
        case ast.DropStmt():
            return _dropped(node, context)
        case ast.IndexStmt() if node.idxname is not None:
            return _with_table(name_of(node.relation, context), context, lambda table: _add_index(table, node))
        case ast.CreatePolicyStmt():
            policy = Policy(str(node.policy_name))
            return _with_table(
                name_of(node.table, context), context, lambda table: replace(table, policies=(*table.policies, policy))
            )
        case _:
            return context


def _catalog(context: EffectContext) -> Catalog:
    assert context.catalog is not None
    return context.catalog


def _with_tables(context: EffectContext, tables: dict[QName, Table]) -> EffectContext:
    return replace(context, catalog=replace(_catalog(context), tables=tables))


def _with_table(name: QName, context: EffectContext, change: Callable[[Table], Table]) -> EffectContext:
    table = context.table(name)
    if table is None:
        return context
    return _with_tables(context, {**_catalog(context).tables, name: change(table)})


def _created(node: Any, context: EffectContext) -> EffectContext:
    schema = node.relation.schemaname or (context.search_path[0] if context.search_path else "public")
    name = QName(schema, node.relation.relname)
    table = Table(name)
    for element in node.tableElts or ():
        if isinstance(element, ast.ColumnDef):
            table = _add_column(table, element, context)
        elif isinstance(element, ast.Constraint):
            table = _add_constraint(table, element, context)
    context = _with_tables(context, {**_catalog(context).tables, name: table})
    return replace(context, created=context.created | {name})


def _dropped(node: Any, context: EffectContext) -> EffectContext:
    kind = node.removeType.name
    if kind == "OBJECT_TABLE":
        gone = {_resolve(names_in(parts), context) for parts in node.objects}
        tables = {name: table for name, table in _catalog(context).tables.items() if name not in gone}
        return _with_tables(context, tables)
    if kind == "OBJECT_INDEX":
        for parts in node.objects:
            names = names_in(parts)
            index = QName(names[-2] if len(names) > 1 else "public", names[-1])
            owner = context.index_table(index)
            if owner is not None:
                context = _with_table(owner, context, lambda table: _without_index(table, names[-1]))  # noqa: B023
    if kind == "OBJECT_POLICY":
        for parts in node.objects:
            *owner_parts, policy = names_in(parts)
            context = _with_table(
                _resolve(owner_parts, context),
                context,
                lambda table: replace(table, policies=tuple(p for p in table.policies if p.name != policy)),  # noqa: B023
            )
    return context


def _resolve(parts: list[str], context: EffectContext) -> QName:
    return context.resolve(parts[-2] if len(parts) > 1 else None, parts[-1])


def _without_index(table: Table, name: str) -> Table:
    return replace(table, indexes=tuple(index for index in table.indexes if index.name != name))


def _add_index(table: Table, node: Any) -> Table:
    keys = tuple(
        IndexKey(column=param.name) if param.name else IndexKey(expression=RawStream()(param.expr))
        for param in node.indexParams
    )
    where = RawStream()(node.whereClause) if node.whereClause is not None else None
    index = Index(node.idxname, keys, method=node.accessMethod, unique=bool(node.unique), where=where)
    return replace(table, indexes=(*table.indexes, index))


def _renamed(node: Any, context: EffectContext) -> EffectContext:
    kind = node.renameType.name
    if kind == "OBJECT_TABLE":
        old = name_of(node.relation, context)
        return _moved(old, QName(old.schema, node.newname), context)
    if kind == "OBJECT_COLUMN":
        return _with_renamed_column(RenameColumn(name_of(node.relation, context), node.subname, node.newname), context)
    if kind == "OBJECT_TABCONSTRAINT":
        return _with_table(
            name_of(node.relation, context),
            context,
            lambda table: _rename_constraint(table, node.subname, node.newname),
        )
    if kind == "OBJECT_INDEX":
        old = name_of(node.relation, context)
        owner = context.index_table(old)
        if owner is not None:
            return _with_table(owner, context, lambda table: _rename_index(table, old.name, node.newname))
    return context


def _with_renamed_column(change: RenameColumn, context: EffectContext) -> EffectContext:
    """Only the table itself and those with foreign keys to it can notice."""
    tables = _catalog(context).tables
    names = {other for other, _ in context.foreign_keys_to(change.table)} | ({change.table} & tables.keys())
    concerned = renamed_catalog(Catalog(tables={name: tables[name] for name in names}), [change])
    return _with_tables(context, {**tables, **concerned.tables})


def _moved(old: QName, new: QName, context: EffectContext) -> EffectContext:
    created = frozenset(new if name == old else name for name in context.created)
    return replace(context, catalog=renamed_catalog(_catalog(context), [RenameTable(old, new)]), created=created)


def _rename_constraint(table: Table, old: str, new: str) -> Table:
    return replace(
        table,
        constraints=tuple(replace(item, name=new) if item.name == old else item for item in table.constraints),
    )


def _rename_index(table: Table, old: str, new: str) -> Table:
    table = _rename_constraint(table, old, new)
    return replace(table, indexes=tuple(replace(i, name=new) if i.name == old else i for i in table.indexes))


def _altered(node: Any, context: EffectContext) -> EffectContext:
    name = name_of(node.relation, context)
    table = context.table(name)
    if table is None:
        return context
    for command in node.cmds:
        table = _alter(table, command, context)
    return _with_table(name, context, lambda _: table)


def _alter(table: Table, command: Any, context: EffectContext) -> Table:
    match command.subtype.name:
        case "AT_AddColumn":
            return _add_column(table, command.def_, context)
        case "AT_DropColumn":
            return _drop_column(table, command.name)
        case "AT_SetNotNull":
            return _change_column(table, command.name, not_null=True)
        case "AT_DropNotNull":
            return _change_column(table, command.name, not_null=False)
        case "AT_AlterColumnType":
            return _change_column(table, command.name, type=printed_type(command.def_.typeName) or "")
        case "AT_AddConstraint":
            return _add_constraint(table, command.def_, context)
        case "AT_DropConstraint":
            return replace(table, constraints=tuple(c for c in table.constraints if c.name != command.name))
        case "AT_ValidateConstraint":
            return replace(table, constraints=tuple(_validated(c, command.name) for c in table.constraints))
        case _:
            return table


def _validated(constraint: Constraint, name: str) -> Constraint:
    if constraint.name == name and isinstance(constraint, Check | ForeignKey):
        return replace(constraint, validated=True)
    return constraint


def _change_column(table: Table, name: str, **values: Any) -> Table:
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


def _add_column(table: Table, definition: Any, context: EffectContext) -> Table:
    not_null = any(
        item.contype.name in ("CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY")
        for item in definition.constraints or ()
    )
    column = Column(definition.colname, printed_type(definition.typeName) or "", not_null=not_null)
    table = replace(table, columns=(*table.columns, column))
    for constraint in definition.constraints or ():
        if constraint.contype.name == "CONSTR_FOREIGN":
            table = _add_constraint(table, constraint, context, columns=(definition.colname,))
    return table


def _add_constraint(table: Table, node: Any, context: EffectContext, columns: tuple[str, ...] = ()) -> Table:
    name = node.conname or ""
    constraint: Constraint
    match node.contype.name:
        case "CONSTR_FOREIGN":
            constraint = ForeignKey(
                name,
                columns or tuple(names_in(node.fk_attrs)),
                name_of(node.pktable, context),
                tuple(names_in(node.pk_attrs or ())),
                validated=not node.skip_validation,
            )
        case "CONSTR_CHECK":
            constraint = Check(name, RawStream()(node.raw_expr), validated=not node.skip_validation)
        case "CONSTR_PRIMARY" | "CONSTR_UNIQUE":
            record = PrimaryKey if node.contype.name == "CONSTR_PRIMARY" else Unique
            keys = _key_columns(table, node)
            constraint = record(name, keys)
            if node.indexname is not None:
                table = _without_index(table, node.indexname)
            if record is PrimaryKey:
                for key in keys:
                    table = _change_column(table, key, not_null=True)
        case _:
            return table
    return replace(table, constraints=(*table.constraints, constraint))


def _key_columns(table: Table, node: Any) -> tuple[str, ...]:
    if node.indexname is None:
        return tuple(names_in(node.keys or ()))
    index = table.index(node.indexname)
    return tuple(key.column for key in index.keys if key.column is not None) if index is not None else ()
