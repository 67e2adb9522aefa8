"""Which changes of a column's type touch no row: PostgreSQL then changes its catalog and nothing else.

The table is that of ``ATColumnChangeRequiresRewrite()``: binary coercible types, length coercions that a support
function proves needless, and timestamp ↔ timestamptz when the session's time zone has no offset. Measured on real
servers by ``tests/integration/test_planner_types.py`` (the file node stays the same).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

__all__ = [
    "NUMBERS",
    "TEXT_LIKE",
    "cast_through",
    "changes_operator_class",
    "is_lossy",
    "is_metadata_only",
    "needs_session_utc",
    "split_type",
]

_UTC = frozenset(
    ("UTC", "GMT", "ETC/UTC", "ETC/GMT", "UCT", "ETC/UCT", "ZULU", "ETC/ZULU", "UNIVERSAL", "ETC/UNIVERSAL")
)
_TIMESTAMPS = frozenset(("timestamp without time zone", "timestamp with time zone"))
_WITH_PRECISION = _TIMESTAMPS | {"time without time zone", "time with time zone", "interval"}
_BINARY = frozenset(
    (
        ("cidr", "inet"),
        ("integer", "oid"),
        ("oid", "integer"),
        ("character varying", "text"),
        ("text", "character varying"),
        ("bit", "bit varying"),
    )
)


class TypeParts(NamedTuple):
    base: str
    modifiers: tuple[int, ...]
    array: bool


@lru_cache(maxsize=4096)
def split_type(text: str) -> TypeParts:
    """``timestamp(3) with time zone`` → base, modifiers, whether an array; spelled as ``format_type()`` does."""
    array = text.endswith("[]")
    text = text.removesuffix("[]")
    found = re.fullmatch(r"([^(\"]+?)\s*\((-?\d+)(?:,(-?\d+))?\)(.*)", text)
    if found is None:
        return TypeParts(text, (), array)
    modifiers = tuple(int(item) for item in found.group(2, 3) if item is not None)
    return TypeParts(found.group(1) + found.group(4), modifiers, array)


def is_metadata_only(old: str, new: str, *, timezone: str = "UTC") -> bool:
    """True when ``ALTER COLUMN TYPE new`` without USING leaves every row as it is. A change of collation alone does."""
    if old == new:
        return True
    before, after = split_type(old), split_type(new)
    if before.array or after.array:
        return False
    if before.base != after.base:
        if {before.base, after.base} == _TIMESTAMPS:
            # A precision on the target is a second coercion, which PostgreSQL does not look through.
            return timezone.upper() in _UTC and not after.modifiers
        return (before.base, after.base) in _BINARY and (after.base == "text" or not after.modifiers)
    if before.base in ("character varying", "bit varying"):
        return not after.modifiers or (bool(before.modifiers) and before.modifiers <= after.modifiers)
    if before.base == "numeric":
        return not after.modifiers or (
            bool(before.modifiers)
            and before.modifiers[0] <= after.modifiers[0]
            and before.modifiers[1:] == after.modifiers[1:]
        )
    return before.base in _WITH_PRECISION and _precision_kept(before, after)


def _precision_kept(before: TypeParts, after: TypeParts) -> bool:
    """No modifier means six digits, the most there is."""
    return (after.modifiers or (6,)) >= (before.modifiers or (6,))


def changes_operator_class(old: str, new: str) -> bool:
    """True when an index on the column must be built again although no row changes: timestamp and timestamptz are
    compared by different operators, and so are bit and bit varying."""
    return {split_type(old).base, split_type(new).base} in (_TIMESTAMPS, {"bit", "bit varying"})


def needs_session_utc(old: str, new: str) -> bool:
    """True when whether rows are rewritten depends on the TimeZone of the session."""
    return {split_type(old).base, split_type(new).base} == _TIMESTAMPS


_LOSSY_PAIRS = frozenset(
    (
        ("double precision", "real"),
        ("double precision", "integer"),
        ("double precision", "bigint"),
        ("double precision", "smallint"),
        ("real", "integer"),
        ("real", "bigint"),
        ("real", "smallint"),
        ("numeric", "integer"),
        ("numeric", "bigint"),
        ("numeric", "smallint"),
        ("numeric", "double precision"),
        ("numeric", "real"),
        ("bigint", "real"),
        ("bigint", "double precision"),
        ("integer", "real"),
        ("timestamp without time zone", "date"),
        ("timestamp with time zone", "date"),
        ("timestamp without time zone", "time without time zone"),
        ("json", "jsonb"),
        ("inet", "cidr"),
    )
)
"""Conversions that round, cut or normalize instead of failing."""


def is_lossy(old: str, new: str) -> bool:
    """True when values may come out of the change with less than they had, without an error."""
    before, after = split_type(old), split_type(new)
    if before.base != after.base:
        return (before.base, after.base) in _LOSSY_PAIRS
    if before.base == "numeric" and after.modifiers:
        scale = (*after.modifiers, 0)[1]
        return not before.modifiers or (*before.modifiers, 0)[1] > scale
    if before.base in _WITH_PRECISION:
        return not _precision_kept(before, after)
    return False


NUMBERS = frozenset(("smallint", "integer", "bigint", "numeric", "real", "double precision"))
TEXT_LIKE = frozenset(("text", "character varying", "character", "bpchar", "name", '"char"'))

_CAST_GROUPS = (
    NUMBERS,
    frozenset(("date", "timestamp without time zone", "timestamp with time zone")),
    TEXT_LIKE,
    frozenset(("json", "jsonb")),
    frozenset(("inet", "cidr")),
    frozenset(("bit", "bit varying")),
)
_CAST_PAIRS = frozenset(
    (
        ("integer", "boolean"),
        ("boolean", "integer"),
        ("timestamp without time zone", "time without time zone"),
        ("timestamp with time zone", "time without time zone"),
        ("timestamp with time zone", "time with time zone"),
        ("time without time zone", "interval"),
        ("interval", "time without time zone"),
        ("time without time zone", "time with time zone"),
        ("time with time zone", "time without time zone"),
    )
)


def cast_through(old: str, new: str) -> str:
    """The type that a value goes through on its way from ``old`` to ``new``: empty when PostgreSQL has a direct cast.

    From and to text every type converts, so a pair without a cast goes through its text, which refuses what it cannot
    read.
    """
    before, after = split_type(old), split_type(new)
    if before.array != after.array:
        return "" if after.base == "text" and not after.array else "pg_catalog.text"
    dimensions = "[]" if before.array else ""
    pair = (before.base, after.base)
    direct = (
        before.base == after.base
        or before.base in TEXT_LIKE
        or after.base in TEXT_LIKE
        or pair in _CAST_PAIRS
        or any(set(pair) <= group for group in _CAST_GROUPS)
    )
    if direct:
        return ""
    if "boolean" in pair and NUMBERS.intersection(pair):
        return "integer" + dimensions
    return "pg_catalog.text" + dimensions
