"""Indexes, from ``@index`` on fields, types, and materialized views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wesley_tui.catalog.model import Index, IndexKey, QName
from wesley_tui.sdl.expressions import checked, sql_spot
from wesley_tui.sdl.key_names import KeyNames, distinct_labels
from wesley_tui.sdl.names import split_name
from wesley_tui.sdl.sqltext import SqlError, parse_expression
from wesley_tui.sdl.usage import Use

__all__ = ["IndexBuilder"]

_ORDER: Mapping[str, tuple[bool, bool | None]] = {
    "ASC": (False, None),
    "ASC NULLS LAST": (False, None),
    "NULLS LAST": (False, None),
    "ASC NULLS FIRST": (False, True),
    "NULLS FIRST": (False, True),
    "DESC": (True, None),
    "DESC NULLS FIRST": (True, None),
    "DESC NULLS LAST": (True, False),
}


class IndexBuilder(KeyNames):
    """Makes indexes."""

    def build_indexes(self, uses: Sequence[tuple[Use, str | None]]) -> None:
        """Make indexes alone, as of a materialized view: each use, and the column of the field that it stands on."""
        self._claim([{"index": [use for use, _ in uses]}])
        for use, column in uses:
            self._index(use, column)

    def _index(self, use: Use, field_column: str | None) -> None:
        given = self._index_keys(use, field_column)
        include = self._resolve(use, "include")
        where = checked(use, "where", self._issues)
        if given is None or include is None:
            return
        keys = self._with_options(use, given)
        labels = [key.column or parse_expression(key.expression or "").label for key in keys]
        nulls = bool(use.get("nullsNotDistinct", False))
        unique = bool(use.get("unique", False))
        if nulls and not unique:
            self._issues.error(
                "wrong-argument", "nullsNotDistinct is about a unique index", use.spot_of("nullsNotDistinct")
            )
        name = self._name(use, "index", distinct_labels([*labels, *include]), "idx")
        self.indexes.append(
            Index(
                name,
                keys,
                use.get("using", "btree").lower(),
                unique,
                include,
                nulls,
                where,
                use.get("with") or (),
                valid=not use.get("invalid", False),
                comment=use.get("comment") or None,
                tablespace=use.get("tablespace") or None,
            )
        )

    def _index_keys(self, use: Use, field_column: str | None) -> list[IndexKey] | None:
        if "fields" in use.arguments and "expr" in use.arguments:
            self._issues.error(
                "wrong-argument", "@index takes fields or expr; in expr a bare column name is a plain key", use.spot
            )
            return None
        if "expr" in use.arguments:
            keys = []
            for number, text in enumerate(use.get("expr")):
                try:
                    expression = parse_expression(text)
                except SqlError as error:
                    self._issues.error(
                        "wrong-sql",
                        f"@index(expr:) is not an SQL expression: {error}",
                        sql_spot(use, "expr", error.offset, number),
                        "one text per key; order, opclass and collate have arguments of their own",
                    )
                    return None
                if expression.node == "CollateClause":
                    self._issues.error(
                        "wrong-argument",
                        "the collation of an index key has an argument of its own",
                        sql_spot(use, "expr", 0, number),
                        'expr: "name", collate: "C"',
                    )
                    return None
                if (
                    expression.node == "ColumnRef"
                    and expression.columns
                    and (self._open or expression.columns[0] in self._columns)
                ):
                    keys.append(IndexKey(expression.columns[0]))
                else:
                    keys.append(IndexKey(None, text.strip()))
            if not keys:
                self._issues.error("missing-argument", "an index has at least one key", use.spot)
            return keys or None
        if field_column is not None and "fields" not in use.arguments:
            return [IndexKey(field_column)]
        columns = self._key_columns(use)
        return None if columns is None else [IndexKey(column) for column in columns]

    def _with_options(self, use: Use, keys: Sequence[IndexKey]) -> tuple[IndexKey, ...]:
        opclasses, collations, orders, targets = (
            self._per_key(use, name, len(keys)) for name in ("opclass", "collate", "order", "statistics")
        )
        if not (any(opclasses) or any(collations) or any(orders) or "statistics" in use.arguments):
            return tuple(keys)
        result = []
        for key, opclass, collation, order, target in zip(keys, opclasses, collations, orders, targets, strict=True):
            if target is not None and (key.expression is None or not 0 <= target <= 10_000):
                self._issues.error(
                    "wrong-argument",
                    "statistics is about expressions, from 0 to 10000; a column has @statistics of its own",
                    use.spot_of("statistics"),
                )
            descending, nulls_first = _ORDER[order or "ASC"]
            result.append(
                IndexKey(
                    key.column,
                    key.expression,
                    opclass or None,
                    self._collation(use, collation) if collation else None,
                    descending,
                    nulls_first,
                    target,
                )
            )
        return tuple(result)

    def _per_key(self, use: Use, argument: str, count: int) -> Sequence[Any]:
        values = use.get(argument)
        if values is None:
            return (None,) * count
        if len(values) != count:
            if len(values) == 1:
                return tuple(values) * count
            self._issues.error(
                "wrong-argument",
                f"the index has {count} keys, and {argument} says something about {len(values)}",
                use.spot_of(argument),
                "one entry per key; null for the default",
            )
            return (None,) * count
        return tuple(values)

    def _collation(self, use: Use, text: str) -> QName | None:
        try:
            parts, columns = split_name(text)
        except ValueError:
            parts, columns = [], None
        if columns is not None or not 1 <= len(parts) <= 2:
            self._issues.error("wrong-argument", f"{text!r} is not the name of a collation", use.spot_of("collate"))
            return None
        return QName(parts[0], parts[1]) if len(parts) == 2 else QName("pg_catalog", parts[0])
