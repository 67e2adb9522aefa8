"""Defaults: from a GraphQL literal to the SQL that means it for a column's type.

``@default(expr:)`` is taken as written. ``@default(value:)`` is quoted for the type, as ``pg_get_expr()`` would print
it: ``'x'::text``, ``42``, ``'-1'::integer``, ``'{a,b}'::text[]``. A string that already is an SQL literal, a cast or a
call that names no column is taken as that; a bare word on a text or enum column is a literal, so that
``@default(value: "user")`` is the text and not SQL's ``USER``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from wesley_tui.catalog.naming import quote_literal
from wesley_tui.sdl.names import nearest
from wesley_tui.sdl.sqltext import SqlError, parse_expression
from wesley_tui.sdl.syntax import Value

__all__ = ["DefaultProblem", "default_of_value", "without_typmod"]

_INTEGERS = {"smallint": 1 << 15, "integer": 1 << 31, "bigint": 1 << 63}
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_UUID = re.compile(r"\{?[0-9a-fA-F]{4}(-?[0-9a-fA-F]{4}){7}\}?")
_MOMENTS = frozenset({"now", "today", "tomorrow", "yesterday"})
_TEXTUAL = ("text", "character varying", "character(", "character", "bpchar", "name", "public.citext")
_TYPMOD = re.compile(r"^([^(]+?)\s*\([^)]*\)(.*)$")
_CALLS = frozenset(
    ("FuncCall", "TypeCast", "SQLValueFunction", "A_ArrayExpr", "CoalesceExpr", "MinMaxExpr", "A_Expr", "RowExpr")
)


class DefaultProblem(ValueError):
    """The value cannot be a default of this type."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        self.code, self.hint = code, hint
        super().__init__(message)


def default_of_value(value: Value, sql_type: str, labels: Sequence[str] | None = None) -> str | None:
    """The default expression that ``@default(value: …)`` means on a column of ``sql_type`` (canonical).

    ``labels`` are those of the enum, where the type (or the element type) is one. None means no default (``null``).

    Raises:
        DefaultProblem: the value does not fit the type.
    """
    if value.kind == "null":
        return None
    if sql_type in ("json", "jsonb"):
        return _json_default(value, sql_type)
    if sql_type.endswith("[]"):
        return _array_default(value, sql_type, labels)
    if value.kind in ("list", "object"):
        raise DefaultProblem("wrong-default", f"a {value.kind} cannot be the default of a column of type {sql_type}")
    if value.kind == "string":
        return _text_default(value.value, sql_type, labels)
    return _scalar(_plain(value), sql_type, labels)


def _plain(value: Value) -> str:
    return ("true" if value.value else "false") if value.kind == "boolean" else str(value.value)


def _is_textual(sql_type: str) -> bool:
    return sql_type.startswith(_TEXTUAL)


def _text_default(text: str, sql_type: str, labels: Sequence[str] | None) -> str:
    if (_is_textual(sql_type) or labels is not None) and re.fullmatch(r"\w*", text):
        return _scalar(text, sql_type, labels)
    sql = _as_sql(text)
    if sql is not None:
        return sql
    return _scalar(text, sql_type, labels)


def _as_sql(text: str) -> str | None:
    """``text`` itself when it is an SQL literal, a cast or a call that speaks of no column."""
    stripped = text.strip()
    if not stripped or not (
        stripped[0] in "'("
        or "(" in stripped
        or "::" in stripped
        or stripped[-1] == "'"
        or stripped.replace("_", "").isalpha()
    ):
        return None
    try:
        expression = parse_expression(stripped)
    except SqlError:
        return None
    if expression.columns or expression.subquery:
        return None
    if expression.node == "A_Const":
        return stripped if stripped[0] in "'eEbBxXuU$" and "'" in stripped else None
    return stripped if expression.node in _CALLS else None


def _scalar(text: str, sql_type: str, labels: Sequence[str] | None) -> str:
    if labels is not None:
        if text not in labels:
            near = nearest(text, labels)
            raise DefaultProblem(
                "wrong-default",
                f"{text!r} is not a value of the enum {sql_type}",
                f"did you mean {near}?" if near else f"it has {', '.join(labels)}",
            )
        return f"{quote_literal(text)}::{sql_type}"
    if sql_type in _INTEGERS:
        if not re.fullmatch(r"[-+]?[0-9]+", text):
            raise DefaultProblem("wrong-default", f"{text!r} is not a whole number, and the column is {sql_type}")
        number = int(text)
        if not -_INTEGERS[sql_type] <= number < _INTEGERS[sql_type]:
            raise DefaultProblem("wrong-default", f"{number} does not fit in {sql_type}", "use BigInt or Decimal")
        if number < 0:
            return f"'{number}'::{sql_type if sql_type == 'bigint' and number < -(1 << 31) else 'integer'}"
        return str(number) if number < 1 << 31 else f"'{number}'::bigint"
    if sql_type in ("double precision", "real") or sql_type.startswith("numeric"):
        if not _NUMBER.fullmatch(text):
            if text.lower() in ("nan", "infinity", "-infinity"):
                return f"'{text}'::{without_typmod(sql_type)}"
            raise DefaultProblem("wrong-default", f"{text!r} is not a number, and the column is {sql_type}")
        if text.startswith("-"):
            return f"'{text}'::{'integer' if text[1:].isdigit() and int(text) >= -(1 << 31) else 'numeric'}"
        return text.removeprefix("+")
    if sql_type == "boolean":
        if text.lower() not in ("true", "false"):
            raise DefaultProblem("wrong-default", f"{text!r} is neither true nor false, and the column is boolean")
        return text.lower()
    if sql_type == "uuid" and not _UUID.fullmatch(text):
        raise DefaultProblem(
            "wrong-default",
            f"{text!r} is not a UUID",
            'for a new one in every row write @default(expr: "gen_random_uuid()")',
        )
    if sql_type.startswith(("timestamp", "date", "time")) and text.lower() in _MOMENTS:
        raise DefaultProblem(
            "wrong-default",
            f"the literal {text!r} would be the moment at which the migration runs, in every row from then on",
            'for the moment of each insert write @default(expr: "now()")',
        )
    return f"{quote_literal(text)}::{without_typmod(sql_type)}"


def without_typmod(sql_type: str) -> str:
    """``character varying(20)`` → ``character varying``: a constant carries no length."""
    match = _TYPMOD.match(sql_type)
    if match is None:
        return sql_type
    base = match[1] + match[2]
    return "bpchar" if base == "character" else base


def _json_default(value: Value, sql_type: str) -> str:
    if value.kind == "string":
        text = value.value
        try:
            json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            sql = _as_sql(text)
            if sql is not None:
                return sql
            raise DefaultProblem(
                "wrong-default",
                f"{text!r} is not JSON",
                f"as a JSON text: value: {json.dumps(json.dumps(text))}; as SQL: @default(expr: …)",
            ) from None
        return f"{quote_literal(text)}::{sql_type}"
    return f"{quote_literal(_json_text(value))}::{sql_type}"


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _json_text(value: Value) -> str:
    if value.kind == "list":
        return "[" + ", ".join(_json_text(item) for item in value.value) + "]"
    if value.kind == "object":
        return "{" + ", ".join(f"{json.dumps(name)}: {_json_text(item)}" for name, item in value.value) + "}"
    if value.kind in ("string", "enum"):
        if "\0" in value.value:
            raise DefaultProblem("wrong-default", "JSON in PostgreSQL cannot hold the character NUL")
        return json.dumps(value.value, ensure_ascii=False)
    return "null" if value.kind == "null" else _plain(value)


def _array_default(value: Value, sql_type: str, labels: Sequence[str] | None) -> str:
    element = sql_type[:-2]
    if value.kind == "string":
        text = value.value.strip()
        sql = _as_sql(text)
        if sql is not None:
            return sql
        if text.startswith("{") and text.endswith("}"):
            return f"{quote_literal(text)}::{without_typmod(sql_type)}"
    if value.kind != "list":
        raise DefaultProblem(
            "wrong-default", f"the column is {sql_type}: its default is a list", "write value: [] or value: [a, b]"
        )
    return f"{quote_literal(_array_text(value, element, labels))}::{without_typmod(sql_type)}"


def _array_text(value: Value, element: str, labels: Sequence[str] | None) -> str:
    items = []
    for item in value.value:
        if item.kind == "null":
            items.append("NULL")
        elif item.kind == "list":
            items.append(_array_text(item, element, labels))
        elif item.kind == "object" or element in ("json", "jsonb"):
            if element not in ("json", "jsonb"):
                raise DefaultProblem("wrong-default", f"an object cannot be an element of {element}[]")
            items.append(_array_element(_json_text(item)))
        else:
            text = _plain(item)
            _scalar(text, element, labels)
            items.append(_array_element(text))
    return "{" + ",".join(items) + "}"


def _array_element(text: str) -> str:
    """As ``array_out()`` writes it: quoted when it is empty, ``NULL``, or holds a character of array syntax."""
    if text and text.upper() != "NULL" and not re.search(r'[{}",\\\s]', text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
