"""The values of constants: different spellings that PostgreSQL stores as one.

``interval '24 hours'`` is printed as ``'24:00:00'::interval``, ``'{"a":1}'::jsonb`` as ``'{"a": 1}'::jsonb``, ``'t'``
for a boolean as ``true``. :func:`literal_value` gives the value of a constant of a known type in one spelling; a text
that it cannot read is its own value, so that not knowing a form makes two constants different, never equal.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

__all__ = ["NUMERIC_TYPES", "array_elements", "literal_value", "number_text"]

NUMERIC_TYPES = frozenset(("smallint", "integer", "bigint", "numeric", "real", "double precision"))

_TRUE = frozenset(("t", "tr", "tru", "true", "y", "ye", "yes", "on", "1"))
_FALSE = frozenset(("f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0"))
"""What ``boolin()`` accepts (``parse_bool``): every unique prefix."""

_MICROSECONDS = {"us": 1, "ms": 1_000, "s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000}
_UNITS = {
    spelling: unit
    for unit, spellings in {
        "us": ("us", "usec", "usecs", "microsecond", "microseconds"),
        "ms": ("ms", "msec", "msecs", "millisecond", "milliseconds"),
        "s": ("s", "sec", "secs", "second", "seconds"),
        "min": ("m", "min", "mins", "minute", "minutes"),
        "h": ("h", "hr", "hrs", "hour", "hours"),
        "d": ("d", "day", "days"),
        "w": ("w", "week", "weeks"),
        "mon": ("mon", "mons", "month", "months"),
        "y": ("y", "yr", "yrs", "year", "years"),
        "dec": ("dec", "decs", "decade", "decades"),
        "c": ("c", "cent", "century", "centuries"),
    }.items()
    for spelling in spellings
}
_DAYS = {"d": 1, "w": 7}
_MONTHS = {"mon": 1, "y": 12, "dec": 120, "c": 1200}
_QUANTITY = re.compile(r"([+-]?)(\d+(?:\.\d+)?)\s*([a-z]+)")
_CLOCK = re.compile(r"([+-]?)(\d+):(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?")
_PLAIN_ARRAY = re.compile(r"\{\s*(?:[^{}\",\\\s]+(?:\s*,\s*[^{}\",\\\s]+)*)?\s*\}")


def literal_value(text: str, type_name: str | None) -> str:
    """The value of the constant ``text`` of type ``type_name`` (canonical spelling; ``None``: unknown) as text."""
    match type_name:
        case None | "text" | "character varying":
            return text
        case "boolean":
            return _boolean(text)
        case "interval":
            return _interval(text) or text
        case "jsonb":
            return _jsonb(text)
        case "uuid":
            return _uuid(text)
        case "date":
            return _date(text)
        case "bytea":
            return _bytea(text)
        case "timestamp with time zone" | "timestamp without time zone":
            return _timestamp(text, zoned=type_name == "timestamp with time zone")
        case "regclass" | "regconfig" | "regproc" | "regprocedure" | "regtype":
            return re.sub(r"^(public|pg_catalog)\.", "", text)
        case _ if type_name in NUMERIC_TYPES:
            return number_text(text) or text
        case _:
            return text


def number_text(text: str) -> str | None:
    """A number without exponent, leading plus or missing zero (``.5`` is ``0.5``); its scale is kept, because numeric
    keeps it. ``None`` when ``text`` is no finite decimal number."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number.adjusted()) > 1000:
        return None
    shown = format(number, "f")
    return "0" if shown == "-0" else shown


def array_elements(text: str) -> list[str] | None:
    """The elements of an array constant without quotes, nesting and NULL (``{a, b}``), else ``None``."""
    if not _PLAIN_ARRAY.fullmatch(text):
        return None
    inner = text.strip()[1:-1].strip()
    elements = [element.strip() for element in inner.split(",")] if inner else []
    return None if any(element.upper() == "NULL" for element in elements) else elements


def _boolean(text: str) -> str:
    word = text.strip().lower()
    return "true" if word in _TRUE else "false" if word in _FALSE else text


def _interval(text: str) -> str | None:
    """Months, days and microseconds, the three that PostgreSQL stores; ``None`` for forms not read here (ISO 8601,
    fractions of days and months, two signs at once)."""
    months = days = microseconds = 0
    rest = text.strip().lower()
    ago = rest.endswith(" ago")
    rest = rest.removesuffix(" ago").removeprefix("@").strip()
    if not rest:
        return None
    while rest:
        if clock := _CLOCK.match(rest):
            sign, hours, minutes, seconds = clock.groups()
            amount = int(hours) * 3_600_000_000 + int(minutes) * 60_000_000 + int(Decimal(seconds or 0) * 1_000_000)
            microseconds += -amount if sign == "-" else amount
            rest = rest[clock.end() :].lstrip()
            continue
        quantity = _QUANTITY.match(rest)
        unit = _UNITS.get(quantity[3]) if quantity else None
        if quantity is None or unit is None:
            return None
        number = Decimal(quantity[1] + quantity[2])
        if unit in _MICROSECONDS:
            microseconds += int(number * _MICROSECONDS[unit])
        elif number != int(number):
            return None
        elif unit in _DAYS:
            days += int(number) * _DAYS[unit]
        else:
            months += int(number) * _MONTHS[unit]
        rest = rest[quantity.end() :].lstrip()
    sign = -1 if ago else 1
    return f"{sign * months} mon {sign * days} d {sign * microseconds} us"


def _jsonb(text: str) -> str:
    try:
        return json.dumps(json.loads(text, parse_float=str, parse_int=str), sort_keys=True)
    except (ValueError, RecursionError):
        return text


def _uuid(text: str) -> str:
    try:
        return str(UUID(text.strip()))
    except ValueError:
        return text


def _bytea(text: str) -> str:
    """Hexadecimal, as the server prints it; the older escape format only where it escapes nothing."""
    if text.startswith("\\x"):
        return text.lower().replace(" ", "")
    return text if "\\" in text else "\\x" + text.encode().hex()


def _date(text: str) -> str:
    if match := re.fullmatch(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})\s*", text):
        try:
            return date(int(match[1]), int(match[2]), int(match[3])).isoformat()
        except ValueError:
            return text
    return text


def _timestamp(text: str, *, zoned: bool) -> str:
    """ISO 8601 only; without an offset in UTC, the TimeZone under which a catalog is read."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return text
    if not zoned:
        return moment.replace(tzinfo=None).isoformat(" ")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat(" ")
