"""The catalog after a statement, as far as later effects depend on it.

Only what changes the effects of something later is followed: which relations exist, what they are made of, which
constraints stand and are proven, which columns are NOT NULL, what is called how, and where unqualified names are
looked up. Everything else stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from pglast.parser import ParseError

from wesley_tui.catalog.model import Catalog, ObjectKind, Policy, QName, Ref, SqlObject, Table
from wesley_tui.diff.changes import RenameColumn, RenameTable
from wesley_tui.diff.renames import renamed_catalog
from wesley_tui.planner.effects import shapes
from wesley_tui.planner.effects.code import body_of
from wesley_tui.planner.effects.context import EffectContext, name_of, names_in
from wesley_tui.planner.effects.creating import new_name
from wesley_tui.planner.effects.links import carry, follow
from wesley_tui.planner.effects.tree import Node, parse_one, walk

__all__ = ["advance", "advance_node"]


def advance(statement: str, context: EffectContext) -> EffectContext:
    """The context for what runs after ``statement``."""
    if context.catalog is None:
        return context
    try:
        node = parse_one(statement)
    except (ParseError, ValueError):
        return context
    return advance_node(node, context, statement.encode())


def advance_node(node: Any, context: EffectContext, source: bytes) -> EffectContext:
    """:func:`advance` for a statement that is parsed already; ``source`` is the script it was parsed from."""
    function = _FOLLOWED.get(node.tag)
    return context if function is None or context.catalog is None else function(node, context, source)


def _catalog(context: EffectContext) -> Catalog:
    assert context.catalog is not None
    return context.catalog


def _with_tables(context: EffectContext, tables: dict[QName, Table], *, related: bool = False) -> EffectContext:
    old = _catalog(context)
    new = replace(old, tables=tables)
    if not related:
        carry(old, new)
    return replace(context, catalog=new)


def _put(table: Table, context: EffectContext) -> EffectContext:
    before = context.table(table.name)
    after = _with_tables(context, {**_catalog(context).tables, table.name: table}, related=True)
    follow(_catalog(context), _catalog(after), [(before, table)])
    return after


def _with_table(name: QName, context: EffectContext, change: Callable[[Table], Table]) -> EffectContext:
    table = context.table(name)
    return context if table is None else _put(change(table), context)


def _with_object(item: SqlObject, context: EffectContext, *, is_new: bool = False) -> EffectContext:
    before = _catalog(context)
    catalog = replace(before, objects={**before.objects, item.ref: item})
    follow(before, catalog, objects=[(before.objects.get(item.ref), item)])
    created = context.created | {item.name} if is_new else context.created
    return replace(context, catalog=catalog, created=created)


def _created(node: Any, context: EffectContext, source: bytes) -> EffectContext:
    name = new_name(node.relation, context)
    if node.if_not_exists and context.table(name) is not None:
        return context
    parents = tuple(name_of(parent, context) for parent in node.inhRelations or ())
    table = Table(
        name,
        unlogged=node.relation.relpersistence == "u",
        partition_by=str(node.partspec.strategy) if node.partspec is not None else None,
        partition_of=parents[0] if node.partbound is not None else None,
        partition_bound=_bound(node.partbound),
        inherits=() if node.partbound is not None else parents,
    )
    for element in node.tableElts or ():
        if element.tag == "ColumnDef":
            table = shapes.add_column(table, element, context, source)
        elif element.tag == "Constraint":
            table = shapes.add_constraint(table, element, context, source)
        elif element.tag == "TableLikeClause":
            other = context.whole_table(name_of(element.relation, context))
            table = replace(table, columns=(*table.columns, *(other.columns if other is not None else ())))
    # A table of the same name may exist when IF NOT EXISTS is said and nobody knows: then nothing is new.
    is_new = not node.if_not_exists or context.complete
    context = _put(table, context)
    return replace(context, created=context.created | {name}) if is_new else context


def _bound(node: Any) -> str | None:
    if node is None:
        return None
    return "DEFAULT" if node.is_default else "FOR VALUES …"


def _created_as(node: Any, context: EffectContext, _source: bytes) -> EffectContext:
    name = new_name(node.into.rel, context)
    if node.objtype == "OBJECT_MATVIEW":
        item = SqlObject("materialized view", name, ("",), depends_on=_relations_in(node.query, context))
        return _with_object(item, context, is_new=True)
    return replace(_put(Table(name), context), created=context.created | {name})


def _selected_into(node: Any, context: EffectContext, _source: bytes) -> EffectContext:
    if node.intoClause is None:
        return context
    name = new_name(node.intoClause.rel, context)
    return replace(_put(Table(name), context), created=context.created | {name})


def _view(node: Any, context: EffectContext, _source: bytes) -> EffectContext:
    item = SqlObject("view", new_name(node.view, context), ("",), depends_on=_relations_in(node.query, context))
    return _with_object(item, context, is_new=not node.replace)


def _relations_in(query: Any, context: EffectContext) -> tuple[Ref, ...]:
    ctes = {item.ctename for item in walk(query) if item.tag == "CommonTableExpr"}
    found = set()
    for item in walk(query):
        if item.relname is not None and (item.schemaname is not None or item.relname not in ctes):
            name = name_of(item, context)
            kinds = (kind for kind in ("view", "materialized view") if context.object(kind, name) is not None)
            found.add(Ref(next(kinds, "table"), str(name)))
    return tuple(sorted(found))


def _sequence(node: Any, context: EffectContext, _source: bytes) -> EffectContext:
    return _with_object(SqlObject("sequence", new_name(node.sequence, context), ("",)), context, is_new=True)


def _domain(node: Any, context: EffectContext, _source: bytes) -> EffectContext:
    names = names_in(node.domainname)
    name = _new_object_name(names, context)
    rules = {"CONSTR_CHECK": "CHECK (…)", "CONSTR_NOTNULL": "NOT NULL"}
    text = " ".join(rules.get(item.contype, "") for item in node.constraints or ())
    return _with_object(SqlObject("domain", name, (f"CREATE DOMAIN {text}",)), context, is_new=True)


_OBJECTS: dict[str, ObjectKind] = {
    "OBJECT_VIEW": "view",
    "OBJECT_MATVIEW": "materialized view",
    "OBJECT_SEQUENCE": "sequence",
    "OBJECT_DOMAIN": "domain",
}


def _dropped(node: Any, context: EffectContext, _source: bytes) -> EffectContext:
    kind = node.removeType
    if kind in ("OBJECT_TABLE", "OBJECT_FOREIGN_TABLE"):
        return _without_tables({_resolve(names_in(parts), context) for parts in node.objects}, node, context)
    if kind == "OBJECT_INDEX":
        for parts in node.objects:
            index = _resolve(names_in(parts), context)
            owner = context.index_table(index)
            if owner is not None:
                context = _with_table(owner, context, partial(shapes.without_index, name=index.name))
    elif kind == "OBJECT_POLICY":
        for parts in node.objects:
            *owner_parts, policy = names_in(parts)
            context = _with_table(_resolve(owner_parts, context), context, partial(shapes.without_policy, name=policy))
    elif kind in _OBJECTS:
        gone = {Ref(_OBJECTS[kind], str(_resolve(names_in(parts), context))) for parts in node.objects}
        catalog = _catalog(context)
        if gone & catalog.objects.keys():
            without = replace(catalog, objects={ref: item for ref, item in catalog.objects.items() if ref not in gone})
            follow(catalog, without, objects=[(catalog.objects[ref], None) for ref in gone & catalog.objects.keys()])
            return replace(context, catalog=without)
    return context


def _without_tables(gone: set[QName], node: Any, context: EffectContext) -> EffectContext:
    for name in tuple(gone):
        table = context.table(name)
        if table is not None and table.partition_by is not None:
            gone.update(context.descendants(name))
    before = _catalog(context)
    tables: dict[QName, Table | None] = dict.fromkeys(gone & before.tables.keys())
    if node.behavior == "DROP_CASCADE":
        referring = {other for name in gone for other, _ in context.foreign_keys_to(name)} - gone
        tables |= {name: shapes.without_keys_to(before.tables[name], gone) for name in referring}
    return replace(_with_other_tables(context, tables), created=context.created - gone)


def _with_other_tables(context: EffectContext, changed: Mapping[QName, Table | None]) -> EffectContext:
    """Tables as they are now, None for those that are gone."""
    old = _catalog(context)
    tables = {name: table for name, table in old.tables.items() if name not in changed}
    tables |= {table.name: table for table in changed.values() if table is not None}
    new = replace(old, tables=tables)
    follow(old, new, [(old.tables.get(name), table) for name, table in changed.items()])
    return replace(context, catalog=new)


def _resolve(parts: list[str], context: EffectContext) -> QName:
    return context.resolve(parts[-2] if len(parts) > 1 else None, parts[-1])


def _indexed(node: Any, context: EffectContext, _source: bytes) -> EffectContext:
    name = name_of(node.relation, context)
    view = context.object("materialized view", name)
    if node.idxname is None:
        return context
    if view is not None:
        return _with_object(replace(view, indexes=(*view.indexes, shapes.index_of(node))), context)
    context = _with_stub(name, context)
    return _with_table(name, context, lambda table: replace(table, indexes=(*table.indexes, shapes.index_of(node))))


def _policy(node: Any, context: EffectContext, _source: bytes) -> EffectContext:
    policy = Policy(str(node.policy_name))
    name = name_of(node.table, context)
    context = replace(context, guarded=context.guarded | {name})
    return _with_table(name, context, lambda table: replace(table, policies=(*table.policies, policy)))


def _renamed(node: Any, context: EffectContext, _source: bytes) -> EffectContext:
    kind = node.renameType
    if kind == "OBJECT_TABLE":
        old = name_of(node.relation, context)
        return _moved(old, QName(old.schema, node.newname), context)
    if kind == "OBJECT_COLUMN" and node.relationType == "OBJECT_TABLE":
        return _with_renamed_column(RenameColumn(name_of(node.relation, context), node.subname, node.newname), context)
    if kind == "OBJECT_TABCONSTRAINT":
        return _with_table(
            name_of(node.relation, context),
            context,
            lambda table: shapes.rename_constraint(table, node.subname, node.newname),
        )
    if kind == "OBJECT_INDEX":
        old = name_of(node.relation, context)
        owner = context.index_table(old)
        if owner is not None:
            return _with_table(owner, context, lambda table: shapes.rename_index(table, old.name, node.newname))
    return context


def _with_renamed_column(change: RenameColumn, context: EffectContext) -> EffectContext:
    """Only the table itself and those with foreign keys to it can notice."""
    tables = _catalog(context).tables
    names = {other for other, _ in context.foreign_keys_to(change.table)} | ({change.table} & tables.keys())
    concerned = renamed_catalog(Catalog(tables={name: tables[name] for name in names}), [change])
    return _with_other_tables(context, dict(concerned.tables))


def _moved(old: QName, new: QName, context: EffectContext) -> EffectContext:
    """Only the table itself, those with foreign keys to it or with policies, and what needs or belongs to it notice."""
    before = _catalog(context)
    if context.table(old) is None:
        return context
    names = {old, *(other for other, _ in context.foreign_keys_to(old))}
    names |= {name for name, table in before.tables.items() if table.policies}
    part = Catalog(tables={name: before.tables[name] for name in names}, objects=_needing(old, context))
    renamed = renamed_catalog(part, [RenameTable(old, new)])
    context = _with_other_tables(context, {old: None, **{name: renamed.tables.get(name) for name in names - {old}}})
    context = _put(renamed.tables[new], context)
    moved = _catalog(context)
    if renamed.objects:
        objects = {ref: item for ref, item in moved.objects.items() if ref not in part.objects} | dict(renamed.objects)
        after = replace(moved, objects=objects)
        pairs = [(item, None) for item in part.objects.values()]
        follow(moved, after, objects=[*pairs, *((None, item) for item in renamed.objects.values())])
        context = replace(context, catalog=after)
    return replace(context, created=frozenset(new if name == old else name for name in context.created))


def _needing(table: QName, context: EffectContext) -> dict[Ref, SqlObject]:
    """What needs the table or a column of it, stands on it, or belongs to it."""
    catalog, links = _catalog(context), context.links
    columns = catalog.tables[table].columns
    refs = [Ref("table", str(table)), *(Ref("column", f"{table}.{column.name}") for column in columns)]
    found = [item for ref in refs for item in links.users.get(ref, ())]
    found += links.on_relation.get(table, ())
    found += (item for item in catalog.objects.values() if item.owned_by is not None and item.owned_by[0] == table)
    return {item.ref: item for item in found}


def _schema_set(node: Any, context: EffectContext, _source: bytes) -> EffectContext:
    if node.relation is None:
        return context
    old = name_of(node.relation, context)
    return _moved(old, QName(str(node.newschema), old.name), context)


_PROOFS = frozenset(("AT_AddConstraint", "AT_ValidateConstraint", "AT_SetNotNull"))
"""What is worth remembering of a table that nobody has described."""


def _with_stub(name: QName, context: EffectContext) -> EffectContext:
    """A record for a table that exists and that nobody has described, so that what is proven of it is remembered."""
    if not context.partial or context.table(name) is not None or _is_other_relation(name, context):
        return context
    return replace(_put(Table(name), context), stubs=context.stubs | {name})


def _is_other_relation(name: QName, context: EffectContext) -> bool:
    return any(context.object(kind, name) is not None for kind in ("view", "materialized view", "sequence"))


def _altered(node: Any, context: EffectContext, source: bytes) -> EffectContext:
    name = name_of(node.relation, context)
    if node.objtype == "OBJECT_TABLE" and any(command.subtype in _PROOFS for command in node.cmds):
        context = _with_stub(name, context)
    table = context.table(name)
    for command in node.cmds:
        if table is not None:
            table = shapes.altered(table, command, context, source)
        if command.subtype in ("AT_AttachPartition", "AT_DetachPartition"):
            partition = command.get("def")
            if partition.name is None or node.objtype != "OBJECT_TABLE":
                continue
            parent = name if command.subtype == "AT_AttachPartition" else None
            change = partial(shapes.with_parent, parent=parent, bound=_bound(partition.bound) if parent else None)
            context = _with_table(name_of(partition.name, context), context, change)
    return context if table is None else _put(table, context)


def _setting(node: Any, context: EffectContext, _source: bytes) -> EffectContext:
    """``search_path`` and TimeZone decide what later statements mean."""
    name = str(node.name or "").lower()
    if name not in ("search_path", "timezone"):
        return context
    values = [str(item.sval.sval) for item in node.args or () if item.sval and item.sval.sval]
    if name == "timezone":
        return replace(context, timezone=values[0] if values else "UTC")
    if node.get("kind") != "VAR_SET_VALUE":
        return replace(context, search_path=("public",))
    path = tuple(value for value in values if value and value not in ("$user", "pg_temp", "pg_catalog"))
    return replace(context, search_path=path or ("public",))


def _do(node: Any, context: EffectContext, _source: bytes) -> EffectContext:
    for statement in body_of(node).statements:
        context = advance_node(statement.node, context, statement.text.encode())
    return context


def _routine(node: Any, context: EffectContext, _source: bytes) -> EffectContext:
    """Only its volatility is kept, and that it is new."""
    name = _new_object_name(names_in(node.funcname), context)
    options = {item.defname: item.arg for item in node.options or ()}
    volatility = options.get("volatility")
    text = f"CREATE FUNCTION {str(volatility.sval).upper() if isinstance(volatility, Node) else 'VOLATILE'}"
    return _with_object(SqlObject("function", name, (text,), arguments=""), context, is_new=not node.replace)


def _type(node: Any, context: EffectContext, _source: bytes) -> EffectContext:
    names = [node.typevar.schemaname, node.typevar.relname] if node.typevar is not None else names_in(node.typeName)
    name = _new_object_name([part for part in names if part], context)
    return replace(context, created=context.created | {name})


def _new_object_name(names: list[str], context: EffectContext) -> QName:
    return QName(names[-2] if len(names) > 1 else (context.search_path or ("public",))[0], names[-1])


def _prepared(node: Any, context: EffectContext, _source: bytes) -> EffectContext:
    return replace(context, prepared={**context.prepared, str(node.name): node.query})


_FOLLOWED: dict[str, Callable[[Any, EffectContext, bytes], EffectContext]] = {
    "CreateStmt": _created,
    "CreateTableAsStmt": _created_as,
    "SelectStmt": _selected_into,
    "PrepareStmt": _prepared,
    "DoStmt": _do,
    "CreateFunctionStmt": _routine,
    "CreateEnumStmt": _type,
    "CompositeTypeStmt": _type,
    "CreateRangeStmt": _type,
    "ViewStmt": _view,
    "CreateSeqStmt": _sequence,
    "CreateDomainStmt": _domain,
    "AlterTableStmt": _altered,
    "RenameStmt": _renamed,
    "AlterObjectSchemaStmt": _schema_set,
    "DropStmt": _dropped,
    "IndexStmt": _indexed,
    "CreatePolicyStmt": _policy,
    "VariableSetStmt": _setting,
}
