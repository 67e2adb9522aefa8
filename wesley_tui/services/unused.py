"""What was said on the command line and met nothing: an answer to a rename that nobody asked about, a pattern that no
object has. Nothing would happen, and nothing would say why."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, QName
from wesley_tui.diff.accepting import with_accepted
from wesley_tui.diff.ignoring import is_ignored

if TYPE_CHECKING:
    from wesley_tui.sdl.diagnostics import Diagnostic

__all__ = ["unused"]


def unused(
    actual: Catalog, desired: Catalog, renames: Collection[str], patterns: Collection[str]
) -> Iterator[Diagnostic]:
    """One warning for each of ``renames`` (``--accept-rename``) and of the patterns of ``--only`` that meets nothing;
    ``patterns`` as :func:`~wesley_tui.diff.ignoring.is_ignored` takes them."""
    from wesley_tui.sdl.diagnostics import Diagnostic

    tables = with_accepted(Intent(), actual, renames).renamed_tables
    for text in renames:
        why = _why_no_rename(actual, desired, text, tables)
        if why:
            yield Diagnostic(
                "warning", "answers-nothing", f"--accept-rename {text} renames nothing: {why}", "options", 0, 0
            )
    for pattern in _only(patterns):
        if not any(is_ignored(kind, name, (pattern,)) for kind, name in _names(actual, desired)):
            said = f"--only {pattern} matches nothing, neither in the schema nor in the database"
            yield Diagnostic("warning", "matches-nothing", said, "options", 0, 0)


def _why_no_rename(actual: Catalog, desired: Catalog, text: str, tables: Mapping[QName, QName]) -> str:
    """Empty when it renames something, or has done so already. ``tables``: all that are renamed, new name to old."""
    accepted = with_accepted(Intent(), actual, [text])
    for new, old in accepted.renamed_tables.items():
        if old not in actual.tables:
            return "" if new in actual.tables else f"the database has no table {old}"
        if new in actual.tables:
            return f"the database has both {old} and {new}"
        return "" if new in desired.tables else f"the schema declares no table {new}"
    for (name, after), before in accepted.renamed_columns.items():
        later = next((new for new, old in tables.items() if old == name), name)
        table, wanted = actual.tables.get(tables.get(name, name)) or actual.tables.get(name), desired.tables.get(later)
        if wanted is None or table is None:
            missing = "the schema declares" if wanted is None else "the database has"
            return f"{missing} no table {name}"
        there, declared = ({column.name for column in item.columns} for item in (table, wanted))
        if before not in there:
            return "" if after in there else f"{name} has no column {before}"
        if after in there:
            return f"{name} has both {before} and {after}"
        return "" if after in declared else f"the schema declares no column {after} in {name}"
    return ""


def _only(patterns: Collection[str]) -> Iterator[str]:
    """Those of ``--only``: they stand behind a first ``*``, each with ``!``."""
    told = iter(patterns)
    if next(told, "") != "*":
        return
    for pattern in told:
        if not pattern.startswith("!"):
            return
        yield pattern.removeprefix("!")


def _names(*catalogs: Catalog) -> Iterator[tuple[str, QName]]:
    for catalog in catalogs:
        yield from (("table", name) for name in catalog.tables)
        yield from (("enum", name) for name in catalog.enums)
        yield from ((item.kind, item.name) for item in catalog.objects.values())
        yield from ((item.kind, item.name) for item in catalog.unmanaged)
