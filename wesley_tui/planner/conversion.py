"""From a value of the old type to one of the new, and back: the SQL that a change of type by shadow column computes.

The same conversion is computed by a trigger in the sessions of clients, whatever their settings, and by our batches;
so it must not depend on settings. Between timestamps with and without time zone it names the zone; what else depends on
a setting (dates from and to text …) is computed by a function that fixes these settings (:func:`settings_of`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wesley_tui.catalog.model import Column
from wesley_tui.catalog.naming import quote_ident, quote_literal
from wesley_tui.planner.casts import NUMBERS, TEXT_LIKE, cast_through, is_lossy, split_type

__all__ = ["Conversion", "can_fail", "conversion_between", "reverse_template", "settings_of", "unconvertible"]

_CUT_BY_CAST = frozenset(("character varying", "character", "bit", "bit varying"))
"""An explicit cast to these cuts what is too long; an assignment refuses it."""
_FREE_OF_SETTINGS = frozenset((
    *(NUMBERS - {"real", "double precision"}), *TEXT_LIKE, "boolean", "uuid", "json", "jsonb", "xml", "inet", "cidr",
    "macaddr", "macaddr8", "bit", "bit varying", "oid",
))  # fmt: skip
"""Among these no conversion depends on a setting. Every other type may be written by one: what holds points in time or
fractions, or something of the kind inside (ranges, points, domains, composite types)."""
_FLOATS = frozenset(("real", "double precision"))
_RANGES = {
    "smallint": (-32768, 32767),
    "integer": (-2147483648, 2147483647),
    "bigint": (-9223372036854775808, 9223372036854775807),
}
_INTEGERS = tuple(_RANGES)
_SETTINGS = (
    "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO, YMD'",
    "SET IntervalStyle = 'postgres'",
    "SET bytea_output = 'hex'",
    "SET extra_float_digits = '1'",
)


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a column's values become those of another type."""

    column: str
    """The column that is read."""
    template: str
    """SQL of the value, ``{}`` where the column stands; with ``using`` the author's own expression over the row."""
    relation: str = ""
    """With ``using``: the name by which the expression may qualify columns."""
    using: bool = False
    fills: bool = False
    """A NULL becomes the default of the new column, which is NOT NULL."""

    def of(self, row: str) -> str:
        """The value for ``row``, an alias of the table or ``NEW``."""
        if self.using:
            return f"(SELECT {self.template} FROM (SELECT {row}.*) AS {quote_ident(self.relation)})"
        return self.template.replace("{}", f"{row}.{quote_ident(self.column)}")

    def of_row(self, row: str, columns: Mapping[str, str]) -> str:
        """The author's expression over ``row``, whose columns have other names now: new name by the expression's."""
        listed = ", ".join(f"{row}.{quote_ident(now)} AS {quote_ident(then)}" for then, now in columns.items())
        return f"(SELECT {self.template} FROM (SELECT {listed}) AS {quote_ident(self.relation)})"

    @property
    def plain(self) -> str:
        """The value where columns are not qualified: in a constraint. Not for an author's expression."""
        return self.template.replace("{}", quote_ident(self.column))


def conversion_between(
    old: Column, new: Column, *, table: str, timezone: str = "UTC", using: str | None = None
) -> Conversion:
    """The conversion of ``old``'s values to the type of ``new``; the author's expression wins."""
    template = using if using is not None else _template(old.type, new.type, timezone)
    fills = new.not_null and not old.not_null and new.default is not None and new.identity is None
    if fills:
        template = f"COALESCE({template}, {new.default})"
    return Conversion(old.name, template, table if using is not None else "", using is not None, fills)


def _template(old: str, new: str, timezone: str) -> str:
    before, after = split_type(old), split_type(new)
    zone = f"AT TIME ZONE {quote_literal(timezone)}"
    precision = f"::{new}" if after.modifiers else ""
    pair = (before.base, after.base)
    if not before.array and not after.array:
        match pair:
            case ("timestamp without time zone", "timestamp with time zone"):
                return f"({{}} {zone}){precision}"
            case ("timestamp with time zone", "timestamp without time zone"):
                return f"({{}} {zone}){precision}"
            case ("date", "timestamp with time zone"):
                return f"({{}}::timestamp without time zone {zone}){precision}"
            case ("timestamp with time zone", "date" | "time without time zone"):
                return f"({{}} {zone})::{new}"
            case _:
                pass
    if after.base in _CUT_BY_CAST and after.modifiers:
        return "{}"
    through = cast_through(old, new)
    return "{}" + (f"::{through}" if through else "") + f"::{new}"


def settings_of(old: str, new: str, *, using: bool) -> tuple[str, ...]:
    """SET clauses of the function that converts; empty where no setting matters, because they cost every write a
    little."""
    bases = {split_type(old).base, split_type(new).base}
    if using:
        return ("SET search_path = pg_catalog, public, pg_temp", *_SETTINGS)
    if bases <= _FREE_OF_SETTINGS or (bases & _FLOATS and bases <= _FLOATS | _FREE_OF_SETTINGS - TEXT_LIKE):
        return ()
    return _SETTINGS


_SAFE = frozenset(
    (
        ("real", "double precision"),
        ("boolean", "integer"),
        ("integer", "boolean"),
        ("date", "timestamp without time zone"),
        ("date", "timestamp with time zone"),
        ("timestamp without time zone", "timestamp with time zone"),
        ("timestamp with time zone", "timestamp without time zone"),
        ("timestamp with time zone", "date"),
        ("timestamp without time zone", "date"),
        ("timestamp without time zone", "time without time zone"),
        ("timestamp with time zone", "time without time zone"),
        ("jsonb", "json"),
        ("json", "jsonb"),
        ("cidr", "inet"),
        ("inet", "cidr"),
    )
)


def can_fail(old: str, new: str) -> bool:
    """True unless every value of the old type is known to have one of the new."""
    before, after = split_type(old), split_type(new)
    if after.modifiers:
        return before.base != after.base or after.base in (*_CUT_BY_CAST, "numeric")
    if before.base == after.base:
        return before.array != after.array
    if before.array or after.array:
        return after.base not in TEXT_LIKE
    pair = (before.base, after.base)
    if before.base in _INTEGERS and after.base in _INTEGERS:
        return _INTEGERS.index(before.base) > _INTEGERS.index(after.base)
    widened = before.base in _INTEGERS and after.base in ("numeric", *_FLOATS)
    return not (widened or after.base in TEXT_LIKE - {'"char"', "name", "character"} or pair in _SAFE)


def unconvertible(column: Column, new: str, major: int) -> str | None:
    """A condition that holds for the rows whose value has no counterpart; None when none has, or when this server can
    only tell by trying (before PostgreSQL 16 there is no ``pg_input_is_valid()``)."""
    old = column.type
    if not can_fail(old, new):
        return None
    name = quote_ident(column.name)
    before, after = split_type(old), split_type(new)
    if before.array or after.array:
        return _input_invalid(name, new, major)
    if after.base in _RANGES and before.base in NUMBERS:
        low, high = _RANGES[after.base]
        outside = f"pg_catalog.round({name}::numeric) NOT BETWEEN {low} AND {high}"
        special = f"{name}::text IN ('NaN', 'Infinity', '-Infinity')"
        if before.base in _INTEGERS:
            return f"{name} NOT BETWEEN {low} AND {high}"
        return f"CASE WHEN {special} THEN true ELSE {outside} END"
    if after.base == "numeric" and after.modifiers and before.base in NUMBERS:
        precision, scale = (*after.modifiers, 0)[:2]
        return f"pg_catalog.abs(pg_catalog.round({name}::numeric, {scale})) >= 1e{precision - scale}::numeric"
    if after.base in ("character varying", "character") and after.modifiers and before.base in TEXT_LIKE:
        length = after.modifiers[0]
        return (
            f"pg_catalog.char_length({name}::text) > {length} "
            f"AND pg_catalog.char_length(pg_catalog.rtrim({name}::text)) > {length}"
        )
    if before.base in TEXT_LIKE or cast_through(old, new):
        return _input_invalid(name, new, major)
    return None


_PATTERNS = {
    "smallint": r"^\s*[-+]?\d+\s*$",
    "integer": r"^\s*[-+]?\d+\s*$",
    "bigint": r"^\s*[-+]?\d+\s*$",
    "numeric": r"^\s*([-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|NaN)\s*$",
    "double precision": r"^\s*([-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|NaN|[-+]?Infinity)\s*$",
    "boolean": r"^\s*(t|tr|tru|true|f|fa|fal|fals|false|y|ye|yes|n|no|on|of|off|0|1)\s*$",
    "uuid": r"^\{?([0-9a-fA-F]{4}-?){8}\}?$",
}


def _input_invalid(name: str, new: str, major: int) -> str | None:
    if major >= 16:
        return f"NOT pg_catalog.pg_input_is_valid({name}::text, {quote_literal(new)})"
    pattern = _PATTERNS.get(split_type(new).base)
    if pattern is None or split_type(new).array:
        return None
    refused = f"{name}::text !~* {quote_literal(pattern)}"
    if new in _RANGES:
        low, high = _RANGES[new]
        refused = f"CASE WHEN {refused} THEN true ELSE {name}::text::numeric NOT BETWEEN {low} AND {high} END"
    return refused


def reverse_template(old: str, new: str) -> str | None:
    """SQL that gives the old type's value for one of the new (``{}``), NULL where it has none, and never an error; None
    when there is no such expression. Different values never become the same."""
    before, after = split_type(old), split_type(new)
    if before.array or after.array or is_lossy(new, old):
        return None
    if before.base in _INTEGERS and after.base in _INTEGERS:
        low, high = _RANGES[before.base]
        return f"CASE WHEN {{}} BETWEEN {low} AND {high} THEN {{}}::{old} END"
    if before.base in _INTEGERS and after.base == "numeric":
        low, high = _RANGES[before.base]
        return f"CASE WHEN {{}} BETWEEN {low} AND {high} AND {{}} = pg_catalog.trunc({{}}) THEN {{}}::{old} END"
    if before.base in ("text", "character varying") and after.base in ("text", "character varying"):
        if not before.modifiers:
            return f"{{}}::{old}"
        return f"CASE WHEN pg_catalog.char_length({{}}) <= {before.modifiers[0]} THEN {{}}::{old} END"
    return None
