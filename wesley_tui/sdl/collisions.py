"""One name, two objects: found across all tables and enums of a schema, before PostgreSQL would find it half-way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from wesley_tui.catalog.model import Exclude, PrimaryKey, QName, Table, Unique
from wesley_tui.sdl.drafts import EnumDraft, TableDraft
from wesley_tui.sdl.issues import Issue, Spot
from wesley_tui.sdl.syntax import Definition
from wesley_tui.sdl.units import Unit

__all__ = ["collisions", "default_name_clashes"]

Found = tuple[tuple[Definition, ...], Issue]
"""An issue, and the definitions that its spot speaks of."""


def collisions(tables: Sequence[tuple[Unit, TableDraft]], enums: Sequence[tuple[Unit, EnumDraft]]) -> Iterator[Found]:
    """Every second declaration of one name in the database."""
    owners: dict[QName, str] = {}
    for unit, draft in tables:
        if draft.name in owners:
            message = f"types {owners[draft.name]!r} and {unit.name!r} are both table {draft.name}"
            yield _error(unit, "duplicate-table", message, '@table(name: "…") names one of them otherwise')
        owners.setdefault(draft.name, unit.name)
    yield from _same_relation(tables)
    yield from _same_origin(tables)
    kept = {draft.name for _, draft in tables if not draft.dropped}
    types: dict[QName, str] = {}
    for unit, enum in enums:
        name = enum.enum.name
        other = types.get(name) or (owners[name] if name in kept else None)
        if other is not None:
            message = f"{other!r} and {unit.name!r} would both be the type {name}: a table is a type, too"
            yield _error(unit, "duplicate-table", message, '@type(name: "…") names the enum otherwise')
        types[name] = unit.name


def _error(unit: Unit, code: str, message: str, hint: str, spot: Spot | None = None) -> Found:
    return unit.parts, Issue("error", code, message, hint, spot or unit.spot)


def _same_relation(tables: Sequence[tuple[Unit, TableDraft]]) -> Iterator[Found]:
    if _all_distinct([draft for _, draft in tables]):
        return
    relations: dict[tuple[str, str], tuple[QName, str]] = {}
    for _, draft in tables:
        if not draft.dropped:
            relations[draft.name.schema, draft.name.name] = draft.name, f"table {draft.name}"
    for unit, draft in tables:
        for key, name in _relations(draft.table):
            other = relations.get((draft.name.schema, name))
            # Two of one table are reported with the table.
            if other is not None and (other[0] != draft.name or other[1].startswith("table")):
                message = f"{name!r} is the name of {other[1]} already, and one schema has it once"
                hint = "name it otherwise, or leave the name to PostgreSQL's rule"
                yield _error(unit, "duplicate-name", message, hint, draft.spots.get(key))
            relations[draft.name.schema, name] = draft.name, f"an index of {draft.name}"


def _same_origin(tables: Sequence[tuple[Unit, TableDraft]]) -> Iterator[Found]:
    renamed: dict[QName, str] = {}
    for unit, draft in tables:
        if draft.renamed_from is not None:
            if draft.renamed_from in renamed:
                message = (
                    f"{renamed[draft.renamed_from]!r} and {unit.name!r} are both renamed from {draft.renamed_from}"
                )
                yield _error(unit, "duplicate-rename", message, "one table becomes one table: add the other anew")
            renamed[draft.renamed_from] = unit.name


def default_name_clashes(drafts: Mapping[Unit, TableDraft]) -> dict[Unit, set[str]]:
    """Default names that another object of the schema has, for each table that must choose others."""
    owners: dict[tuple[str, str], tuple[Unit, TableDraft]] = {}
    clashes: dict[Unit, set[str]] = {}
    if _all_distinct(list(drafts.values())):
        return clashes
    for unit, draft in sorted(drafts.items(), key=lambda item: item[1].name):
        schema = draft.name.schema
        for name in draft.names:
            other = owners.get((schema, name))
            if other is None or name not in draft.default_names:
                owners[schema, name] = unit, draft
                if other is not None and other[0] is not unit and name in other[1].default_names:
                    clashes.setdefault(other[0], set()).add(name)
            elif other[0] is not unit:
                clashes.setdefault(unit, set()).add(name)
    return clashes


def _all_distinct(drafts: Sequence[TableDraft]) -> bool:
    """No name is used by two tables: nearly always so, and quickly known."""
    names: dict[str, list[frozenset[str]]] = {}
    for draft in drafts:
        names.setdefault(draft.name.schema, []).append(draft.names)
    return all(len(frozenset().union(*sets)) == sum(map(len, sets)) for sets in names.values())


def _relations(table: Table) -> Iterator[tuple[str, str]]:
    """(key among the locations, name) of what shares one namespace with tables: indexes, and constraints with one."""
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKey | Unique | Exclude):
            yield f"constraint {constraint.name}", constraint.name
    for index in table.indexes:
        yield f"index {index.name}", index.name
