"""What ``backfill_sql`` takes: exactly one UPDATE, INSERT … SELECT or DELETE, and nothing that reaches beyond its rows.

A backfill runs again and again, unattended, with the rights of the one who migrates. So it is an allow-list: the
statement, every part of its tree, every relation and every function must be known to be harmless. Whatever is refused
is refused with its place in the text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from pglast import ast, parse_sql
from pglast.parser import ParseError, scan

from wesley_tui.catalog.model import Catalog, QName, SqlObject
from wesley_tui.dsl.kinds import is_a
from wesley_tui.dsl.spelling import spelled
from wesley_tui.dsl.template import Wrong
from wesley_tui.dsl.tokens import tokens_of

__all__ = ["Allowed", "Statement", "check_harmless", "harmless_functions", "read_backfill"]

_MAX_CHARACTERS = 100_000
_SYSTEM = frozenset(("pg_catalog", "information_schema", "pg_toast", "pg_temp", "wesley"))
_NEW_VALUES = frozenset((
    "random", "random_normal", "gen_random_uuid", "uuidv4", "uuidv7", "clock_timestamp", "timeofday", "array_shuffle",
    "array_sample", "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4",
))  # fmt: skip
"""Volatile, because every call gives another value, and harmless all the same."""

_WRITES = (ast.UpdateStmt, ast.InsertStmt, ast.DeleteStmt)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the policy lets a backfill touch."""

    functions: frozenset[str] = frozenset()
    """Functions with side effects, or that nobody knows, that may be called all the same: ``nextval``,
    ``public.score``."""
    table: Callable[[QName], bool] = lambda _name: True
    """Whether a table may be written."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that may run."""

    text: str
    """Without a semicolon at its end."""
    node: Any
    """UpdateStmt, InsertStmt or DeleteStmt."""
    target: QName
    alias: str
    """By what the statement calls its target."""
    only: bool


@lru_cache(maxsize=1)
def harmless_functions() -> frozenset[str]:
    """Functions of PostgreSQL that are immutable or stable on every supported version and tell nothing about other
    sessions, and those of :data:`_NEW_VALUES`. A test asks the servers."""
    return frozenset(files(__package__).joinpath("functions.txt").read_text().split()) | _NEW_VALUES


def read_backfill(text: str, catalog: Catalog | None, allowed: Allowed | None = None) -> Statement:
    """The statement in ``text``; without a catalog only the text is judged.

    Raises :class:`Wrong` with the offset of what is refused.
    """
    allowed = allowed or Allowed()
    if len(text) > _MAX_CHARACTERS:
        raise Wrong(f"the statement has {len(text):,} characters, a backfill at most {_MAX_CHARACTERS:,}")
    if "\x00" in text:
        raise Wrong("a NUL character: PostgreSQL has none", offset=text.index("\x00"))
    _refuse_hidden(text)
    node, text = _one_statement(text)
    target = _target(node)
    _refuse_parts(node, allowed, catalog)
    _refuse_clauses(text)
    name = QName(target.schemaname or "public", target.relname)
    _refuse_table(name, target.location, catalog, allowed)
    if is_a(node, ast.InsertStmt):
        _check_insert(node, text)
    elif is_a(node, ast.UpdateStmt):
        _check_update(node)
    alias = target.alias.aliasname if target.alias is not None else target.relname
    return Statement(text, node, name, alias, only=not target.inh)


def _refuse_hidden(text: str) -> None:
    """What a reader would not see, or psql would obey."""
    try:
        tokens = scan(text)
    except (ParseError, ValueError) as error:
        place = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], int) else 0
        raise Wrong(f"{error.args[0]}", offset=min(place, len(text))) from None
    for token in tokens:
        if token.name in ("SQL_COMMENT", "C_COMMENT"):
            raise Wrong(
                "a comment can hide what a reader takes for part of the statement: say it in note", offset=token.start
            )
        if text[token.start] == "\\":
            raise Wrong("a psql meta-command: a backfill is SQL, and psql never sees it", offset=token.start)
        if token.name == "Op" and "`" in text[token.start : token.end + 1]:
            raise Wrong("a backtick: that is the shell's, or psql's, and no SQL", offset=text.index("`", token.start))
        if token.name == "PARAM":
            raise Wrong("a parameter: the batches bring their own, write the value", offset=token.start)


def _one_statement(text: str) -> tuple[Any, str]:
    try:
        parsed: Any = parse_sql(text)
    except ParseError as error:
        place = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], int) else len(text)
        raise Wrong(f"{error.args[0]}", offset=min(place, len(text))) from None
    except (RecursionError, UnicodeError, ValueError) as error:
        raise Wrong(f"this cannot be read: {error}") from None
    if not parsed:
        raise Wrong("one UPDATE, INSERT … SELECT or DELETE is expected here, this is empty")
    first = parsed[0]
    start = first.stmt_location + len(text[first.stmt_location :]) - len(text[first.stmt_location :].lstrip())
    if not is_a(first.stmt, *_WRITES):
        raise Wrong(f"{_called(first.stmt)} is no backfill: write one UPDATE, INSERT … SELECT or DELETE", offset=start)
    if len(parsed) > 1:
        place = parsed[1].stmt_location
        place += len(text[place:]) - len(text[place:].lstrip())
        raise Wrong("a second statement: a backfill is exactly one; make the other a step of its own", offset=place)
    end = first.stmt_location + first.stmt_len if first.stmt_len else len(text)
    return first.stmt, text[:end].strip() if not text[end:].strip(" \t\r\n;") else text


def _called(node: Any) -> str:
    names = {
        "SelectStmt": "SELECT", "CopyStmt": "COPY", "DoStmt": "DO", "MergeStmt": "MERGE", "TruncateStmt": "TRUNCATE",
        "DropStmt": "DROP", "CallStmt": "CALL", "VariableSetStmt": "SET", "TransactionStmt": "a transaction command",
        "ExecuteStmt": "EXECUTE", "PrepareStmt": "PREPARE", "ExplainStmt": "EXPLAIN", "LockStmt": "LOCK",
        "VacuumStmt": "VACUUM or ANALYZE", "GrantStmt": "GRANT or REVOKE", "AlterTableStmt": "ALTER TABLE",
        "CreateTableAsStmt": "CREATE TABLE AS", "NotifyStmt": "NOTIFY", "ListenStmt": "LISTEN",
    }  # fmt: skip
    return names.get(type(node).__name__, type(node).__name__.removesuffix("Stmt").upper())


def _target(node: Any) -> Any:
    relation = node.relation
    if relation.catalogname:
        raise Wrong("a backfill writes in its own database", offset=relation.location)
    return relation


def _refuse_clauses(text: str) -> None:
    """Clauses that the tree has no place of: keywords that are reserved, so that nothing else can be meant."""
    tokens = [item for item in scan(text) if item.kind != "NO_KEYWORD"]
    words = [text[item.start : item.end + 1].upper() for item in tokens]
    for at, word in enumerate(words):
        if word == "RETURNING":
            raise Wrong("RETURNING has nobody to return to: take it out", offset=tokens[at].start)
        if word == "FOR" and words[at + 1 : at + 2] and words[at + 1] in ("UPDATE", "SHARE", "NO", "KEY"):
            raise Wrong(
                "FOR UPDATE and its like: the batches lock what they write, and nothing else", offset=tokens[at].start
            )


def _walk(node: Any) -> Iterator[Any]:
    """Every node, depth first."""
    if isinstance(node, tuple):
        for item in node:
            yield from _walk(item)
    elif isinstance(node, ast.Node):
        yield node
        for name in node:
            value = getattr(node, name)
            if isinstance(value, (ast.Node, tuple)):
                yield from _walk(value)


_REFUSED: dict[type[Any], str] = {
    ast.MergeStmt: "MERGE writes as it finds: write an UPDATE or an INSERT … SELECT",
    ast.CurrentOfExpr: "WHERE CURRENT OF: there is no cursor",
    ast.IntoClause: "SELECT INTO makes a table: make it in a step of its own",
    ast.ParamRef: "a parameter: the batches bring their own, write the value",
}


def _refuse_parts(statement: Any, allowed: Allowed, catalog: Catalog | None) -> None:
    common = {cte.ctename for cte in _walk(statement) if is_a(cte, ast.CommonTableExpr)}
    for node in _walk(statement):
        place = getattr(node, "location", None)
        offset = place if isinstance(place, int) and place >= 0 else 0
        if type(node) in _REFUSED:
            raise Wrong(_REFUSED[type(node)], offset=offset)
        if node is not statement and is_a(node, *_WRITES):
            raise Wrong(
                f"a {_called(node)} inside of the statement writes elsewhere: make it a step of its own",
                offset=node.relation.location,
            )
        if is_a(node, ast.FuncCall):
            _refuse_function(node, offset, allowed, catalog)
        if is_a(node, ast.RangeVar):
            _refuse_relation(node, common, catalog)
            _refuse_calls_in_view(node, max(node.location, 0), allowed, catalog)
        if is_a(node, ast.A_Expr) and node.name is not None and len(node.name) > 1:
            schema = node.name[0].sval
            if schema != "pg_catalog":
                raise Wrong(f"an operator of schema {schema}: nobody knows what it does", offset=offset)
        if is_a(node, ast.A_Expr) and node.name is not None:
            _refuse_own_operator(node.name[-1].sval, offset, catalog)
        if is_a(node, ast.ColumnRef, ast.A_Indirection):
            _refuse_calls_by_dot(node, allowed, catalog)


def _refuse_own_operator(name: str, offset: int, catalog: Catalog | None) -> None:
    """An operator is a call of its function."""
    for item in catalog.objects.values() if catalog is not None else ():
        if item.kind == "operator" and item.name.name == name:
            behind = re.search(r"(?:FUNCTION|PROCEDURE) = ([^,)]+)", item.statements[0])
            schema, _, function = (behind[1].replace('"', "") if behind else "").rpartition(".")
            own = _own_functions(schema or None, function, catalog)
            if not own or not all(_is_quiet(found) for found in own):
                raise Wrong(f"the operator {name} calls a function that may write, wait or call out", offset=offset)


def _refuse_calls_by_dot(node: Any, allowed: Allowed, catalog: Catalog | None, *, strict: bool = False) -> None:
    """For PostgreSQL ``(x).name`` is the call ``name(x)`` when x has no such field, whatever the type of x. ``strict``:
    nobody knows the fields."""
    if is_a(node, ast.ColumnRef):
        names = [item.sval for item in node.fields[1:] if is_a(item, ast.String)]
    else:
        names = [item.sval for item in node.indirection if is_a(item, ast.String)]
    places = (getattr(item, "location", None) for item in _walk(node))
    offset = next((place for place in places if isinstance(place, int) and place >= 0), 0)
    for name in names:
        if name in allowed.functions or f"public.{name}" in allowed.functions:
            continue
        loud = any(not _is_quiet(item) for item in _own_functions(None, name, catalog))
        # A whole row is no argument of PostgreSQL's own functions that do harm.
        unknown = is_a(node, ast.A_Indirection) and name not in harmless_functions()
        if (loud or (unknown and (catalog is not None or strict))) and not _is_field(name, catalog):
            raise Wrong(
                f".{name} is no field: PostgreSQL calls the function {name}, which may write, wait or call out",
                offset=offset,
            )


def _is_field(name: str, catalog: Catalog | None) -> bool:
    """Of a table or of a composite type."""
    if catalog is None:
        return False
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    return any(table.column(name) is not None for table in catalog.tables.values()) or any(
        item.kind == "composite type" and word.search(item.statements[0]) for item in catalog.objects.values()
    )


def check_harmless(query: str) -> None:
    """Raise :class:`Wrong` when a query writes, locks rows, or calls what has side effects: a check only looks."""
    _refuse_hidden(query)
    parsed: Any = parse_sql(query)
    for node in _walk(parsed[0].stmt):
        if is_a(node, *_WRITES, ast.MergeStmt, ast.LockingClause, ast.IntoClause):
            raise Wrong("a check only looks: it neither writes nor locks")
        if is_a(node, ast.FuncCall):
            _refuse_function(node, max(node.location, 0), Allowed(), None)
        if is_a(node, ast.A_Indirection):
            _refuse_calls_by_dot(node, Allowed(), None, strict=True)


def _refuse_function(node: Any, offset: int, allowed: Allowed, catalog: Catalog | None) -> None:
    parts = [part.sval for part in node.funcname]
    name = parts[-1]
    schema = parts[-2] if len(parts) > 1 else None
    written = ".".join(parts)
    if written in allowed.functions or (schema is None and f"public.{name}" in allowed.functions):
        return
    if schema == "pg_catalog" and name in allowed.functions:
        return
    own = _own_functions(schema, name, catalog)
    built_in = schema in (None, "pg_catalog") and name in harmless_functions()
    if own and all(_is_quiet(item) for item in own) and (schema not in (None, "pg_catalog") or built_in):
        return
    if own and schema is None and not built_in and all(_is_quiet(item) for item in own):
        return
    if not own and built_in:
        return
    if own:
        reason = "it is volatile: it may write, wait or call out"
    elif schema in (None, "pg_catalog"):
        reason = "it has side effects, or nobody knows what it does"
    else:
        reason = "nobody knows what it does"
    raise Wrong(f"the function {written} is refused: {reason}; a policy can allow it (allow_functions)", offset=offset)


def _own_functions(schema: str | None, name: str, catalog: Catalog | None) -> list[SqlObject]:
    """Functions of the database that the call may mean."""
    if catalog is None or schema == "pg_catalog":
        return []
    return [
        item for item in catalog.objects.values()
        if item.kind in ("function", "aggregate", "procedure") and item.name == QName(schema or "public", name)
    ]  # fmt: skip


@lru_cache(maxsize=1024)
def _volatility(definition: str) -> str:
    try:
        node = parse_sql(definition)[0].stmt
    except (ParseError, ValueError):
        return "volatile"
    for option in getattr(node, "options", None) or ():
        if option.defname == "volatility":
            return str(option.arg.sval)
    return "volatile"


def _is_quiet(item: SqlObject) -> bool:
    """Declared immutable or stable: PostgreSQL lets such a function write nothing."""
    return item.kind == "function" and _volatility(item.statements[0]) in ("immutable", "stable")


def _refuse_relation(node: Any, common: Collection[str], catalog: Catalog | None) -> None:
    if node.schemaname is None and node.relname in common:
        return
    if node.catalogname:
        raise Wrong("a backfill reads in its own database", offset=node.location)
    schema = node.schemaname or "public"
    if _is_system(schema) or (node.schemaname is None and node.relname.startswith("pg_")):
        raise Wrong(f"{schema}.{node.relname} belongs to the system, not to the application", offset=node.location)
    if catalog is None:
        return
    name = QName(schema, node.relname)
    kinds = ("view", "materialized view")
    known = name in catalog.tables or any(item.name == name for item in catalog.objects.values() if item.kind in kinds)
    if not known:
        near = difflib.get_close_matches(str(name), map(str, catalog.tables), 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise Wrong(f"there is no table {spelled(name)}{hint}", offset=node.location)


def _refuse_calls_in_view(
    node: Any, place: int, allowed: Allowed, catalog: Catalog | None, seen: Collection[QName] = ()
) -> None:
    """What a view calls, the statement calls that reads it; what a materialized view has called is over."""
    wanted = QName(node.schemaname or "public", node.relname)
    for item in catalog.objects.values() if catalog is not None else ():
        if item.kind == "view" and item.name == wanted and wanted not in seen:
            for part in _walk(parse_sql(item.statements[0])[0].stmt):
                if is_a(part, ast.FuncCall):
                    _refuse_function(part, place, allowed, catalog)
                elif is_a(part, ast.RangeVar):
                    _refuse_calls_in_view(part, place, allowed, catalog, (*seen, wanted))


def _is_system(schema: str) -> bool:
    return schema in _SYSTEM or schema.startswith(("pg_toast", "pg_temp_"))


def _refuse_table(name: QName, offset: int, catalog: Catalog | None, allowed: Allowed) -> None:
    if name.schema == "wesley_retired":
        raise Wrong(f"{name} is retired: nothing is written there", offset=offset)
    if catalog is not None and name not in catalog.tables:
        raise Wrong(f"{name} is a view: write the table under it", offset=offset)
    if not allowed.table(name):
        raise Wrong(f"{name} is not among the tables that the policy allows (allow_tables, deny_tables)", offset=offset)


def _check_update(node: Any) -> None:
    for item in node.targetList:
        if is_a(item.val, ast.MultiAssignRef):
            raise Wrong("(a, b) = (…): assign each column by itself", offset=item.location)
        if item.indirection:
            raise Wrong("a part of a column is assigned: assign the whole column", offset=item.location)


_NOT_IN_BATCHES = {
    "groupClause": "GROUP BY", "havingClause": "HAVING", "distinctClause": "DISTINCT", "limitCount": "LIMIT",
    "limitOffset": "OFFSET", "sortClause": "ORDER BY", "windowClause": "WINDOW", "larg": "UNION and its like",
    "valuesLists": "VALUES",
}  # fmt: skip


def _place_of(word: str, text: str) -> int:
    """Where a keyword stands outside of all parentheses."""
    depth = 0
    for token in tokens_of(text):
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.word == word:
            return token.start
    return 0


def _check_insert(node: Any, text: str) -> None:
    query = node.selectStmt
    if not is_a(query, ast.SelectStmt) or query.valuesLists:
        raise Wrong("an INSERT of single rows is no backfill: write INSERT … SELECT", offset=node.relation.location)
    for field, word in _NOT_IN_BATCHES.items():
        found = getattr(query, field)
        if found:
            offset = _place_of(word.split()[0], text)
            raise Wrong(f"{word} needs all rows at once, batches never see them: put it into a view", offset=offset)
    if not query.fromClause:
        raise Wrong("the SELECT reads no table: there is nothing to walk along", offset=node.relation.location)
