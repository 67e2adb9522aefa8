"""Indexes, and the keys that they share with exclusion constraints."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from wesley_tui.catalog.model import Index, IndexKey, QName
from wesley_tui.catalog.naming import qualified, quote_ident, quote_literal
from wesley_tui.catalog.reading.names import HIDDEN_PREFIXES, Names, Oid, OperatorClass, options_of

__all__ = ["included_columns", "index_keys", "read_index", "speaks_of_retired"]

_DESCENDING, _NULLS_FIRST = 1, 2
"""Bits of ``pg_index.indoption``."""


def read_index(row: Sequence[Any], names: Names) -> Index:
    _, oid, name, method, unique, valid, nulls_not_distinct = row[:7]
    return Index(
        name,
        tuple(index_keys(row, names)),
        method,
        unique,
        included_columns(row, names),
        nulls_not_distinct,
        where=row[13],
        options=tuple(sorted(options_of(row[14]))),
        valid=valid,
        comment=names.comments.get(("pg_class", oid, 0)),
        tablespace=row[16],
    )


def included_columns(row: Sequence[Any], names: Names) -> tuple[str, ...]:
    column_names = names.columns[row[0]]
    return tuple(column_names[number] for number in row[8][row[7] :])


def index_keys(row: Sequence[Any], names: Names) -> Iterator[IndexKey]:
    table, oid, _, method = row[:4]
    key_count, columns, opclasses, collations, options = row[7:12]
    expressions = iter(row[12] or ())
    definition = row[15]
    for position in range(key_count):
        number, bits = columns[position], options[position]
        descending = bool(bits & _DESCENDING)
        nulls_first = bool(bits & _NULLS_FIRST)
        key_type, parameters, statistics = names.index_attributes.get((oid, position + 1), ("0", None, None))
        expression = None
        if number:
            key_type = names.column_types[table][number]
            same = collations[position] == names.column_collations[table][number]
            collation = None if same or collations[position] == "0" else names.collations[collations[position]]
        else:
            expression = next(expressions)
            collation = _expression_key_collation(definition, position)
        yield IndexKey(
            names.columns[table][number] if number else None,
            expression,
            _operator_class(names.opclasses[opclasses[position]], method, key_type, parameters, names),
            collation,
            descending,
            None if nulls_first == descending else nulls_first,
            statistics if expression is not None else None,
        )


def _expression_key_collation(definition: str | None, position: int) -> QName | None:
    """The COLLATE that ``pg_get_indexdef()`` prints after an expression: only the server knows what the expression
    yields by itself."""
    if definition is None:
        return None
    from pglast.parser import parse_sql_json

    statement = json.loads(parse_sql_json(definition))["stmts"][0]["stmt"]["IndexStmt"]
    collation = statement["indexParams"][position]["IndexElem"].get("collation")
    if not collation:
        return None
    parts = [part["String"]["sval"] for part in collation]
    return QName(parts[0], parts[1]) if len(parts) > 1 else QName("pg_catalog", parts[0])


def _operator_class(
    opclass: OperatorClass, method: str, key_type: Oid, parameters: Sequence[str] | None, names: Names
) -> str | None:
    """The operator class as SQL, ``None`` when leaving it out gives the same one.

    A class that is the default for its input type is what the server picks for a key of that type, and for keys of a
    type without a default of its own (``varchar`` uses ``text_ops``, an enum ``enum_ops``).
    """
    is_default = opclass.default and (opclass.input_type == key_type or (method, key_type) not in names.default_inputs)
    if is_default and not parameters:
        return None
    name = (
        quote_ident(opclass.name) if opclass.schema == "pg_catalog" else qualified(QName(opclass.schema, opclass.name))
    )
    if not parameters:
        return name
    pairs = (parameter.partition("=") for parameter in parameters)
    return f"{name} ({', '.join(f'{quote_ident(key)}={quote_literal(value)}' for key, _, value in pairs)})"


def speaks_of_retired(row: Sequence[Any], names: Names) -> bool:
    """True for an index over a retired column: it goes, and comes back, with that column."""
    retired = names.retired[row[0]]
    if not retired:
        return False
    texts = [*(row[12] or ()), row[13] or ""]
    return not retired.isdisjoint(row[8]) or any(prefix in text for text in texts for prefix in HIDDEN_PREFIXES)
