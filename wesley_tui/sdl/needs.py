"""What tables lean on beside the tables that they refer to: types, functions, sequences, tables that policies read.

A table that did not change is walked once, and keeps its record as long as it leans on the same objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from wesley_tui.catalog.model import Check, Exclude, QName, Ref, Table
from wesley_tui.sdl.inventory import Inventory
from wesley_tui.sdl.names import split_name
from wesley_tui.sdl.sqltext import SqlError, parse_one
from wesley_tui.sdl.statements import Mentions, mentions_of

__all__ = ["Known", "with_needs"]

_NOTHING = Mentions()


class Known(NamedTuple):
    """A table, what it speaks of, and its record with what that means among the declared objects."""

    table: Table
    mentions: Mentions
    read: frozenset[tuple[str | None, str]]
    """Relations that its policies speak of."""
    result: Table


def with_needs(
    tables: Mapping[QName, Table], inventory: Inventory, before: Mapping[int, Known]
) -> tuple[dict[QName, Table], dict[int, Known]]:
    """Tables with :attr:`Table.depends_on`, and what is to be remembered for the next time (by ``id``)."""
    result: dict[QName, Table] = {}
    fresh: dict[int, Known] = {}
    for name, table in tables.items():
        known = before.get(id(table))
        if known is None or known.table is not table:
            known = Known(table, _mentions(table), _read_by_policies(table), table)
        if known.mentions is not _NOTHING:
            found = inventory.dependencies(known.mentions)
            if found:
                # A policy is no foreign key: it comes after the tables that it reads.
                read = {("table", str(QName(schema or "public", item))) for schema, item in known.read}
                implied = {Ref("table", str(key.references)) for key in table.foreign_keys} - read
                found -= {Ref("table", str(name)), *implied}
            needs = tuple(sorted(found))
            if known.result.depends_on != needs:
                known = known._replace(result=replace(table, depends_on=needs))
        fresh[id(table)] = known
        result[name] = known.result
    return result, fresh


def _mentions(table: Table) -> Mentions:
    found = [_of_expression(text) for text in _expressions(table)]
    found += [_of_type(column.type) for column in table.columns if "." in column.type]
    found = [item for item in found if item is not _NOTHING]
    if not found:
        return _NOTHING
    return Mentions(
        frozenset().union(*(item.relations for item in found)),
        frozenset().union(*(item.functions for item in found)),
        frozenset().union(*(item.types for item in found)),
        others=frozenset().union(*(item.others for item in found)),
    )


def _read_by_policies(table: Table) -> frozenset[tuple[str | None, str]]:
    texts = [text for policy in table.policies for text in (policy.using, policy.check) if text is not None]
    return frozenset().union(*(_of_expression(text).relations for text in texts))


def _expressions(table: Table) -> Iterator[str]:
    for column in table.columns:
        if column.default is not None:
            yield column.default
        if column.generated is not None:
            yield column.generated.expression
    for constraint in table.constraints:
        if isinstance(constraint, Check):
            yield constraint.expression
        elif isinstance(constraint, Exclude):
            yield from (key.expression for key, _ in constraint.elements if key.expression is not None)
            if constraint.where is not None:
                yield constraint.where
    for index in table.indexes:
        yield from (key.expression for key in index.keys if key.expression is not None)
        if index.where is not None:
            yield index.where
    for policy in table.policies:
        yield from (text for text in (policy.using, policy.check) if text is not None)


@lru_cache(maxsize=16384)
def _of_expression(text: str) -> Mentions:
    try:
        mentions = mentions_of(parse_one("SELECT (", text, ")"))
    except SqlError:
        return _NOTHING
    return mentions if any((mentions.relations, mentions.functions, mentions.types, mentions.others)) else _NOTHING


@lru_cache(maxsize=4096)
def _of_type(text: str) -> Mentions:
    name = text.removesuffix("[]")
    if name.endswith(")"):
        name = name[: name.rindex("(")]
    try:
        parts, _ = split_name(name)
    except ValueError:
        return _NOTHING
    return Mentions(types=frozenset(((parts[0], parts[1]),))) if len(parts) == 2 else _NOTHING
