"""Which tables a query reads from end to end: those that none of its conditions lets it find through an index.

PostgreSQL decides that with statistics; what is said here holds whatever they are. A condition helps when it compares a
column with something that is known before the table is read: a constant, a parameter, an outer row, a row of a table
that is itself restricted. With a catalog the column must lead an index; without one it is assumed that it does, unless
the condition is one for which people seldom have an index (``IS NULL``, ``<>``, a function of the column).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wesley_tui.catalog.model import PrimaryKey, Table, Unique
from wesley_tui.planner.effects.context import EffectContext, name_of, names_in
from wesley_tui.planner.effects.tree import Node, walk

__all__ = ["is_indexed", "is_key", "unrestricted"]

_HELPFUL = frozenset("= < > <= >= @> <@ && ? ?& ?| @@ << >> ~~ ^@ <->".split())  # noqa: SIM905
_KINDS = frozenset(("AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_IN", "AEXPR_BETWEEN", "AEXPR_LIKE", "AEXPR_NOT_DISTINCT"))


@dataclass(frozen=True, slots=True)
class _Column:
    table: str
    """The alias under which the query knows the table."""
    name: str


def unrestricted(levels: Iterable[Any], context: EffectContext) -> Iterator[Any]:
    """The ``RangeVar`` of each table that is read from end to end. ``levels``: a query and those within it, each a
    SELECT, UPDATE, DELETE or MERGE."""
    for item in levels:
        yield from _of_level(item, context)


def _of_level(query: Any, context: EffectContext) -> Iterator[Any]:
    """One SELECT, UPDATE, DELETE or MERGE, without what is nested in it."""
    ranges: dict[str, Any] = {}
    conditions: list[Any] = [query.whereClause]
    if query.tag == "MergeStmt":
        conditions.append(query.joinCondition)
        sources: list[Any] = [query.relation, query.sourceRelation]
    else:
        sources = [
            *([query.relation] if query.tag != "SelectStmt" else ()),
            *(query.fromClause or ()),
            *(query.usingClause or ()),
        ]
    while sources:
        source = sources.pop()
        if source is None:
            continue
        if source.tag == "JoinExpr":
            sources += [source.larg, source.rarg]
            conditions.append(source.quals)
        elif source.relname is not None:
            alias = source.alias.aliasname if source.alias is not None else source.relname
            ranges[alias] = source
        elif source.tag == "RangeTableSample":
            continue
    if _stops_early(query):
        return
    tables = {alias: context.whole_table(name_of(source, context)) for alias, source in ranges.items()}
    found: set[str] = set()
    parts = [part for condition in conditions if condition is not None for part in _conjuncts(condition)]
    while True:
        left = ranges.keys() - found
        more = {alias for alias in left if any(_helps(part, alias, tables, found, context) for part in parts)}
        if not more:
            break
        found |= more
    if query.tag == "MergeStmt" and _touches_what_does_not_match(query):
        found.clear()
    for alias, source in ranges.items():
        if alias not in found:
            yield source


def _stops_early(query: Any) -> bool:
    """A few rows suffice: LIMIT, with nothing that has to see all rows first."""
    return bool(
        query.tag == "SelectStmt"
        and query.limitCount is not None
        and not (query.groupClause or query.sortClause or query.whereClause or query.distinctClause)
        and not any(item.tag == "FuncCall" for item in walk(query.targetList))
    )


def _touches_what_does_not_match(query: Any) -> bool:
    clauses = query.mergeWhenClauses or ()
    return any(clause.matchKind == "MERGE_WHEN_NOT_MATCHED_BY_SOURCE" for clause in clauses)


def _conjuncts(node: Any) -> list[Any]:
    if isinstance(node, Node) and node.tag == "BoolExpr" and node.boolop == "AND_EXPR":
        return [part for item in node.args for part in _conjuncts(item)]
    return [node]


def _helps(
    part: Any, alias: str, tables: Mapping[str, Table | None], known: Collection[str], context: EffectContext
) -> bool:
    """True when the condition finds rows of ``alias`` through an index."""
    if not isinstance(part, Node):
        return False
    if part.tag == "BoolExpr" and part.boolop == "OR_EXPR":
        return all(any(_helps(one, alias, tables, known, context) for one in _conjuncts(item)) for item in part.args)
    if part.tag == "NullTest":
        column = _column(part.arg, tables)
        table = tables.get(alias)
        return (
            part.nulltesttype == "IS_NULL"
            and column is not None
            and column.table == alias
            and table is not None
            and is_indexed(table, column.name)
        )
    if part.tag == "CurrentOfExpr":
        return True
    if part.tag == "SubLink":
        column = _column(part.testexpr, tables)
        return column is not None and column.table == alias and _leads(column, tables, context)
    if part.tag != "A_Expr" or part.get("kind") not in _KINDS:
        return False
    operator = names_in(part.get("name"))[-1]
    if part.get("kind") in ("AEXPR_OP", "AEXPR_OP_ANY") and operator not in _HELPFUL:
        return False
    if part.get("kind") == "AEXPR_IN" and operator != "=":
        return False
    sides = [(part.lexpr, part.rexpr)]
    if part.get("kind") in ("AEXPR_OP", "AEXPR_NOT_DISTINCT"):
        sides.append((part.rexpr, part.lexpr))
    for side, other in sides:
        for one in _row(side):
            column = _column(one, tables)
            if column is None or column.table != alias or not _leads(column, tables, context):
                continue
            if all(used.table in known for used in _columns(other, tables)):
                return True
    return False


def _row(side: Any) -> list[Any]:
    """``(a, b) = (1, 2)`` compares each of its columns."""
    return list(side.args or ()) if isinstance(side, Node) and side.tag == "RowExpr" else [side]


def _column(node: Any, tables: Mapping[str, Table | None]) -> _Column | None:
    """The column of one of ``tables`` that the expression is, and nothing around it but a cast."""
    while isinstance(node, Node) and node.tag == "TypeCast":
        node = node.arg
    if not isinstance(node, Node) or node.tag != "ColumnRef":
        return None
    names = [part.sval for part in node.fields]
    if None in names:
        return None
    if len(names) > 1:
        return _Column(names[-2], names[-1]) if names[-2] in tables else None
    having = [alias for alias, table in tables.items() if table is not None and table.column(names[0]) is not None]
    if having:
        return _Column(having[0], names[0])
    unknown = [alias for alias, table in tables.items() if table is None]
    return _Column(unknown[0], names[0]) if unknown else None


def _columns(node: Any, tables: Mapping[str, Table | None]) -> list[_Column]:
    found = []
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, Node):
            if item.tag == "SelectStmt":
                continue
            column = _column(item, tables) if item.tag == "ColumnRef" else None
            if column is not None:
                found.append(column)
            stack.extend(item.values())
        elif isinstance(item, list | tuple):
            stack.extend(item)
    return found


def _leads(column: _Column, tables: Mapping[str, Table | None], context: EffectContext) -> bool:
    table = tables.get(column.table)
    if table is None or not table.columns:
        return True
    # What a script made itself may have its indexes elsewhere; only a server's own catalog says that there is none.
    return is_indexed(table, column.name) or (context.partial and table.name not in context.created)


def is_indexed(table: Table, column: str) -> bool:
    """An index, a key or an exclusion constraint begins with the column."""
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKey | Unique) and constraint.columns[:1] == (column,):
            return True
    return any(index.keys and index.keys[0].column == column for index in table.indexes)


def is_key(table: Table, columns: Collection[str]) -> bool:
    """One of ``columns`` belongs to an index that a foreign key could point to."""
    keys = (item for item in table.constraints if isinstance(item, PrimaryKey | Unique) and not item.deferrable)
    return any(set(key.columns) & set(columns) for key in keys) or any(
        index.unique and index.where is None and {key.column for key in index.keys} & set(columns)
        for index in table.indexes
        if all(key.expression is None for key in index.keys)
    )
