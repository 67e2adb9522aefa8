"""Differences of enum types: labels can be added anywhere in place; removing or reordering them needs a new type."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.catalog.model import Catalog, Enum, QName
from wesley_tui.catalog.naming import qualified
from wesley_tui.diff.changes import AddEnumLabel, Change, ChangeComment, ChangeEnumLabels

__all__ = ["columns_of_enum", "compare_enum"]


def compare_enum(live: Enum, wanted: Enum, catalog: Catalog) -> Iterator[Change]:
    """``catalog`` is the live one (under new names): it says which columns are of the type."""
    kept = set(wanted.labels)
    if tuple(label for label in live.labels if label in kept) == tuple(
        label for label in wanted.labels if label in set(live.labels)
    ) and kept.issuperset(live.labels):
        yield from _added_labels(live, wanted)
    else:
        yield ChangeEnumLabels(live, wanted, columns_of_enum(live.name, catalog))
    if live.comment != wanted.comment:
        yield ChangeComment("type", wanted.name, None, live.comment, wanted.comment)


def _added_labels(live: Enum, wanted: Enum) -> Iterator[AddEnumLabel]:
    """Each new label is placed after its left neighbour, which exists by then; a first one before its right one."""
    existing = set(live.labels)
    last = live.labels[-1] if live.labels else None
    for place, label in enumerate(wanted.labels):
        if label in existing:
            continue
        if place == 0:
            following = next((other for other in wanted.labels[1:] if other in existing), None)
            yield AddEnumLabel(wanted.name, label, "before", following)
            last = last or label
        else:
            previous = wanted.labels[place - 1]
            at_the_end = previous == last
            yield AddEnumLabel(wanted.name, label, "after", None if at_the_end else previous)
            last = label if at_the_end else last
        existing.add(label)


def columns_of_enum(enum: QName, catalog: Catalog) -> tuple[tuple[QName, str], ...]:
    """The columns whose type is the enum or an array of it, sorted."""
    spellings = {qualified(enum), qualified(enum) + "[]"}
    return tuple(
        (name, column.name)
        for name, table in sorted(catalog.tables.items())
        for column in table.columns
        if column.type in spellings
    )
