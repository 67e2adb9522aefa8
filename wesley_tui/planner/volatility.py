"""How volatile a default is: whether every row gets the same value, which PostgreSQL can then note once.

Since PostgreSQL 11 a column can be added with a default without touching a row, when the default is not volatile: the
value is computed once, when the statement runs. ``now()`` is stable, so all existing rows get the time of the ALTER.
Functions that are not in the lists below are taken for volatile: that costs a slower plan, never a wrong one.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pglast.parser import ParseError
from pglast.visitors import Visitor

from wesley_tui.planner.parse import parse_expression

__all__ = ["is_volatile", "is_volatile_function", "volatile_functions"]

_NOT_VOLATILE = frozenset(
    """
    now transaction_timestamp statement_timestamp current_setting current_user session_user current_database
    current_schema current_schemas inet_client_addr inet_server_addr pg_backend_pid version txid_current
    pg_current_xact_id localtimestamp timezone date_trunc date_part extract age make_date make_interval
    make_time make_timestamp make_timestamptz to_char to_date to_timestamp to_number justify_days
    justify_hours justify_interval lower upper initcap length char_length octet_length bit_length substr
    substring left right lpad rpad ltrim rtrim btrim trim concat concat_ws format replace translate reverse
    repeat split_part strpos position overlay chr ascii md5 sha224 sha256 sha384 sha512 encode decode convert
    convert_from convert_to quote_ident quote_literal quote_nullable to_hex abs ceil ceiling floor round trunc
    sign sqrt power pow exp ln log mod div greatest least coalesce nullif gcd lcm int2 int4 int8 float4 float8
    numeric text varchar bpchar bool date timestamp timestamptz time timetz interval uuid jsonb json bytea
    int4range int8range numrange tsrange tstzrange daterange array_append array_prepend array_cat array_fill
    array_length array_position array_remove array_replace array_to_string cardinality string_to_array
    jsonb_build_object jsonb_build_array json_build_object json_build_array to_json to_jsonb jsonb_set
    jsonb_insert jsonb_strip_nulls row_to_json array_to_json jsonb_object json_object to_tsvector to_tsquery
    plainto_tsquery setweight
    """.split()  # noqa: SIM905 - a list of words reads better as one
)
"""Functions of ``pg_catalog`` that are immutable or stable (``pg_proc.provolatile``), as far as defaults use them."""


def is_volatile_function(names: Sequence[str]) -> bool:
    """``names``: the parts of the function's name, as written. What is not known to be stable counts as volatile."""
    built_in = len(names) == 1 or names[0] == "pg_catalog"
    return not built_in or names[-1] not in _NOT_VOLATILE


class _Functions(Visitor):
    def __init__(self) -> None:
        self.volatile: list[str] = []

    def visit_FuncCall(self, _: Any, node: Any) -> None:
        names = [part.sval for part in node.funcname]
        if is_volatile_function(names):
            self.volatile.append(".".join(names))

    def visit_SubLink(self, *_: Any) -> None:
        self.volatile.append("a subquery")


@lru_cache(maxsize=4096)
def volatile_functions(expression: str) -> tuple[str, ...]:
    """What makes ``expression`` volatile, as far as the text can tell; a text that is no expression counts as such."""
    try:
        node = parse_expression(expression)
    except (ParseError, ValueError):
        return (expression,)
    return functions_in(node)


def functions_in(node: Any) -> tuple[str, ...]:
    """The volatile functions that a parsed expression calls."""
    visitor = _Functions()
    visitor(node)
    return tuple(dict.fromkeys(visitor.volatile))


def is_volatile(expression: str) -> bool:
    """True when existing rows would get different values, so that ADD COLUMN with it writes every row again."""
    return bool(volatile_functions(expression))
