"""Do two SQL expressions mean the same to PostgreSQL?

A person writes ``status IN ('new', 'paid')``; the server stores the analysed expression and prints
``((status)::text = ANY ((ARRAY['new'::character varying, 'paid'::character varying])::text[]))``. Comparing the texts
would find a difference in every plan, forever. Both are read into the tree of
:mod:`wesley_tui.catalog.expression_tree`; what remains to be weighed here are the things that analysis adds because it
knows the types of columns and functions, and a reader of text does not:

* a constant without a type, ``'x'`` or ``0``, matches the same constant of any type the server gave it; two constants
  with *different* types do not match;
* a cast of anything else matches its absence only where PostgreSQL casts implicitly: to ``text`` and ``text[]`` (how a
  ``varchar`` is compared), to ``inet``, and to a wider number on *one* side of an operator or on arguments of a
  function. Any other cast (``::date``, ``::integer``, ``::jsonb`` …) counts. With ``column_types``, casts of columns
  are judged by what the column is: ``code::text`` is something else than ``code`` when ``code`` is an integer;
* an unqualified name matches one in ``pg_catalog`` or ``public``; names in different schemas do not match;
* a column matches itself qualified by its table.

So the comparison is not transitive, and :func:`canonical_expression` is coarser than :func:`same_expression`: what is
the same has one canonical form, as far as that can be known without the other expression.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from wesley_tui.catalog.expression_tree import COMMON_SCHEMAS, Node, parse_expression, typed_literal
from wesley_tui.catalog.literals import NUMERIC_TYPES, array_elements

__all__ = ["canonical_expression", "canonical_tree", "same_default", "same_expression", "same_tree"]

_ALWAYS_IMPLICIT = frozenset(("text", "text[]", "inet"))
_WIDER_NUMBERS = frozenset(("numeric", "double precision", "bigint"))
_STRINGS = ("character varying", "character", "bpchar", "text", "name", "citext", "public.citext", "extensions.citext")
_ROWS = frozenset(("old", "new"))
"""In triggers and rules these are two rows of one table, not two names for it."""
_RETURN_TYPES = {
    "now": "timestamp with time zone",
    "clock_timestamp": "timestamp with time zone",
    "statement_timestamp": "timestamp with time zone",
    "gen_random_uuid": "uuid",
    "uuid_generate_v4": "uuid",
    "uuidv7": "uuid",
}
"""A cast to the type that an expression has already leaves no trace in what is stored."""


def same_expression(a: str | None, b: str | None, column_types: Mapping[str, str] | None = None) -> bool:
    """True when ``a`` and ``b`` mean the same to PostgreSQL; ``None`` is no expression and matches only ``None``.

    ``column_types`` are the canonical types of the table's columns by name; without them a cast of a column to ``text``
    or to a wider number is taken for one that the server added. Texts that are no expressions match only when equal.
    """
    if a == b:
        return True
    if a is None or b is None:
        return False
    first, second = parse_expression(a), parse_expression(b)
    if first is None or second is None:
        return False
    try:
        return _Comparison(column_types or {}).same(first, second)
    except RecursionError:
        return False


def same_default(a: str | None, b: str | None, column_type: str | None = None) -> bool:
    """:func:`same_expression` for column defaults: PostgreSQL stores no ``DEFAULT NULL``, and casts what it stores to
    the type of the column where it must (``column_type``, canonical)."""
    a, b = (None if text is not None and _is_null(text) else text for text in (a, b))
    if a is None or b is None or a == b:
        return a == b
    if same_expression(a, b):
        return True
    return column_type is not None and any(
        same_expression(x, y) for x, y in ((f"({a})::{column_type}", b), (a, f"({b})::{column_type}"))
    )


def same_tree(a: Node, b: Node) -> bool:
    """The relation of :func:`same_expression` for two trees of whole statements, in which the qualifiers of columns
    must agree wherever both have one."""
    try:
        return _Comparison({}, depth=1).same(a, b)
    except RecursionError:
        return False


def canonical_tree(tree: Node) -> str:
    """:func:`canonical_expression` for a tree. Raises ``RecursionError`` for one that is nested too deeply."""
    return _write(tree)


def canonical_expression(text: str) -> str:
    """One text for all spellings of an expression, for fingerprints and for grouping, not for execution.

    Types of constants and schemas of names in ``public`` are left out, because a person leaves them out; a text that is
    no expression is its own canonical form.
    """
    return _canonical(text)


@lru_cache(maxsize=16384)
def _canonical(text: str) -> str:
    tree = parse_expression(text)
    try:
        return text.strip() if tree is None else _write(tree)
    except RecursionError:
        return text.strip()


def _is_null(text: str) -> bool:
    tree = parse_expression(text)
    return tree is not None and tree[0] == "null"


def _is_constant(node: Node) -> bool:
    match node:
        case ("lit" | "null", *_):
            return True
        case ("cast", inner, _):
            return _is_constant(inner)
        case ("op", _, _, _, nodes):
            return all(map(_is_constant, nodes))
        case _:
            return False


def _write(node: Node) -> str:
    match node:
        case ("lit", _, value, _):
            return repr(value)
        case ("null", _):
            return "null"
        case ("col", parts):
            return f"col {parts[0]}.{parts[-1]}" if parts[0] in _ROWS else f"col {parts[-1]}"
        case ("cast", inner, type_name):
            # a::numeric / 2 is not a / 2; a number that is written out is the same one in every type that holds it.
            if type_name in _ALWAYS_IMPLICIT or (type_name in _WIDER_NUMBERS and _is_constant(inner)):
                return _write(inner)
            return f"cast({_write(inner)}, {_common_type(type_name)})"
        case ("and" | "or" | "array" | "list", nodes):
            return f"{node[0]}({', '.join(map(_write, nodes))})"
        case ("op", kind, schema, name, nodes):
            return f"{kind} {_prefix(schema)}{name}({', '.join(map(_write, nodes))})"
        case ("func", schema, name, nodes, rest):
            return f"{_prefix(schema)}{name}({', '.join(map(_write, nodes))}){_write_pairs(rest)}"
        case ("relation", schema, name, rest):
            return f"relation {_prefix(schema)}{name}{_write_pairs(rest)}"
        case ("node", name, pairs):
            return f"{name}{_write_pairs(pairs)}"
        case ("type", name):
            return _common_type(name)
        case (_, value):
            return repr(value)
    raise AssertionError(f"unknown node {node!r}")


def _write_pairs(pairs: tuple[tuple[str, Node], ...]) -> str:
    return "{" + ", ".join(f"{name}: {_write(value)}" for name, value in pairs) + "}" if pairs else ""


def _prefix(schema: str | None) -> str:
    return "" if schema is None or schema in COMMON_SCHEMAS else f"{schema}."


def _common_type(name: str) -> str:
    schema, dot, rest = name.partition(".")
    return rest if dot and schema in COMMON_SCHEMAS else name


class _Comparison:
    """One comparison of two trees, with what is known about columns."""

    def __init__(self, column_types: Mapping[str, str], depth: int = 0) -> None:
        self._column_types = column_types
        self._depth = depth
        """How many sub-selects around the place that is looked at: only inside of one can a qualifier matter."""

    def same(self, a: Node, b: Node) -> bool:
        """The relation itself; symmetric and reflexive."""
        if a == b:
            return True
        if a[0] == "cast" or b[0] == "cast":
            return self._same_casts(a, b)
        if a[0] != b[0]:
            return self._same_array(a, b) or self._same_array(b, a)
        match a[0]:
            case "lit":
                return _same_literals(a, b)
            case "null":
                return None in (a[1], b[1]) or _same_types(a[1], b[1])
            case "col":
                return self._same_columns(a[1], b[1])
            case "and" | "or" | "array" | "list":
                return self._same_lists(a[1], b[1])
            case "op":
                return a[1] == b[1] and a[3] == b[3] and _same_schemas(a[2], b[2]) and self._same_operands(a[4], b[4])
            case "func":
                return (
                    a[2] == b[2]
                    and _same_schemas(a[1], b[1])
                    and self._same_lists(a[3], b[3])
                    and self._same_pairs(a[4], b[4])
                )
            case "relation":
                return a[2] == b[2] and _same_schemas(a[1], b[1]) and self._same_pairs(a[3], b[3])
            case "node":
                return self._same_nodes(a, b)
            case "type":
                return _same_types(a[1], b[1])
            case _:
                return False

    def _same_lists(self, a: tuple[Node, ...], b: tuple[Node, ...]) -> bool:
        return len(a) == len(b) and all(map(self.same, a, b))

    def _same_pairs(self, a: tuple[tuple[str, Node], ...], b: tuple[tuple[str, Node], ...]) -> bool:
        return [name for name, _ in a] == [name for name, _ in b] and all(
            self.same(x, y) for (_, x), (_, y) in zip(a, b, strict=True)
        )

    def _same_nodes(self, a: Node, b: Node) -> bool:
        if a[1] != b[1]:
            return False
        self._depth += a[1] == "SelectStmt"
        try:
            return self._same_pairs(a[2], b[2])
        finally:
            self._depth -= a[1] == "SelectStmt"

    def _same_operands(self, a: tuple[Node, ...], b: tuple[Node, ...]) -> bool:
        """The operands of one operator: the server widens the number on one side to the type of the other, never both,
        so that ``a::numeric / b::numeric`` is not ``a / b``."""
        if not self._same_lists(a, b):
            return False
        pairs = list(zip(a, b, strict=True))
        return sum(_widens(x, y) for x, y in pairs) < 2 and sum(_widens(y, x) for x, y in pairs) < 2

    def _same_casts(self, a: Node, b: Node) -> bool:
        if a[0] == "cast" and b[0] == "cast" and _same_types(a[2], b[2]):
            return self.same(a[1], b[1])
        return (a[0] == "cast" and self._is_implicit(a[1], a[2]) and self.same(a[1], b)) or (
            b[0] == "cast" and self._is_implicit(b[1], b[2]) and self.same(a, b[1])
        )

    def _is_implicit(self, operand: Node, target: str) -> bool:
        """Whether the server may have added, or left out, the cast of ``operand`` to ``target`` by itself."""
        if operand[0] == "func" and operand[1] is None and _RETURN_TYPES.get(operand[2]) == target:
            return True
        own = self._column_types.get(operand[1][-1]) if operand[0] == "col" and not self._depth else None
        if own is None:
            return target in _ALWAYS_IMPLICIT or target in _WIDER_NUMBERS
        own = own.partition("(")[0] + ("[]" if own.endswith("[]") else "")
        own = own.removesuffix("[][]") + "[]" if own.endswith("[][]") else own
        if own == target:
            return True
        if target in ("text", "text[]"):
            return own.removesuffix("[]") in _STRINGS and own.endswith("[]") == target.endswith("[]")
        if target == "inet":
            return own == "cidr"
        if target in ("timestamp with time zone", "timestamp without time zone"):
            return own == "date"
        return target in _WIDER_NUMBERS and own in NUMERIC_TYPES

    def _same_columns(self, a: tuple[str, ...], b: tuple[str, ...]) -> bool:
        """Outside of sub-selects there is one relation, and its name adds nothing; inside, qualifiers must agree."""
        if a[-1] != b[-1] or (a[0] != b[0] and (a[0] in _ROWS or b[0] in _ROWS)):
            return False
        return self._depth == 0 or 1 in (len(a), len(b)) or a == b

    def _same_array(self, a: Node, b: Node) -> bool:
        """``'{a,b}'`` without a type against ``ARRAY['a', 'b']``."""
        if a[0] != "lit" or a[1] != "s" or a[3] is not None or b[0] != "array":
            return False
        elements = array_elements(a[2])
        return elements is not None and self._same_lists(tuple(("lit", "s", item, None) for item in elements), b[1])


def _widens(a: Node, b: Node) -> bool:
    """Whether ``a`` is the number ``b`` with a cast that may have been implicit."""
    if a[0] == "cast":
        return a[2] in _WIDER_NUMBERS and b[0] != "cast"
    return a[0] == b[0] == "lit" and a[1] == "n" and a[3] in _WIDER_NUMBERS and b[3] is None


def _same_literals(a: Node, b: Node) -> bool:
    _, kind_a, value_a, type_a = a
    _, kind_b, value_b, type_b = b
    if kind_a == kind_b == "s":
        if type_a is not None and type_b is not None:
            return bool(value_a == value_b) and _same_types(type_a, type_b)
        return bool(_typed(a, type_b) == _typed(b, type_a))
    if kind_a == kind_b:
        return bool(value_a == value_b) and (type_a is None or type_b is None or type_a == type_b)
    # A string without a type takes the type of what it is compared with.
    string, other = (a, b) if kind_a == "s" else (b, a)
    if string[1] != "s" or string[3] is not None:
        return False
    return bool(typed_literal(string[2], "boolean" if other[1] == "b" else other[3] or "numeric")[2] == other[2])


def _typed(literal: Node, type_name: str | None) -> str:
    node = typed_literal(literal[2], type_name) if literal[3] is None and type_name is not None else literal
    return str(node[2]) if node[0] == "lit" else ""


def _same_types(a: str, b: str) -> bool:
    """Equal, or one of them without the schema that the other one has."""
    return a == b or a.endswith(f".{b}") or b.endswith(f".{a}")


def _same_schemas(a: str | None, b: str | None) -> bool:
    return a == b or (a is None and b in COMMON_SCHEMAS) or (b is None and a in COMMON_SCHEMAS)
