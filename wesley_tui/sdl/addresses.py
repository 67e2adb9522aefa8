"""Naming an object in a text, as SQL does it: ``table users``, ``function f(integer)``, ``trigger x ON t``.

PostgreSQL's grammar reads these after ``COMMENT ON``, so that is what reads them here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from wesley_tui.catalog.model import QName, Ref
from wesley_tui.sdl.sqltext import SqlError, parse_one
from wesley_tui.sdl.statements import type_name

__all__ = ["Address", "address_of_node", "read_address", "resolved"]

_KINDS = {
    "OBJECT_TABLE": "table",
    "OBJECT_VIEW": "view",
    "OBJECT_MATVIEW": "materialized view",
    "OBJECT_SEQUENCE": "sequence",
    "OBJECT_INDEX": "index",
    "OBJECT_COLUMN": "column",
    "OBJECT_TABCONSTRAINT": "constraint",
    "OBJECT_DOMCONSTRAINT": "domain constraint",
    "OBJECT_POLICY": "policy",
    "OBJECT_TRIGGER": "trigger",
    "OBJECT_RULE": "rule",
    "OBJECT_FUNCTION": "function",
    "OBJECT_PROCEDURE": "procedure",
    "OBJECT_ROUTINE": "routine",
    "OBJECT_AGGREGATE": "aggregate",
    "OBJECT_SCHEMA": "schema",
    "OBJECT_TYPE": "type",
    "OBJECT_DOMAIN": "domain",
    "OBJECT_EXTENSION": "extension",
    "OBJECT_EVENT_TRIGGER": "event trigger",
    "OBJECT_PUBLICATION": "publication",
    "OBJECT_STATISTIC_EXT": "statistics",
    "OBJECT_COLLATION": "collation",
    "OBJECT_TSDICTIONARY": "text search dictionary",
    "OBJECT_TSCONFIGURATION": "text search configuration",
    "OBJECT_OPERATOR": "operator",
    "OBJECT_OPFAMILY": "operator family",
    "OBJECT_OPCLASS": "operator class",
    "OBJECT_CAST": "cast",
    "OBJECT_FDW": "foreign-data wrapper",
    "OBJECT_FOREIGN_SERVER": "server",
    "OBJECT_FOREIGN_TABLE": "foreign table",
}
_OF_DATABASE = frozenset(("extension", "event trigger", "publication", "foreign-data wrapper", "server"))


class Address(NamedTuple):
    """``kind`` is SQL's word, which need not be that of the record: a ``type`` may be an enum or a range."""

    kind: str
    name: QName
    """Of a schema ``QName("", "app")``; of a trigger, policy, constraint or column its own name in the schema of its
    table."""
    relation: QName | None = None
    """The table (view …) of a trigger, rule, policy, constraint or column."""
    parameters: tuple[Mapping[str, Any], ...] | None = None
    """TypeName nodes of the arguments of a routine or operator, of both types of a cast; None when they are not said.
    A side that an operator does not have is empty."""
    method: str = ""
    """The access method of an operator class or family."""

    def __str__(self) -> str:
        on = f" ON {self.relation}" if self.relation is not None else ""
        return f"{self.kind} {self.name if self.name.schema and not on else self.name.name}{on}"


@lru_cache(maxsize=4096)
def read_address(text: str) -> Address:
    """Read ``kind name``; a name alone is a table.

    Raises:
        SqlError: it names no object; the offset is in ``text``.
    """
    try:
        tree = parse_one("COMMENT ON ", text, " IS ''")
    except SqlError as error:
        try:
            tree = parse_one("COMMENT ON TABLE ", text, " IS ''")
        except SqlError:
            raise error from None
    node = tree["stmts"][0]["stmt"].get("CommentStmt")
    if node is None:
        raise SqlError("this is no name of an object", 0)
    return address_of_node(str(node["objtype"]), node["object"])


def address_of_node(object_type: str, node: Mapping[str, Any]) -> Address:
    """The address in a node of COMMENT ON or GRANT.

    Raises:
        SqlError: of a kind that a schema cannot speak of.
    """
    if object_type not in _KINDS:
        raise SqlError("this names no object that a schema can speak of", 0)
    kind = _KINDS[object_type]
    if "ObjectWithArgs" in node:
        body = node["ObjectWithArgs"]
        name = _name([part["String"].get("sval", "") for part in body["objname"]])
        if body.get("args_unspecified"):
            return Address(kind, name)
        parameters = body.get("objfuncargs")
        if parameters is not None:
            inputs = [item["FunctionParameter"] for item in parameters]
            kept = tuple(item["argType"] for item in inputs if item.get("mode") != "FUNC_PARAM_OUT")
        else:
            kept = tuple(item.get("TypeName", {}) for item in body.get("objargs", ()))
        return Address(kind, name, None, kept)
    if "RangeVar" in node:
        body = node["RangeVar"]
        return Address(kind, QName(body.get("schemaname", "public"), body["relname"]))
    if "TypeName" in node:
        return Address(kind, _name([part["String"].get("sval", "") for part in node["TypeName"]["names"]]))
    if "String" in node:
        return Address(kind, QName("", node["String"].get("sval", "")))
    items = node["List"]["items"]
    if kind == "cast":
        return Address(kind, QName("", ""), None, tuple(item["TypeName"] for item in items))
    if kind in ("operator class", "operator family"):
        method, *named = [part["String"].get("sval", "") for part in items]
        return Address(kind, _name(named), None, None, method)
    if "TypeName" in items[0]:
        domain = _name([part["String"].get("sval", "") for part in items[0]["TypeName"]["names"]])
        return Address(kind, QName(domain.schema, items[-1]["String"]["sval"]), domain)
    parts = [part["String"].get("sval", "") for part in items]
    if kind in ("column", "constraint", "policy", "trigger", "rule"):
        if len(parts) < 2:
            raise SqlError(f"a {kind} belongs to a table: say which", 0)
        relation = _name(parts[:-1])
        return Address(kind, QName(relation.schema, parts[-1]), relation)
    return Address(kind, _name(parts))


def _name(parts: list[str]) -> QName:
    return QName(parts[-2] if len(parts) > 1 else "public", parts[-1])


def resolved(address: Address, user_types: Mapping[str, QName]) -> Ref:
    """The reference of the record, as far as the address itself says it."""
    if address.method:
        return Ref(address.kind, f"{address.name}({address.method})")
    if address.parameters is not None:
        types = [type_name(node, user_types) if node else "NONE" for node in address.parameters]
        if address.kind == "cast":
            return Ref("cast", f"({' AS '.join(types)})")
        arguments = ", ".join(types)
        return Ref(address.kind, f"{address.name}({arguments})")
    if address.kind == "column":
        return Ref("column", f"{address.relation}.{address.name.name}")
    if address.relation is not None:
        return Ref(address.kind, f"{address.name.name} ON {address.relation}")
    if address.kind in _OF_DATABASE or not address.name.schema:
        return Ref(address.kind, address.name.name)
    return Ref(address.kind, str(address.name))
