"""SQL expression → a small tree of tuples in which spellings that mean the same look the same.

The tree is made from libpg_query's JSON (the grammar of PostgreSQL itself) by doing what PostgreSQL's parse analysis
does to an expression before it is stored, and what ``ruleutils.c`` does when it prints it again:
``IN (a, b)`` becomes ``= ANY (ARRAY[a, b])``, ``BETWEEN`` two comparisons, a list of ANDs one AND, ``LIKE`` the
operator ``~~``, a cast around a constant part of that constant, and so on. What only the server can know (types of
columns, which casts it adds) stays in the tree and is weighed by :mod:`wesley_tui.catalog.expression`.

Nodes are tuples whose first element is a tag:

========================================  =====================================================================
``("lit", kind, text, type)``             a constant; kind ``s``tring, ``n``umber, ``b``oolean; type or ``None``
``("null", type)``                        NULL
``("col", parts)``                        a column, with the relation it was qualified with
``("cast", node, type)``                  a cast of anything but a constant
``("and", nodes)``, ``("or", nodes)``     flattened
``("op", kind, schema, name, nodes)``     an operator; kind ``op``, ``any``, ``all``
``("func", schema, name, nodes, rest)``   a function call
``("array", nodes)``                      ``ARRAY[…]``, or an array constant
``("node", name, pairs)``                 any other node: field names with values
``("list", nodes)``, ``("atom", value)``  what fields hold
========================================  =====================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pglast.parser import ParseError, parse_sql_json

from wesley_tui.catalog.literals import NUMERIC_TYPES, array_elements, literal_value, number_text
from wesley_tui.catalog.types import TypeNameError, spell_type_node

__all__ = ["COMMON_SCHEMAS", "Node", "parse_expression", "read_tree", "typed_literal"]

Node = tuple[Any, ...]

COMMON_SCHEMAS = frozenset(("public", "extensions"))
"""Schemas that a ``search_path`` commonly holds: an unqualified name may stand for one there."""

_IGNORED_FIELDS = frozenset(
    (
        *("location", "stmt_len", "funcformat", "row_format", "list_start", "list_end"),
        *("rexpr_list_start", "rexpr_list_end", "relpersistence", "arg_location"),
    )
)
_SAME_VALUE_FUNCTIONS = {
    "SVFOP_CURRENT_ROLE": "SVFOP_CURRENT_USER",
    "SVFOP_USER": "SVFOP_CURRENT_USER",
}
_NOW = frozenset(("now", "transaction_timestamp"))
_INTEGER_TYPES = frozenset(("smallint", "integer", "bigint"))


@lru_cache(maxsize=16384)
def parse_expression(text: str) -> Node | None:
    """The tree of ``text``, ``None`` when PostgreSQL's grammar does not take it for one expression."""
    try:
        document = json.loads(parse_sql_json(f"SELECT ({text}\n)"))
        (statement,) = document["stmts"]
        select = statement["stmt"]["SelectStmt"]
        (target,) = select["targetList"]
        if select.keys() != {"targetList", "limitOption", "op"} or "name" in target["ResTarget"]:
            return None
        return _read(target["ResTarget"]["val"])
    except (ParseError, ValueError, KeyError, RecursionError):
        return None


def read_tree(node: Any) -> Node:
    """The tree of any part of libpg_query's JSON, a whole statement included.

    Raises ``RecursionError`` for one that is nested too deeply.
    """
    return _read(node)


def typed_literal(text: str, type_name: str) -> Node:
    """The node of the string constant ``text`` once its type is known."""
    if type_name in NUMERIC_TYPES and (number := number_text(text)) is not None:
        return "lit", "n", number, type_name
    if type_name == "boolean" and (value := literal_value(text, "boolean")) in ("true", "false"):
        return "lit", "b", value, None
    if type_name.endswith("[]") and (elements := array_elements(text)) is not None:
        return "array", tuple(typed_literal(element, type_name[:-2]) for element in elements)
    if type_name == "character varying":
        type_name = "text"
    return "lit", "s", literal_value(text, type_name), type_name


def _read(node: Any) -> Node:
    if isinstance(node, list):
        return "list", tuple(_read(item) for item in node)
    if not isinstance(node, dict):
        return "atom", node
    if len(node) == 1:
        ((tag, body),) = node.items()
        reader = _READERS.get(tag)
        if reader is not None:
            return reader(body)
        if isinstance(body, dict) and tag[:1].isupper():
            return "node", tag, _pairs(body)
    return "node", "", _pairs(node)


def _pairs(body: Mapping[str, Any]) -> tuple[tuple[str, Node], ...]:
    return tuple((name, _read(value)) for name, value in sorted(body.items()) if name not in _IGNORED_FIELDS)


def _read_all(nodes: Sequence[Any]) -> tuple[Node, ...]:
    return tuple(_read(node) for node in nodes)


def _constant(body: Mapping[str, Any]) -> Node:
    if body.get("isnull"):
        return "null", None
    if "ival" in body:
        return "lit", "n", str(body["ival"].get("ival", 0)), None
    if "fval" in body:
        text = body["fval"]["fval"]
        return "lit", "n", number_text(text) or text, None
    if "boolval" in body:
        return "lit", "b", "true" if body["boolval"].get("boolval") else "false", None
    if "bsval" in body:
        return "lit", "s", body["bsval"].get("bsval", ""), "bit"
    return "lit", "s", body["sval"].get("sval", ""), None


def _cast(body: Mapping[str, Any]) -> Node:
    if body["typeName"].get("names") == [{"String": {"sval": "unknown"}}]:
        return _read(body["arg"])  # what the server prints for a constant whose type never mattered
    try:
        type_name = spell_type_node(body["typeName"])
    except TypeNameError:
        return "node", "TypeCast", _pairs(body)
    return _cast_to(_read(body["arg"]), type_name)


def _cast_to(node: Node, type_name: str) -> Node:
    match node:
        case ("null", _):
            return "null", type_name
        case ("lit", "s", text, None):
            return typed_literal(text, type_name) if "(" not in type_name else ("cast", node, type_name)
        case ("lit", "s", text, "text") if type_name in ("text", "character varying"):
            return node
        case ("lit", "b", _, None) if type_name == "boolean":
            return node
        case ("lit", "n", text, _) if type_name in _number_types(text):
            return "lit", "n", text, type_name
        case ("array", elements) if elements and type_name.endswith("[]"):
            return "array", tuple(_cast_to(element, type_name[:-2]) for element in elements)
        case ("array", ()) if type_name.endswith("[]"):
            return node
        case ("cast", _, inner) if inner == type_name:
            return node
    return "cast", node, type_name


def _number_types(text: str) -> frozenset[str]:
    """Casts that leave a number what it is: none rounds it."""
    return NUMERIC_TYPES if "." not in text else frozenset(("numeric", "double precision"))


def _column(body: Mapping[str, Any]) -> Node:
    parts = tuple("*" if "A_Star" in field else field["String"]["sval"] for field in body["fields"])
    return "col", parts[-2:]


def _name(parts: Sequence[Any]) -> tuple[str | None, str]:
    names = [part["String"]["sval"] for part in parts]
    schema = names[-2] if len(names) > 1 else None
    return (None if schema == "pg_catalog" else schema), names[-1]


def _operator(kind: str, name: Sequence[Any], *operands: Any) -> Node:
    schema, symbol = _name(name)
    return "op", kind, schema, symbol, tuple(_read(operand) for operand in operands if operand is not None)


def _comparison(symbol: str, left: Node, right: Node) -> Node:
    return "op", "op", None, symbol, (left, right)


def _bool(tag: str, nodes: Sequence[Node]) -> Node:
    flat: list[Node] = []
    for node in nodes:
        flat.extend(node[1] if node[0] == tag else (node,))
    return (tag, tuple(flat)) if len(flat) > 1 else flat[0]


def _not(node: Node) -> Node:
    return "node", "NOT", (("arg", node),)


def _expression(body: Mapping[str, Any]) -> Node:
    kind = body["kind"]
    left, right = body.get("lexpr"), body.get("rexpr")
    match kind:
        case "AEXPR_OP_ANY" | "AEXPR_OP_ALL":
            return _operator(kind[-3:].lower(), body["name"], left, right)
        case "AEXPR_IN":
            return _in(body)
        case "AEXPR_BETWEEN" | "AEXPR_NOT_BETWEEN" | "AEXPR_BETWEEN_SYM" | "AEXPR_NOT_BETWEEN_SYM":
            low, high = _read_all(body["rexpr"]["List"]["items"])
            return _between(kind, _read(left), low, high)
        case "AEXPR_DISTINCT" | "AEXPR_NOT_DISTINCT":
            return _distinct(_read(left), _read(right), negated=kind == "AEXPR_NOT_DISTINCT")
        case "AEXPR_NULLIF":
            return "func", None, "nullif", (_read(left), _read(right)), ()
        case _:  # AEXPR_OP, and LIKE, ILIKE, SIMILAR, whose name is their operator
            return _operator("op", body["name"], left, right)


def _in(body: Mapping[str, Any]) -> Node:
    """``transformAExprIn()``: an array of the items without columns, when there are two or more, and one comparison for
    each of the others."""
    _, symbol = _name(body["name"])
    negated = symbol == "<>"
    left = _read(body["lexpr"])
    items = _read_all(body["rexpr"]["List"]["items"])
    constant = [item for item in items if not _has_column(item)]
    parts: list[Node] = []
    if len(constant) > 1:
        parts.append(("op", "all" if negated else "any", None, symbol, (left, ("array", tuple(constant)))))
        items = tuple(item for item in items if _has_column(item))
    parts.extend(_comparison(symbol, left, item) for item in items)
    return _bool("and" if negated else "or", parts)


def _has_column(node: Any) -> bool:
    if not isinstance(node, tuple):
        return False
    return (bool(node) and node[0] == "col") or any(_has_column(part) for part in node)


def _between(kind: str, value: Node, low: Node, high: Node) -> Node:
    def inside(first: Node, second: Node) -> Node:
        return _bool("and", (_comparison(">=", value, first), _comparison("<=", value, second)))

    def outside(first: Node, second: Node) -> Node:
        return _bool("or", (_comparison("<", value, first), _comparison(">", value, second)))

    match kind:
        case "AEXPR_BETWEEN":
            return inside(low, high)
        case "AEXPR_NOT_BETWEEN":
            return outside(low, high)
        case "AEXPR_BETWEEN_SYM":
            return _bool("or", (inside(low, high), inside(high, low)))
        case _:
            return _bool("and", (outside(low, high), outside(high, low)))


def _distinct(left: Node, right: Node, *, negated: bool) -> Node:
    if right[0] == "null" or left[0] == "null":
        operand = left if right[0] == "null" else right
        kind = "IS_NULL" if negated else "IS_NOT_NULL"
        return "node", "NullTest", (("arg", operand), ("nulltesttype", ("atom", kind)))
    node = ("node", "DISTINCT", (("left", left), ("right", right)))
    return _not(node) if negated else node


def _boolean(body: Mapping[str, Any]) -> Node:
    arguments = _read_all(body["args"])
    if body["boolop"] == "NOT_EXPR":
        return _not(arguments[0])
    return _bool("and" if body["boolop"] == "AND_EXPR" else "or", arguments)


def _function(body: Mapping[str, Any]) -> Node:
    schema, name = _name(body["funcname"])
    rest = tuple(
        (field, _read(value))
        for field, value in sorted(body.items())
        if field not in ("funcname", "args") and field not in _IGNORED_FIELDS
    )
    arguments = _read_all(body.get("args", ()))
    if schema is None and name in _NOW and not arguments and not rest:
        return "func", None, "now", (), ()
    return "func", schema, name, arguments, rest


def _value_function(body: Mapping[str, Any]) -> Node:
    operation = _SAME_VALUE_FUNCTIONS.get(body["op"], body["op"])
    if operation == "SVFOP_CURRENT_TIMESTAMP":
        # The manual calls now() its traditional equivalent: both are the start of the transaction.
        return "func", None, "now", (), ()
    return "node", "SQLValueFunction", (("op", ("atom", operation)), ("typmod", ("atom", body.get("typmod"))))


def _coalesce(body: Mapping[str, Any]) -> Node:
    return "func", None, "coalesce", _read_all(body["args"]), ()


def _greatest_least(body: Mapping[str, Any]) -> Node:
    return "func", None, "least" if body.get("op") == "IS_LEAST" else "greatest", _read_all(body["args"]), ()


def _array(body: Mapping[str, Any]) -> Node:
    return "array", _read_all(body.get("elements", ()))


def _case(body: Mapping[str, Any]) -> Node:
    pairs = dict(_pairs(body))
    if pairs.get("defresult", ("",))[0] == "null":
        del pairs["defresult"]
    return "node", "CaseExpr", tuple(sorted(pairs.items()))


def _sub_link(body: Mapping[str, Any]) -> Node:
    pairs = dict(_pairs(body))
    if body["subLinkType"] == "ANY_SUBLINK" and "operName" in body and _name(body["operName"]) == (None, "="):
        del pairs["operName"]
    select = body["subselect"]["SelectStmt"]
    if body["subLinkType"] == "EXISTS_SUBLINK" and _rows_depend_on_source(select):
        pairs["subselect"] = _select({name: value for name, value in select.items() if name != "targetList"})
    elif "targetList" in select and "sortClause" not in select:
        pairs["subselect"] = _select({**select, "targetList": [_nameless(target) for target in select["targetList"]]})
    return "node", "SubLink", tuple(sorted(pairs.items()))


def _nameless(target: Mapping[str, Any]) -> Mapping[str, Any]:
    """An output column of a sub-select in an expression: nobody can refer to its name."""
    return {"ResTarget": {name: value for name, value in target["ResTarget"].items() if name != "name"}}


def _rows_depend_on_source(select: Mapping[str, Any]) -> bool:
    """True when what stands after SELECT has no say in whether there are rows: constants and columns only."""
    plain = ("A_Const", "ColumnRef", "TypeCast")
    return select.get("op") == "SETOP_NONE" and all(
        next(iter(target["ResTarget"]["val"])) in plain for target in select.get("targetList", ())
    )


def _select(body: Mapping[str, Any]) -> Node:
    return "node", "SelectStmt", _pairs(body)


def _target(body: Mapping[str, Any]) -> Node:
    """An output column; its name counts only when it is not the one that it has anyway."""
    pairs = dict(_pairs(body))
    if body.get("name") == _default_name(body.get("val", {})):
        pairs.pop("name", None)
    return "node", "ResTarget", tuple(sorted(pairs.items()))


def _default_name(node: Mapping[str, Any]) -> str:
    """``FigureColname()`` for the common nodes."""
    match node:
        case {"ColumnRef": {"fields": [*_, {"String": {"sval": str(name)}}]}}:
            return name
        case {"FuncCall": {"funcname": [*_, {"String": {"sval": str(name)}}]}}:
            return name
        case {"TypeCast": {"arg": argument, "typeName": {"names": [*_, {"String": {"sval": str(name)}}]}}}:
            inner = _default_name(argument)
            return inner if inner != "?column?" else name
        case {"CoalesceExpr": _}:
            return "coalesce"
        case {"CaseExpr": _}:
            return "case"
        case {"MinMaxExpr": {"op": str(operation)}}:
            return operation.removeprefix("IS_").lower()
        case {"A_ArrayExpr": _}:
            return "array"
        case {"RowExpr": _}:
            return "row"
        case {"A_Expr": {"kind": "AEXPR_NULLIF"}}:
            return "nullif"
        case {"SubLink": {"subLinkType": "EXISTS_SUBLINK"}}:
            return "exists"
        case {"SubLink": {"subLinkType": "ARRAY_SUBLINK"}}:
            return "array"
        case {"SubLink": {"subLinkType": "EXPR_SUBLINK", "subselect": {"SelectStmt": {"targetList": [target, *_]}}}}:
            return str(target["ResTarget"].get("name") or _default_name(target["ResTarget"].get("val", {})))
        case {"SQLValueFunction": {"op": str(operation)}}:
            return operation.removeprefix("SVFOP_").removesuffix("_N").lower()
    return "?column?"


def _sort(body: Mapping[str, Any]) -> Node:
    """A key of ORDER BY, without what it says of the order that it has anyway."""
    pairs = dict(_pairs(body))
    descending = body.get("sortby_dir") == "SORTBY_DESC"
    if body.get("sortby_dir") == "SORTBY_ASC":
        pairs["sortby_dir"] = ("atom", "SORTBY_DEFAULT")
    if body.get("sortby_nulls") == ("SORTBY_NULLS_FIRST" if descending else "SORTBY_NULLS_LAST"):
        pairs["sortby_nulls"] = ("atom", "SORTBY_NULLS_DEFAULT")
    return "node", "SortBy", tuple(sorted(pairs.items()))


def _range_function(body: Mapping[str, Any]) -> Node:
    """A function in FROM: ``generate_series(1, 5) n`` is printed as ``generate_series(1, 5) n(n)``."""
    pairs = dict(_pairs(body))
    alias = body.get("alias")
    if alias and alias.get("colnames") == [{"String": {"sval": alias["aliasname"]}}]:
        pairs["alias"] = _read({"aliasname": alias["aliasname"]})
    return "node", "RangeFunction", tuple(sorted(pairs.items()))


def _relation(body: Mapping[str, Any]) -> Node:
    pairs = {name: value for name, value in _pairs(body) if name != "schemaname"}
    alias = body.get("alias")
    if alias is not None and alias == {"aliasname": body["relname"]}:
        del pairs["alias"]
    return "relation", body.get("schemaname"), body["relname"], tuple(sorted(pairs.items()))


def _type_name(body: Mapping[str, Any]) -> Node:
    try:
        return "type", spell_type_node(body)
    except TypeNameError:
        return "node", "TypeName", _pairs(body)


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Node]] = {
    "A_ArrayExpr": _array,
    "A_Const": _constant,
    "A_Expr": _expression,
    "BoolExpr": _boolean,
    "CaseExpr": _case,
    "CoalesceExpr": _coalesce,
    "ColumnRef": _column,
    "FuncCall": _function,
    "MinMaxExpr": _greatest_least,
    "RangeFunction": _range_function,
    "RangeVar": _relation,
    "ResTarget": _target,
    "SQLValueFunction": _value_function,
    "SelectStmt": _select,
    "SortBy": _sort,
    "SubLink": _sub_link,
    "TypeCast": _cast,
    "TypeName": _type_name,
}
