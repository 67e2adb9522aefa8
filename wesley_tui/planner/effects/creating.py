"""CREATE: what is new locks nobody; what it hangs on is locked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pglast.parser import ParseError

from wesley_tui.catalog.model import Index, QName, Ref
from wesley_tui.planner.effects import shapes
from wesley_tui.planner.effects.context import EffectContext, name_of, names_in
from wesley_tui.planner.effects.partitions import join_family, referencing_tables
from wesley_tui.planner.effects.queries import read_query
from wesley_tui.planner.effects.record import Tally
from wesley_tui.planner.effects.registry import read, rule
from wesley_tui.planner.effects.target import Target
from wesley_tui.planner.effects.tree import Node, parse_script
from wesley_tui.planner.plan import LockMode

__all__ = ["new_name"]


def new_name(relation: Any, context: EffectContext) -> QName:
    """A new relation lands in the first schema of the search path, a temporary one in a schema of the session."""
    if relation.relpersistence == "t":
        return QName("pg_temp", relation.relname)
    return QName(relation.schemaname or (context.search_path or ("public",))[0], relation.relname)


@rule("CreateStmt")
def _create_table(node: Any, context: EffectContext, tally: Tally) -> None:
    name = new_name(node.relation, context)
    if node.if_not_exists and context.table(name) is not None:
        return
    tally.creates.add(name)
    for relation in node.inhRelations or ():
        parent = name_of(relation, context)
        if node.partbound is None:
            tally.lock(parent, LockMode.ShareUpdateExclusiveLock)
            continue
        tally.lock(parent, LockMode.AccessExclusiveLock)
        join_family(parent, context, tally, default=bool(node.partbound.is_default))
        table = context.whole_table(parent)
        for key in table.foreign_keys if table is not None else ():
            for found in context.family(key.references):
                tally.lock(found, LockMode.ShareRowExclusiveLock)
        for referencing in referencing_tables(parent, context):
            tally.lock(referencing, LockMode.ShareRowExclusiveLock)
    for element in node.tableElts or ():
        if element.tag == "TableLikeClause":
            tally.lock(name_of(element.relation, context), LockMode.AccessShareLock)
        constraints = element.constraints or () if element.tag == "ColumnDef" else (element,)
        for constraint in constraints:
            if constraint.contype == "CONSTR_FOREIGN":
                other = name_of(constraint.pktable, context)
                for found in context.family(other):
                    tally.lock(found, LockMode.ShareRowExclusiveLock)


@rule("CreateForeignTableStmt")
def _create_foreign_table(node: Any, context: EffectContext, tally: Tally) -> None:
    base = node.base or node.baseStmt or node
    if base.relation is not None:
        tally.creates.add(new_name(base.relation, context))


@rule("CreateSchemaStmt")
def _create_schema(node: Any, context: EffectContext, tally: Tally) -> None:
    if node.schemaname is not None:
        context = replace(context, search_path=(node.schemaname, *context.search_path))
    for element in node.schemaElts or ():
        read(element, context, tally)


@rule(
    *("CreateEnumStmt", "CreateDomainStmt", "CompositeTypeStmt", "CreateRangeStmt", "DefineStmt", "CreateCastStmt"),
    *("CreateOpClassStmt", "CreateOpFamilyStmt", "AlterOpFamilyStmt", "CreateConversionStmt", "CreatePLangStmt"),
    *("CreateTransformStmt", "CreateAmStmt", "AlterFunctionStmt", "AlterTypeStmt", "AlterOperatorStmt"),
    *("AlterTSConfigurationStmt", "AlterTSDictionaryStmt", "AlterCollationStmt"),
)
def _nobody_waits(node: Any, _context: EffectContext, _tally: Tally) -> None:
    """Only catalogs are written, and nobody waits for them."""


@rule("CreateFunctionStmt")
def _create_function(node: Any, context: EffectContext, tally: Tally) -> None:
    """The body of an SQL function is parsed when it is created, and what it names is locked like by the query itself;
    the bodies of other languages are only text."""
    options = {item.defname: item.arg for item in node.options or ()}
    inner = Tally()
    if node.sql_body is not None:
        read_query(node.sql_body, context, inner, depth="rewritten")
    elif isinstance(options.get("language"), Node) and str(options["language"].sval).lower() == "sql":
        body = options.get("as")
        try:
            for statement in parse_script(names_in(body)[0] if body else ""):
                read_query(statement.node, context, inner, depth="rewritten")
        except (ParseError, ValueError, IndexError):
            return
    for name, mode in inner.locks.items():
        tally.lock(name, mode)


@rule("IndexStmt")
def _create_index(node: Any, context: EffectContext, tally: Tally) -> None:
    name = name_of(node.relation, context)
    target = Target(name, context, tally)
    mode = LockMode.ShareUpdateExclusiveLock if node.concurrent else LockMode.ShareLock
    tally.in_transaction = not node.concurrent
    if node.if_not_exists and node.idxname and context.index_table(QName(name.schema, node.idxname)) is not None:
        tally.lock(name, mode)
        return
    index = shapes.index_of(node)
    special = any(item.opclass or item.collation for item in node.indexParams or ())
    spared: set[QName] = set()
    for member in context.family(name) if target.is_partitioned and node.relation.inh else (name,):
        tally.lock(member, mode)
        # A partition that has such an index already keeps it, and so do those below it.
        is_there = not special and _has_index(member, index, context)
        if member != name and (is_there or spared.intersection(context.ancestors(member))):
            spared.add(member)
            continue
        if node.relation.inh or context.knows(name):
            Target(member, context, tally).scan()
        else:
            tally.assumes.append(f"{name} is partitioned, as ONLY suggests; another table would be read")
    if context.object("materialized view", name) is None and not context.knows(name):
        tally.assumes.append(f"{name} is not partitioned; its partitions would be locked and read too")


def _has_index(name: QName, index: Index, context: EffectContext) -> bool:
    """Of its own, on the same columns; of expressions and conditions nobody here says that they are the same."""
    table = context.table(name)
    if table is None or index.where is not None or any(key.column is None for key in index.keys):
        return False
    wanted = (index.method, index.unique, index.keys)
    return any((own.method, own.unique, own.keys) == wanted and own.where is None for own in table.indexes)


@rule("ViewStmt")
def _create_view(node: Any, context: EffectContext, tally: Tally) -> None:
    name = new_name(node.view, context)
    read_query(node.query, context, tally, depth="analysed")
    if node.replace and (context.is_view(name) or not context.complete):
        tally.lock(name, LockMode.AccessExclusiveLock)
        if not context.is_view(name):
            tally.assumes.append(f"view {name} exists already")
    else:
        tally.creates.add(name)


@rule("CreateTrigStmt")
def _create_trigger(node: Any, context: EffectContext, tally: Tally) -> None:
    name = name_of(node.relation, context)
    target = Target(name, context, tally)
    partitions = target.children if node.row and target.is_partitioned else ()
    for member in (name, *partitions):
        tally.lock(member, LockMode.ShareRowExclusiveLock)
    if node.constrrel is not None:
        tally.lock(name_of(node.constrrel, context), LockMode.AccessShareLock)


@rule("RuleStmt")
def _create_rule(node: Any, context: EffectContext, tally: Tally) -> None:
    name = name_of(node.relation, context)
    inner = Tally()
    for action in node.actions or ():
        read_query(action, context, inner, depth="analysed")
    for found, mode in inner.locks.items():
        if found.name not in ("old", "new"):
            tally.lock(found, mode)
    tally.lock(name, LockMode.AccessExclusiveLock)
    if node.instead:
        tally.breaks.append(f"clients that write to {name} and expect that to happen")


@rule("CreatePolicyStmt", "AlterPolicyStmt")
def _policy(node: Any, context: EffectContext, tally: Tally) -> None:
    for part in (node.qual, node.with_check):
        if part is not None:
            read_query(part, context, tally, depth="analysed")
    tally.lock(name_of(node.table, context), LockMode.AccessExclusiveLock)


@rule("CreateStatsStmt")
def _create_statistics(node: Any, context: EffectContext, tally: Tally) -> None:
    for relation in node.relations or ():
        if relation.relname is not None:
            tally.lock(name_of(relation, context), LockMode.ShareUpdateExclusiveLock)


@rule("AlterStatsStmt")
def _alter_statistics(node: Any, context: EffectContext, tally: Tally) -> None:
    """Only the target of the statistics object changes."""


@rule("CreatePublicationStmt", "AlterPublicationStmt")
def _publication(node: Any, context: EffectContext, tally: Tally) -> None:
    objects = context.catalog.objects if context.catalog is not None else {}
    publication = objects.get(Ref("publication", node.pubname))
    if node.action == "AP_SetObjects" and publication is not None:
        for ref in publication.depends_on:
            if ref.kind == "table":
                schema, _, table_name = ref.name.partition(".")
                tally.lock(QName(schema, table_name), LockMode.ShareUpdateExclusiveLock)
    for item in node.pubobjects or ():
        if item.pubtable is not None:
            relation = item.pubtable.relation
            name = name_of(relation, context)
            for found in (name, *(context.descendants(name) if relation.inh else ())):
                table = context.table(found)
                if found == name or (table is not None and table.partition_of is None):
                    tally.lock(found, LockMode.ShareUpdateExclusiveLock)
    if node.action == "AP_DropObjects" or (node.tag == "AlterPublicationStmt" and node.action == "AP_SetObjects"):
        tally.breaks.append(f"subscribers of publication {node.pubname}: tables that it leaves out send nothing more")


@rule("CreateSeqStmt", "AlterSeqStmt")
def _sequence(node: Any, context: EffectContext, tally: Tally) -> None:
    if node.tag == "CreateSeqStmt":
        tally.creates.add(new_name(node.sequence, context))
    elif node.missing_ok and context.is_absent(name_of(node.sequence, context)):
        return
    else:
        tally.lock(name_of(node.sequence, context), LockMode.ShareRowExclusiveLock)
    for option in node.options or ():
        if option.defname == "owned_by":
            names = names_in(option.arg)
            if len(names) > 1:
                tally.lock(context.resolve(names[-3] if len(names) > 2 else None, names[-2]), LockMode.AccessShareLock)


@rule("AlterEnumStmt")
def _alter_enum(node: Any, _: EffectContext, tally: Tally) -> None:
    if node.oldVal is not None:
        name = ".".join(names_in(node.typeName))
        tally.breaks.append(f"clients that still say {node.oldVal!r} for a value of {name}")


@rule("AlterDomainStmt")
def _alter_domain(node: Any, context: EffectContext, tally: Tally) -> None:
    """A new rule is proven on every table that uses the domain, under SHARE: nobody writes meanwhile."""
    names = names_in(node.typeName)
    domain = context.resolve(names[-2] if len(names) > 1 else None, names[-1])
    constraint = node.get("def")
    if node.subtype == "X":
        tally.loses.append(f"constraint {node.name} of domain {domain}: values that break it are accepted then")
    proves = node.subtype in ("O", "V") or (node.subtype == "C" and not constraint.skip_validation)
    if not proves:
        return
    if not context.complete:
        tally.unknown = f"the tables that use domain {domain} are locked and read, and which those are is not known"
    for table in context.tables():
        if any(_is_of_domain(column.type, domain, context) for column in table.columns):
            for name in (table.name, *context.descendants(table.name)):
                tally.lock(name, LockMode.ShareLock)
                Target(name, context, tally).scan()


def _is_of_domain(type_name: str, domain: QName, context: EffectContext) -> bool:
    if type_name == str(domain):
        return True
    schema, dot, name = type_name.partition(".")
    below = context.object("domain", QName(schema, name)) if dot else None
    return below is not None and any(
        ref.kind == "domain" and _is_of_domain(ref.name, domain, context) for ref in below.depends_on
    )
