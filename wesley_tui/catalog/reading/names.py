"""What oids and numbers stand for: objects refer to each other by oid and to columns by number; here they get their
names, comments and privileges back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from wesley_tui.catalog.model import Grant, QName

__all__ = [
    "COMPRESSION",
    "HIDDEN_PREFIXES",
    "RETIRED_PREFIX",
    "SHADOW_PREFIX",
    "STORAGE",
    "SYNC_TRIGGER",
    "Names",
    "Oid",
    "OperatorClass",
    "Rows",
    "options_of",
    "read_names",
    "sorted_grants",
]

RETIRED_PREFIX = "wesley_retired_"
"""A column that was retired instead of dropped carries this prefix and is no part of its table any more."""

SHADOW_PREFIX = "wesley_new_"
"""Of a column that takes over from another one, and of its indexes and constraints, until that moment."""

HIDDEN_PREFIXES = (RETIRED_PREFIX, SHADOW_PREFIX, "wesley_old_")
"""Columns that no schema declares: retired ones, and what a change of type by shadow column has before its exchange
(``new``) and after it (``old``), see ``docs/type-changes.md``."""

SYNC_TRIGGER = "~wesley_sync_"
"""Triggers fire in the order of their names: ``~`` comes after every letter, so that this one sees what the others have
made of the row."""

Oid = str
"""As JSON shows it."""
Rows = Mapping[str, Any]
"""The JSON value of each query by its name."""

STORAGE = {"p": "plain", "e": "external", "x": "extended", "m": "main"}
"""``pg_attribute.attstorage``."""
COMPRESSION = {"p": "pglz", "l": "lz4"}
"""``pg_attribute.attcompression``."""
_PUBLIC_BY_DEFAULT = {"pg_proc": ("EXECUTE",), "pg_type": ("USAGE",)}
"""``acldefault()``: what PUBLIC may do with an object on which nobody granted or revoked anything."""


class OperatorClass(NamedTuple):
    schema: str
    name: str
    method: str
    input_type: Oid
    default: bool


class Names(NamedTuple):
    """What an oid or a number stands for."""

    columns: dict[Oid, dict[int, str]]
    """Oid of a table or view → column number → name; retired columns are there too."""
    column_types: dict[Oid, dict[int, Oid]]
    """Table oid → column number → oid of its type, of the base type for a domain."""
    column_collations: dict[Oid, dict[int, Oid]]
    """Table oid → column number → oid of its collation, "0" for a type that has none."""
    retired: dict[Oid, frozenset[int]]
    collations: dict[Oid, QName]
    opclasses: dict[Oid, OperatorClass]
    default_inputs: frozenset[tuple[str, Oid]]
    """(access method, type) for which there is a default operator class."""
    index_attributes: dict[tuple[Oid, int], tuple[Oid, list[str] | None, int | None]]
    """(index, key number) → its type, parameters of its operator class, statistics target."""
    comments: dict[tuple[str, Oid, int], str]
    part_comments: dict[Oid, dict[int, str]]
    """Relation oid → column number → comment; only of relations whose columns have no records."""
    privileges: dict[tuple[str, Oid], list[tuple[int, list[Any]]]]
    """(catalog, oid) → (column number or 0, privileges of others than the owner)."""

    def grants(self, catalog: str, oid: Oid) -> tuple[Grant, ...]:
        """Privileges on an object and its columns, sorted; without those that everybody has by default."""
        found = self.privileges.get((catalog, oid))
        if found is None:
            return ()
        columns = self.columns.get(oid, {})
        usual = _PUBLIC_BY_DEFAULT.get(catalog, ())
        grants = {
            Grant(grantee, privilege, grantable, columns.get(part) if part else None)
            for part, privileges in found
            for grantee, privilege, grantable in privileges
            if not columns.get(part, "").startswith(HIDDEN_PREFIXES)
            if not (grantee == "public" and privilege in usual and not grantable)
        }
        public = {privilege for _, privileges in found for grantee, privilege, _ in privileges if grantee == "public"}
        grants |= {Grant("public", privilege, revoked=True) for privilege in usual if privilege not in public}
        return sorted_grants(grants)


def sorted_grants(grants: set[Grant]) -> tuple[Grant, ...]:
    return tuple(sorted(grants, key=lambda item: (item.column or "", item.grantee, item.privilege, item.grantable)))


def read_names(rows: Rows) -> Names:
    columns: dict[Oid, dict[int, str]] = defaultdict(dict)
    types: dict[Oid, dict[int, Oid]] = defaultdict(dict)
    collations: dict[Oid, dict[int, Oid]] = defaultdict(dict)
    for row in rows["columns"] or ():
        columns[row[0]][row[1]] = row[2]
        collations[row[0]][row[1]] = row[8]
        types[row[0]][row[1]] = row[10]
    retired = {
        table: frozenset(number for number, name in named.items() if name.startswith(HIDDEN_PREFIXES))
        for table, named in columns.items()
    }
    for row in rows["views"] or ():
        columns[row[0]].update((number, name) for number, name in row[9] or ())
    for row in rows["composite types"] or ():
        columns[row[3]].update((number, name) for number, name, *_ in row[4] or ())
    comments = {(catalog, oid, part): text for catalog, oid, part, text in rows["comments"] or ()}
    part_comments: dict[Oid, dict[int, str]] = defaultdict(dict)
    for (catalog, oid, part), text in comments.items():
        if catalog == "pg_class" and part:
            part_comments[oid][part] = text
    privileges: dict[tuple[str, Oid], list[tuple[int, list[Any]]]] = defaultdict(list)
    for catalog, oid, part, granted in rows["grants"] or ():
        privileges[catalog, oid].append((part, granted or []))
    opclasses = {row[0]: OperatorClass(*row[1:]) for row in rows["opclasses"] or ()}
    return Names(
        columns=columns,
        column_types=types,
        column_collations=collations,
        retired=defaultdict(frozenset, retired),
        collations={oid: QName(schema, name) for oid, schema, name in rows["collations"] or ()},
        opclasses=opclasses,
        default_inputs=frozenset((item.method, item.input_type) for item in opclasses.values() if item.default),
        index_attributes={
            (index, number): (type_oid, options, statistics)
            for index, number, type_oid, options, statistics in rows["index attributes"] or ()
        },
        comments=comments,
        part_comments=part_comments,
        privileges=privileges,
    )


def options_of(options: Sequence[str] | None, prefix: str = "") -> Iterator[tuple[str, str]]:
    """``{fillfactor=70}`` as pairs."""
    for option in options or ():
        name, _, value = option.partition("=")
        yield prefix + name, value
