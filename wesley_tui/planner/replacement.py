"""In place, or taken down and put up again: how one definition of an object becomes another.

PostgreSQL lets some definitions be changed under those who use them: CREATE OR REPLACE for routines that are called as
before and for views that only get columns more, ALTER for sequences, domains and composite types. The answers here are
on the safe side: whatever cannot be shown to work in place is taken down and put up again, in one transaction.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

from pglast.enums import ConstrType
from pglast.parser import ParseError, parse_sql_json
from pglast.stream import RawStream

from wesley_tui.catalog.model import SqlObject
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal
from wesley_tui.planner.parse import parse_statement

__all__ = ["in_place"]

_Node = dict[str, Any]


def in_place(old: SqlObject, new: SqlObject, major: int) -> tuple[str, ...] | None:
    """The statements that turn ``old`` into ``new`` while everybody goes on using it; None when there are none."""
    first, second = _parsed(old.statements[0]), _parsed(new.statements[0])
    if first is None or second is None:
        return None
    match new.kind:
        case "function" | "procedure" if len(new.statements) == len(old.statements):
            return _routine(new, first, second)
        case "view" if len(new.statements) == len(old.statements) == 1:
            return _view(old, new, first, second)
        case "sequence" if len(new.statements) == len(old.statements) == 1:
            return _sequence(new, first, second)
        case "domain" if len(new.statements) == len(old.statements) == 1:
            return _domain(new, first, second)
        case "composite type" if len(new.statements) == len(old.statements) == 1:
            return _composite(new, first, second)
        case "extension":
            return _extension(new, first, second)
        case "trigger" if len(new.statements) == 1 and major >= 14:
            return _or_replace(new.statements, "TRIGGER") if not second["CreateTrigStmt"].get("isconstraint") else None
        case _:
            return None


@lru_cache(maxsize=4096)
def _parsed(statement: str) -> _Node | None:
    try:
        stmts = json.loads(parse_sql_json(statement))["stmts"]
    except (ParseError, KeyError):
        return None
    return _plain(stmts[0]["stmt"]) if len(stmts) == 1 else None


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items() if key not in ("location", "stmt_len")}
    return [_plain(item) for item in node] if isinstance(node, list) else node


def _or_replace(statements: tuple[str, ...], word: str) -> tuple[str, ...] | None:
    text, count = re.subn(
        rf"^\s*CREATE\s+(?!OR\s)((?:RECURSIVE\s+)?{word})\b",
        r"CREATE OR REPLACE \1",
        statements[0],
        count=1,
        flags=re.I,
    )
    if not count and not re.match(r"\s*CREATE\s+OR\s+REPLACE\b", statements[0], re.I):
        return None
    return (text, *statements[1:])


def _routine(new: SqlObject, first: _Node, second: _Node) -> tuple[str, ...] | None:
    """The same result, the same names of parameters, and no default less: ``ProcedureCreate()`` refuses all else."""
    before, after = first.get("CreateFunctionStmt"), second.get("CreateFunctionStmt")
    if before is None or after is None or before.get("returnType") != after.get("returnType"):
        return None
    old_parameters = [item["FunctionParameter"] for item in before.get("parameters", ())]
    new_parameters = [item["FunctionParameter"] for item in after.get("parameters", ())]
    if len(old_parameters) != len(new_parameters):
        return None
    for old, now in zip(old_parameters, new_parameters, strict=True):
        if (old.get("argType"), _mode(old)) != (now.get("argType"), _mode(now)):
            return None
        if old.get("name") not in (None, now.get("name")) or ("defexpr" in old and "defexpr" not in now):
            return None
    return _or_replace(new.statements, "(?:FUNCTION|PROCEDURE)")


def _mode(parameter: _Node) -> str:
    mode = str(parameter.get("mode", "FUNC_PARAM_DEFAULT"))
    return "FUNC_PARAM_IN" if mode == "FUNC_PARAM_DEFAULT" else mode


def _view(old: SqlObject, new: SqlObject, first: _Node, second: _Node) -> tuple[str, ...] | None:
    """Columns can only be appended, and keep their types, which are known to be the same when their expressions are and
    when these read the same relations. Their names change by ALTER VIEW."""
    before, after = first.get("ViewStmt"), second.get("ViewStmt")
    if before is None or after is None:
        return None
    old_query, new_query = before["query"].get("SelectStmt", {}), after["query"].get("SelectStmt", {})
    if any(key in query for query in (old_query, new_query) for key in ("withClause", "larg", "valuesLists")):
        return None
    if old_query.get("fromClause") != new_query.get("fromClause") or before.get("aliases") != after.get("aliases"):
        return None
    old_targets, new_targets = old_query.get("targetList", []), new_query.get("targetList", [])
    if '"A_Star"' in json.dumps(new_targets) or len(new_targets) < len(old_targets):
        return None
    if [_value(item) for item in old_targets] != [_value(item) for item in new_targets[: len(old_targets)]]:
        return None
    renamed = _other_names(old, new, old_targets, new_targets) if "aliases" not in before else []
    if renamed is None:
        return None
    replaced = _or_replace(new.statements, "VIEW")
    if replaced is None:
        return None
    renames = (
        f"ALTER VIEW {qualified(new.name)} RENAME COLUMN {quote_ident(was)} TO {quote_ident(now)}"
        for was, now in renamed
    )
    return (*renames, *replaced)


def _value(target: _Node) -> _Node:
    return {key: value for key, value in target["ResTarget"].items() if key != "name"}


def _other_names(
    old: SqlObject, new: SqlObject, old_targets: list[_Node], new_targets: list[_Node]
) -> list[tuple[str, str]] | None:
    """Output columns that only get another name; None when that cannot be told, or names are exchanged."""
    before: list[str | None] = list(old.columns) or [_output_name(item) for item in old_targets]
    after: list[str | None] = list(new.columns) or [_output_name(item) for item in new_targets]
    if None in before or None in after or len(before) != len(old_targets):
        return None if old_targets != new_targets[: len(old_targets)] else []
    pairs = [(str(was), str(now)) for was, now in zip(before, after, strict=False) if was != now]
    return None if {now for _, now in pairs} & set(before) else pairs


def _output_name(target: _Node) -> str | None:
    item = target["ResTarget"]
    if "name" in item:
        return str(item["name"])
    fields = item.get("val", {}).get("ColumnRef", {}).get("fields", [])
    return str(fields[-1]["String"]["sval"]) if fields and "String" in fields[-1] else None


def _options(node: _Node) -> dict[str, Any]:
    return {item["DefElem"]["defname"]: item["DefElem"].get("arg") for item in node.get("options", ())}


_SEQUENCE_DEFAULTS = {
    "increment": "INCREMENT BY 1",
    "minvalue": "NO MINVALUE",
    "maxvalue": "NO MAXVALUE",
    "cache": "CACHE 1",
    "cycle": "NO CYCLE",
}


def _sequence(new: SqlObject, first: _Node, second: _Node) -> tuple[str, ...] | None:
    """ALTER SEQUENCE with every option said, so that none stays behind; where it has got to is left alone."""
    before, after = first.get("CreateSeqStmt"), second.get("CreateSeqStmt")
    if before is None or after is None:
        return None
    if before["sequence"].get("relpersistence") != after["sequence"].get("relpersistence"):
        return None
    options = _options(after)
    words = []
    kind = options.get("as")
    name = kind["TypeName"]["names"][-1]["String"]["sval"] if kind else "int8"
    words.append(f"AS {({'int2': 'smallint', 'int4': 'integer'}).get(name, 'bigint')}")
    for option, default in _SEQUENCE_DEFAULTS.items():
        value = options.get(option)
        if option == "cycle":
            words.append("CYCLE" if value is not None and value.get("Boolean", {}).get("boolval") else default)
        elif value is None:
            words.append(default)
        else:
            words.append(f"{default.removeprefix('NO ').split()[0]} {_number(value)}")
    descending = int(_number(options["increment"])) < 0 if options.get("increment") else False
    start = options.get("start") or options.get("maxvalue" if descending else "minvalue")
    words.append(f"START WITH {_number(start)}" if start else f"START WITH {-1 if descending else 1}")
    was = _options(before).get("increment")
    if (int(_number(was)) < 0 if was else False) != descending:
        words.append("RESTART")  # where it has got to lies outside of the range that it goes through now
    return (f"ALTER SEQUENCE {qualified(new.name)} {' '.join(words)}",)


def _number(node: _Node) -> str:
    if "Float" in node:
        return str(node["Float"]["fval"])
    return str(node["Integer"].get("ival", 0))


def _domain(new: SqlObject, first: _Node, second: _Node) -> tuple[str, ...] | None:
    """A new check is added NOT VALID and proven after it, as on a table."""
    before, after = first.get("CreateDomainStmt"), second.get("CreateDomainStmt")
    if before is None or after is None:
        return None
    if (before["typeName"], before.get("collClause")) != (after["typeName"], after.get("collClause")):
        return None
    target = f"ALTER DOMAIN {qualified(new.name)}"
    old, now = _domain_rules(before), _domain_rules(after)
    texts = _domain_texts(new.statements[0])
    statements = []
    for rule, node in old.items():
        if now.get(rule) == node or (rule in now and rule == "default"):
            continue
        if rule in ("default", "not null"):
            statements.append(f"{target} DROP {rule.upper()}")
        else:
            statements.append(f"{target} DROP CONSTRAINT {quote_ident(rule.removeprefix('check '))}")
    for rule, node in now.items():
        if old.get(rule) == node:
            continue
        if rule == "not null":
            statements.append(f"{target} SET NOT NULL")
        elif rule == "default":
            statements.append(f"{target} SET DEFAULT {texts[rule]}")
        elif rule == "check ":
            return None
        else:
            constraint = quote_ident(rule.removeprefix("check "))
            statements.append(f"{target} ADD CONSTRAINT {constraint} CHECK ({texts[rule]}) NOT VALID")
            statements.append(f"{target} VALIDATE CONSTRAINT {constraint}")
    return tuple(statements)


def _domain_rules(node: _Node) -> dict[str, _Node]:
    """By what ALTER DOMAIN calls them: ``default``, ``not null``, ``check name``."""
    found = {}
    for item in node.get("constraints", ()):
        constraint = item["Constraint"]
        kind = constraint["contype"].removeprefix("CONSTR_").lower()
        rule = {"notnull": "not null", "check": f"check {constraint.get('conname', '')}"}.get(kind, kind)
        found[rule] = constraint
    return found


def _domain_texts(statement: str) -> dict[str, str]:
    found = {}
    for constraint in parse_statement(statement).constraints or ():
        if constraint.raw_expr is not None:
            default = constraint.contype == ConstrType.CONSTR_DEFAULT
            found["default" if default else f"check {constraint.conname or ''}"] = RawStream()(constraint.raw_expr)
    return found


def _composite(new: SqlObject, first: _Node, second: _Node) -> tuple[str, ...] | None:
    """Attributes can be dropped, and added at the end; whatever else would change those who hold such values."""
    before, after = first.get("CompositeTypeStmt"), second.get("CompositeTypeStmt")
    if before is None or after is None:
        return None
    old = {item["ColumnDef"]["colname"]: item["ColumnDef"] for item in before.get("coldeflist", ())}
    now = {item["ColumnDef"]["colname"]: item["ColumnDef"] for item in after.get("coldeflist", ())}
    kept = [name for name in old if name in now]
    if list(now)[: len(kept)] != kept or any(old[name] != now[name] for name in kept):
        return None
    target = f"ALTER TYPE {qualified(new.name)}"
    actions = [f"DROP ATTRIBUTE {quote_ident(name)}" for name in old if name not in now]
    for item in parse_statement(new.statements[0]).coldeflist or ():
        if item.colname not in old:
            collate = RawStream()(item.collClause) if item.collClause is not None else ""
            actions.append(f"ADD ATTRIBUTE {quote_ident(item.colname)} {RawStream()(item.typeName)} {collate}".rstrip())
    return tuple(f"{target} {action}" for action in actions)


def _extension(new: SqlObject, first: _Node, second: _Node) -> tuple[str, ...] | None:
    """Schema and version can be changed, as far as the extension allows."""
    before, after = first.get("CreateExtensionStmt"), second.get("CreateExtensionStmt")
    if before is None or after is None:
        return None
    old, now = _options(before), _options(after)
    target = f"ALTER EXTENSION {quote_ident(new.name.name)}"
    statements = []
    if now.get("schema") and now.get("schema") != old.get("schema"):
        statements.append(f"{target} SET SCHEMA {quote_ident(now['schema']['String']['sval'])}")
    if now.get("new_version") and now.get("new_version") != old.get("new_version"):
        statements.append(f"{target} UPDATE TO {quote_literal(now['new_version']['String']['sval'])}")
    return tuple(statements)
