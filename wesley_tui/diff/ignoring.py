"""What a comparison is not to look at: patterns over the names of objects.

A pattern is matched as in a shell (``*``, ``?``, ``[…]``) against ``schema.name``, and where there is none against the
name alone; with a kind before it, ``table:public.tmp_*``, ``materialized view:reports.*``, only against objects of that
kind. ``!`` before a pattern takes back what patterns before it said, as in a ``.gitignore``: the last one that matches
decides. ``*`` and then ``!app.*`` is how only the schema ``app`` is looked at. What is ignored is left out on both
sides, so that it is neither created, changed nor dropped, nor listed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from fnmatch import fnmatchcase

from wesley_tui.catalog.model import Catalog, QName, SqlObject

__all__ = ["is_ignored", "without_ignored"]


def is_ignored(kind: str, name: QName, patterns: Collection[str]) -> bool:
    """``kind`` in PostgreSQL's words: table, enum, view, function …"""
    return _verdict(kind, name, patterns)[0]


def _verdict(kind: str, name: QName, patterns: Collection[str]) -> tuple[bool, str]:
    """Whether it is ignored, and the pattern that decided."""
    text = str(name) if name.schema else name.name
    ignored, decided = False, ""
    for pattern in patterns:
        bare = pattern.removeprefix("!")
        wanted_kind, colon, rest = bare.partition(":")
        if fnmatchcase(text, bare) or (colon and wanted_kind == kind and fnmatchcase(text, rest)):
            ignored, decided = bare is pattern, bare
    return ignored, decided


def without_ignored(catalog: Catalog, patterns: Collection[str]) -> Catalog:
    """``catalog`` without the objects that a pattern matches; triggers and rules go with their relation, and stay with
    it when only ``*`` speaks of them."""

    def stays(kind: str, name: QName) -> bool:
        return not is_ignored(kind, name, patterns)

    tables = {name: table for name, table in catalog.tables.items() if stays("table", name)}

    def object_stays(item: SqlObject) -> bool:
        ignored, decided = _verdict(item.kind, item.name, patterns)
        if item.relation is None or item.relation not in catalog.tables:
            return not ignored
        return item.relation in tables and (not ignored or decided == "*")

    objects = {ref: item for ref, item in catalog.objects.items() if object_stays(item)}
    return dataclasses.replace(
        catalog,
        tables=tables,
        enums={name: enum for name, enum in catalog.enums.items() if stays("enum", name)},
        objects=objects,
        unmanaged=tuple(item for item in catalog.unmanaged if stays(item.kind, item.name)),
    )
