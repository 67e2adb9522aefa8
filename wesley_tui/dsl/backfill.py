"""One UPDATE, INSERT … SELECT or DELETE, in batches.

An UPDATE or DELETE walks along a key of its table, an INSERT … SELECT along a key of the first table that it reads.
Each batch visits the next rows in key order and does with them what the statement says; batch and checkpoint commit
together, so every row is visited by exactly one committed batch.

Whether there is a second pass depends on the statement. ``SET x = … WHERE x IS NULL`` makes its own condition false: it
is repeated until no row is left. ``SET price = price * 2`` is not: each row once, never twice.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pglast import ast
from pglast.enums import A_Expr_Kind, BoolExprType, JoinType

from wesley_tui.catalog.model import Catalog, QName, Table
from wesley_tui.catalog.naming import qualified, quote_ident
from wesley_tui.dsl.backfill_guard import Statement
from wesley_tui.dsl.kinds import is_a
from wesley_tui.dsl.template import Wrong
from wesley_tui.dsl.tokens import Token, split_at_commas, tokens_of
from wesley_tui.planner.backfill import backfill_rows, walking_key
from wesley_tui.planner.effects import EffectContext
from wesley_tui.planner.plan import Backfill

__all__ = ["batches", "statement_of"]

_ROW = "t"
"""What the planner's own backfills call the row."""
_KEY = "wesley_k"
"""Of the columns of a key beside the row itself: under their own names, one that the author does not qualify would be
ambiguous."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """The clauses of a statement, as its author wrote them."""

    with_: str
    """``a AS (…), b AS (…)``, or nothing."""
    recursive: bool
    assigned: str
    """What stands between SET and FROM or WHERE."""
    from_: str
    where: str


def batches(statement: Statement, context: EffectContext, *, repeat: bool | None, blocks: bool) -> Backfill:
    """``repeat``: pass after pass until no row is left for which the condition holds; None finds out. ``blocks``: walk
    along blocks of the table instead of a key.

    Raises :class:`Wrong` when there is nothing to walk along, or the walk would not stand the statement.
    """
    catalog = context.catalog
    assert catalog is not None
    if is_a(statement.node, ast.InsertStmt):
        return _insert(statement, context)
    table = context.whole_table(statement.target)
    assert table is not None
    others = statement.node.fromClause if is_a(statement.node, ast.UpdateStmt) else statement.node.usingClause
    parts = _parts(statement.text, has_others=bool(others))
    key = _key(table, statement.target, blocks)
    if is_a(statement.node, ast.UpdateStmt):
        names = {item.name for item in statement.node.targetList}
        moved = names & set(key or ())
        if moved:
            raise Wrong(
                f"{', '.join(sorted(moved))} is what the batches walk along: changing it would make them meet rows "
                "twice or never"
            )
        plain = (
            not (parts.with_ or parts.from_ or statement.only)
            and statement.alias == _ROW
            and parts.where
            and not _names_alone(statement.node, key or ())
        )
        ends = _makes_itself_false(statement.node) if repeat is None else repeat
        if plain and ends:
            values = [_assignment(item) for item in split_at_commas(parts.assigned)]
            return backfill_rows(table, key, values, parts.where)
        if key is None:
            raise Wrong(f"walking along blocks needs UPDATE {statement.target} AS t SET … WHERE …, repeated")
        return _written(statement, table, key, parts, ends)
    if key is None:
        raise Wrong("a DELETE walks along a key")
    return _written(statement, table, key, parts, _same_at_any_time(statement) if repeat is None else repeat)


def statement_of(backfill: Backfill) -> dict[str, Any] | None:
    """The fields of the ``backfill_sql`` that a backfill of the planner is; None for another one."""
    match = _PLANNED.search(backfill.batch_sql)
    remaining = _REMAINING.fullmatch(backfill.remaining_sql)
    if match is None or remaining is None:
        return None
    fields: dict[str, Any] = {
        "op": "backfill_sql",
        "sql": f"UPDATE {match['name']} AS t SET {match['assigned']} WHERE {remaining['condition']}",
        "repeat": True,
    }
    if backfill.key == ("ctid",):
        fields["blocks"] = True
    if backfill.batch_rows != 1000:
        fields["batch_rows"] = backfill.batch_rows
    return fields


_REMAINING = re.compile(r"SELECT pg_catalog\.count\(\*\) FROM .+? AS t WHERE (?P<condition>.*)", re.S)
_PLANNED = re.compile(
    r"changed AS \(UPDATE (?P<name>.+?) AS t SET (?P<assigned>.*?)"
    r" (?:WHERE \(\$1::pg_catalog\.jsonb IS NULL OR \(|FROM (?:locked AS l|wesley_walk AS w) WHERE t\.)",
    re.S,
)


def _key(table: Table, name: QName, blocks: bool) -> tuple[str, ...] | None:
    if blocks:
        return None
    key = walking_key(table)
    if key is None:
        raise Wrong(
            f"{name} has no primary key and no unique key without NULLs: there is nothing to walk along; add one "
            "first, or say blocks"
        )
    return key


def _parts(text: str, *, has_others: bool) -> _Parts:
    tokens = tokens_of(text)
    outer = _at_depth_zero(tokens)
    places = dict.fromkeys(("WITH", "RECURSIVE", "UPDATE", "DELETE", "SET", "FROM", "USING", "WHERE"), -1)
    main = next(at for at in outer if tokens[at].word in ("UPDATE", "DELETE"))
    for at in outer:
        word = tokens[at].word
        if word in ("WITH", "RECURSIVE") and at < main and at < 2:
            places[word] = at
        elif word == "SET" and at > main and places["SET"] < 0:
            places["SET"] = at
        elif word == "WHERE" and at > main:
            places["WHERE"] = at
        elif word == "USING" and places["USING"] < 0 and tokens[main].word == "DELETE":
            places["USING"] = at
        elif word == "FROM" and has_others and places["SET"] >= 0 and tokens[at - 1].word != "DISTINCT":
            places["FROM"] = at if places["FROM"] < 0 and places["WHERE"] < 0 else places["FROM"]

    def between(start: int, *ends: int) -> str:
        later = [tokens[end].start for end in ends if end > start]
        return text[tokens[start].end : min(later, default=len(text))].strip()

    other = places["FROM"] if places["FROM"] >= 0 else places["USING"]
    opening = max(places["WITH"], places["RECURSIVE"])
    return _Parts(
        with_=between(opening, main) if places["WITH"] >= 0 else "",
        recursive=places["RECURSIVE"] >= 0,
        assigned=between(places["SET"], places["FROM"], places["WHERE"]) if places["SET"] >= 0 else "",
        from_=between(other, places["WHERE"]) if other >= 0 and has_others else "",
        where=between(places["WHERE"]) if places["WHERE"] >= 0 else "",
    )


def _at_depth_zero(tokens: Sequence[Token]) -> list[int]:
    depth, found = 0, []
    for at, token in enumerate(tokens):
        if token.text in "([":
            depth += 1
        elif token.text in ")]":
            depth -= 1
        elif depth == 0:
            found.append(at)
    return found


def _assignment(text: str) -> tuple[str, str]:
    tokens = tokens_of(text)
    if tokens[1].text != "=":
        raise Wrong("column = expression is expected here")
    name = tokens[0].text
    plain = name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
    return plain, text[tokens[1].end :].strip()


def _walk_of(table: Table, name: QName, key: Sequence[str], only: str = "") -> tuple[str, str]:
    """The CTE ``wesley_visited``, and the SELECT that ends a batch."""
    types = {item.name: item.type for item in table.columns}
    names = [quote_ident(item) for item in key]
    own = ", ".join(f"w.{item}" for item in names)
    renamed = ", ".join(f"w.{item} AS {_KEY}{place}" for place, item in enumerate(names))
    last = ", ".join(f"($1::pg_catalog.jsonb ->> {place})::{types[item]}" for place, item in enumerate(key))
    visited = (
        f"wesley_visited AS MATERIALIZED (SELECT {renamed} FROM {only}{qualified(name)} AS w "
        f"WHERE $1::pg_catalog.jsonb IS NULL OR ({own}) > ({last}) ORDER BY {own} LIMIT $2)"
    )
    as_text = ", ".join(f"v.{_KEY}{place}::pg_catalog.text" for place in range(len(names)))
    backwards = ", ".join(f"v.{_KEY}{place} DESC" for place in range(len(names)))
    answer = (
        f"SELECT (SELECT pg_catalog.jsonb_build_array({as_text}) FROM wesley_visited AS v ORDER BY {backwards} "
        "LIMIT 1) AS last_key, (SELECT pg_catalog.count(*) FROM wesley_visited) AS visited, "
        "(SELECT pg_catalog.count(*) FROM wesley_changed) AS changed"
    )
    return visited, answer


def _written(statement: Statement, table: Table, key: Sequence[str], parts: _Parts, repeat: bool) -> Backfill:
    """UPDATE and DELETE: the rows of the batch are locked in key order, then written."""
    only = "ONLY " if statement.only else ""
    name = f"{only}{qualified(statement.target)} AS {quote_ident(statement.alias)}"
    row = quote_ident(statement.alias)
    names = [quote_ident(item) for item in key]
    own = ", ".join(f"{row}.{item}" for item in names)
    renamed = ", ".join(f"{row}.{item} AS {_KEY}{place}" for place, item in enumerate(names))
    as_visited = " AND ".join(f"{row}.{item} = wesley_v.{_KEY}{place}" for place, item in enumerate(names))
    as_locked = " AND ".join(f"{row}.{item} = wesley_l.{_KEY}{place}" for place, item in enumerate(names))
    condition = f"({parts.where})" if parts.where else "true"
    meets = f"EXISTS (SELECT 1 FROM {parts.from_} WHERE {condition})" if parts.from_ else condition
    visited, answer = _walk_of(table, statement.target, key, only)
    update = is_a(statement.node, ast.UpdateStmt)
    strength = "NO KEY UPDATE" if update else "UPDATE"
    others = f", {parts.from_}" if parts.from_ else ""
    joined = f"wesley_locked AS wesley_l{others} WHERE {as_locked} AND {condition} RETURNING 1"
    write = f"UPDATE {name} SET {parts.assigned} FROM {joined}" if update else f"DELETE FROM {name} USING {joined}"
    with_ = f"WITH {'RECURSIVE ' if parts.recursive else ''}" + (f"{parts.with_}, " if parts.with_ else "")
    batch = (
        f"{with_}{visited}, "
        f"wesley_locked AS MATERIALIZED (SELECT {renamed} FROM {name} JOIN wesley_visited AS wesley_v ON {as_visited} "
        f"WHERE {meets} ORDER BY {own} FOR {strength} OF {row}), "
        f"wesley_changed AS ({write}) {answer}"
    )
    rest = with_.removesuffix(", ") + " " if parts.with_ else ""
    remaining = f"{rest}SELECT pg_catalog.count(*) FROM {name} WHERE {meets}" if repeat else "SELECT 0::pg_catalog.int8"
    return Backfill(str(statement.target), tuple(key), batch, remaining)


def _insert(statement: Statement, context: EffectContext) -> Backfill:
    query = statement.node.selectStmt
    first = query.fromClause[0]
    while is_a(first, ast.JoinExpr):
        if first.jointype not in (JoinType.JOIN_INNER, JoinType.JOIN_LEFT):
            raise Wrong("RIGHT and FULL JOIN show rows that no batch visits: write it as a LEFT JOIN")
        first = first.larg
    ctes = {item.ctename for with_ in (statement.node.withClause, query.withClause) if with_ for item in with_.ctes}
    if not is_a(first, ast.RangeVar) or (first.schemaname is None and first.relname in ctes):
        raise Wrong("the first thing after FROM must be a table: the batches walk along its key")
    if any(is_a(item.val, ast.FuncCall) and _aggregates(item.val) for item in query.targetList):
        raise Wrong("an aggregate needs all rows at once, batches never see them: put it into a view")
    source = QName(first.schemaname or "public", first.relname)
    table = context.whole_table(source)
    if table is None or source not in (context.catalog or Catalog()).tables:
        raise Wrong(f"{source} is no table: the batches walk along the key of a table", offset=first.location)
    key = _key(table, source, False)
    assert key is not None
    row = quote_ident(first.alias.aliasname if first.alias is not None else first.relname)
    own = ", ".join(f"{row}.{quote_ident(item)}" for item in key)
    columns = ", ".join(f"wesley_v.{_KEY}{place}" for place in range(len(key)))
    within = f"({own}) IN (SELECT {columns} FROM wesley_visited AS wesley_v)"
    visited, answer = _walk_of(table, source, key)
    text = _narrowed(statement.text, within)
    with_ = f"WITH {visited}, wesley_changed AS ({text} RETURNING 1) {answer}"
    return Backfill(str(statement.target), tuple(key), with_, "SELECT 0::pg_catalog.int8")


def _aggregates(call: Any) -> bool:
    return call.funcname[-1].sval in _AGGREGATES and call.over is None


_AGGREGATES = frozenset((
    "count", "sum", "avg", "min", "max", "array_agg", "string_agg", "json_agg", "jsonb_agg", "bool_and", "bool_or",
    "every", "bit_and", "bit_or",
))  # fmt: skip


def _narrowed(text: str, condition: str) -> str:
    """The INSERT with one more condition for its SELECT."""
    tokens = tokens_of(text)
    outer = _at_depth_zero(tokens)
    select = max(at for at in outer if tokens[at].word == "SELECT")
    where = next((at for at in outer if at > select and tokens[at].word == "WHERE"), None)
    conflict = next(
        (at for at in outer if at > select and tokens[at].word == "ON" and tokens[at + 1].word == "CONFLICT"), None
    )
    if where is not None and conflict is not None and where > conflict:
        where = None
    end = tokens[conflict].start if conflict is not None else len(text)
    if where is None:
        return f"{text[:end].rstrip()} WHERE {condition} {text[end:]}".rstrip()
    own = text[tokens[where].end : end].strip()
    return f"{text[: tokens[where].end]} ({own}) AND {condition} {text[end:]}".rstrip()


def _makes_itself_false(node: Any) -> bool:
    """Whether no row that was written meets the condition any more: it says that a column is NULL which gets a value
    that is none, or that it differs from what it gets."""
    if node.whereClause is None or node.fromClause:
        return False
    values = {item.name: item.val for item in node.targetList}
    where = node.whereClause
    terms = where.args if is_a(where, ast.BoolExpr) and where.boolop == BoolExprType.AND_EXPR else (where,)
    for term in terms:
        if is_a(term, ast.NullTest) and term.nulltesttype.name == "IS_NULL":
            value = values.get(_column(term.arg))
            if value is not None and not _may_be_null(value):
                return True
        if is_a(term, ast.A_Expr) and term.kind == A_Expr_Kind.AEXPR_DISTINCT:
            value = values.get(_column(term.lexpr))
            if value is not None and _plain(value) == _plain(term.rexpr):
                return True
    return False


def _plain(node: Any) -> str:
    return re.sub(r" location=\d+", "", repr(node))


def _names_alone(node: Any, columns: Collection[str]) -> bool:
    """Whether one of ``columns`` is named without its table."""

    def walk(value: Any) -> Iterator[Any]:
        if isinstance(value, tuple):
            for item in value:
                yield from walk(item)
        elif is_a(value, ast.Node):
            yield value
            for name in value:
                yield from walk(getattr(value, name))

    return any(is_a(item, ast.ColumnRef) and len(item.fields) == 1 and _column(item) in columns for item in walk(node))


def _column(node: Any) -> str:
    if is_a(node, ast.ColumnRef) and is_a(node.fields[-1], ast.String):
        return str(node.fields[-1].sval)
    return ""


_NEVER_NULL = frozenset(("gen_random_uuid", "now", "clock_timestamp", "random", "uuidv4", "uuidv7", "concat"))


def _may_be_null(value: Any) -> bool:
    """False only for what is plainly never NULL: a constant, a function that always answers, COALESCE with one."""
    if is_a(value, ast.A_Const):
        return bool(value.isnull)
    if is_a(value, ast.TypeCast):
        return _may_be_null(value.arg)
    if is_a(value, ast.FuncCall):
        return value.funcname[-1].sval not in _NEVER_NULL
    if is_a(value, ast.CoalesceExpr):
        return all(_may_be_null(item) for item in value.args)
    return not is_a(value, ast.SQLValueFunction)


def _same_at_any_time(statement: Statement) -> bool:
    """Whether a DELETE may look again for rows until none is left: not when its condition moves with the clock."""
    return not re.search(r"\b(now|current_\w+|local\w+|\w*_?timestamp|random)\b", statement.text, re.I)
