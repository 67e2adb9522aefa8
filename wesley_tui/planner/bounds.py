"""What the bound of a partition means: as a condition on rows, and beside another bound.

PostgreSQL spares ATTACH PARTITION its scan when a valid CHECK implies the bound. It proves that by the form of the
condition, so the conditions here are built as ``get_qual_for_range()`` and ``get_qual_for_list()`` build theirs; where
that is more than a comparison of one key there is no condition, and the rows are looked at.
"""

from __future__ import annotations

import re
from typing import Any

from pglast.stream import RawStream

from wesley_tui.planner.parse import parse_statement

__all__ = ["bound_condition", "key_columns", "may_overlap"]

_DATE = re.compile(r"'\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?'")


def bound_condition(partition_by: str, bound: str) -> str | None:
    """The rows that a partition takes, as SQL over the columns of its parent; None where this module has no form that
    PostgreSQL is known to take for a proof (several keys, HASH, DEFAULT, an operator class or collation of its own)."""
    keys = _key(partition_by).partParams
    spec = _bound(bound)
    if len(keys) != 1 or spec.is_default or keys[0].collation or keys[0].opclass:
        return None
    key = f"({RawStream()(keys[0].expr)})" if keys[0].expr is not None else RawStream()(keys[0]).strip()
    if spec.lowerdatums is not None:
        (lower,), (upper,) = spec.lowerdatums, spec.upperdatums
        parts = [f"{key} IS NOT NULL"]
        parts += [f"{key} >= {_text(lower)}"] if _finite(lower) else []
        parts += [f"{key} < {_text(upper)}"] if _finite(upper) else []
        return " AND ".join(parts)
    if spec.listdatums is not None:
        values = [text for item in spec.listdatums if (text := _text(item)).upper() != "NULL"]
        with_null = len(values) != len(spec.listdatums)
        if not values:
            return f"{key} IS NULL"
        one_of = f"{key} = {values[0]}" if len(values) == 1 else f"{key} = ANY (ARRAY[{', '.join(values)}])"
        return f"{key} IS NULL OR {one_of}" if with_null else f"{key} IS NOT NULL AND {one_of}"
    return None


def key_columns(partition_by: str) -> tuple[str, ...]:
    """The columns that the key speaks of, expressions included, each once, in order."""
    from wesley_tui.planner.effects.expressions import columns_in

    found: list[str] = []
    for item in _key(partition_by).partParams:
        found += [item.name] if item.name else sorted(columns_in(RawStream()(item.expr)) or ())
    return tuple(dict.fromkeys(found))


def may_overlap(first: str, second: str) -> bool:
    """Whether two bounds of one parent could take the same row. True when it cannot be told."""
    one, other = _bound(first), _bound(second)
    if one.is_default or other.is_default:
        return bool(one.is_default and other.is_default)
    if one.listdatums is not None and other.listdatums is not None:
        return not {_text(item) for item in one.listdatums}.isdisjoint(_text(item) for item in other.listdatums)
    if one.lowerdatums is not None and other.lowerdatums is not None:
        if len(one.lowerdatums) != 1 or len(other.lowerdatums) != 1:
            return True
        return not (_ends_before(one, other) or _ends_before(other, one))
    return True


def _ends_before(one: Any, other: Any) -> bool:
    upper, lower = one.upperdatums[0], other.lowerdatums[0]
    if not (_finite(upper) and _finite(lower)):
        return False
    a, b = _text(upper), _text(lower)
    if a == b:
        return True
    if re.fullmatch(r"-?\d+", a.strip("'")) and re.fullmatch(r"-?\d+", b.strip("'")):
        return int(a.strip("'")) <= int(b.strip("'"))
    return bool(_DATE.fullmatch(a) and _DATE.fullmatch(b) and len(a) == len(b) and a <= b)


def _key(partition_by: str) -> Any:
    return parse_statement(f"CREATE TABLE t () PARTITION BY {partition_by}").partspec


def _bound(bound: str) -> Any:
    return parse_statement(f"CREATE TABLE t PARTITION OF p {bound}").partbound


def _text(node: Any) -> str:
    return str(RawStream()(node))


def _finite(node: Any) -> bool:
    return _text(node).strip('"').lower() not in ("minvalue", "maxvalue")
