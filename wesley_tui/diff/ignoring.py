"""What a comparison is not to look at: patterns over the names of objects.

A pattern is matched as in a shell (``*``, ``?``, ``[…]``) against ``schema.name``, and where there is none against the
name alone; with a kind before it, ``table:public.tmp_*``, ``materialized view:reports.*``, only against objects of that
kind. What is ignored is left out on both sides, so that it is neither created, changed nor dropped, nor listed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from fnmatch import fnmatchcase

from wesley_tui.catalog.model import Catalog, QName

__all__ = ["is_ignored", "without_ignored"]


def is_ignored(kind: str, name: QName, patterns: Collection[str]) -> bool:
    """``kind`` in PostgreSQL's words: table, enum, view, function …"""
    text = str(name) if name.schema else name.name
    for pattern in patterns:
        wanted_kind, colon, rest = pattern.partition(":")
        if colon and wanted_kind == kind and fnmatchcase(text, rest):
            return True
        if fnmatchcase(text, pattern):
            return True
    return False


def without_ignored(catalog: Catalog, patterns: Collection[str]) -> Catalog:
    """``catalog`` without the objects that a pattern matches; triggers and rules go with their relation."""

    def stays(kind: str, name: QName) -> bool:
        return not is_ignored(kind, name, patterns)

    tables = {name: table for name, table in catalog.tables.items() if stays("table", name)}
    objects = {
        ref: item
        for ref, item in catalog.objects.items()
        if stays(item.kind, item.name)
        and (item.relation is None or item.relation not in catalog.tables or item.relation in tables)
    }
    return dataclasses.replace(
        catalog,
        tables=tables,
        enums={name: enum for name, enum in catalog.enums.items() if stays("enum", name)},
        objects=objects,
        unmanaged=tuple(item for item in catalog.unmanaged if stays(item.kind, item.name)),
    )
