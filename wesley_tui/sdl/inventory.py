"""All objects of a schema together: their identities, what each leans on, and what is said about them elsewhere.

The types of a function's arguments may be types that another file declares, and a view leans on whatever its query
names; both are only known when everything is read. What nobody declares is no dependency: it must be there already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from wesley_tui.catalog.model import Enum, QName, Ref, SqlObject, Table
from wesley_tui.catalog.types import EXTENSION_TYPES
from wesley_tui.sdl.addresses import Address, resolved
from wesley_tui.sdl.schema_objects import ObjectDraft
from wesley_tui.sdl.statements import Mentions, argument_types

__all__ = ["Inventory", "object_types"]

_COLUMN_KINDS = frozenset(("view", "materialized view", "rule", "statistics", "publication"))
_TYPE_KINDS = frozenset(("domain", "composite type", "range type"))
_RELATION_KINDS = frozenset(("view", "materialized view", "sequence", "foreign table"))
_ROUTINE_KINDS = frozenset(("function", "procedure", "aggregate"))


def object_types(drafts: Iterable[ObjectDraft]) -> dict[str, QName]:
    """Types that objects bring, by the name that a column may use without a schema."""
    types: dict[str, QName] = {}
    for draft in drafts:
        record = draft.object
        if record.kind in _TYPE_KINDS and (record.name.schema == "public" or record.name.name not in types):
            types[record.name.name] = record.name
        elif record.kind == "extension" and record.name.name in EXTENSION_TYPES:
            for _, _, schema in (record.statements[0].partition(" WITH SCHEMA "),):
                if schema:
                    types[record.name.name] = QName(schema.split(" ")[0].strip('"'), record.name.name)
    return types


def _flat(routine: str) -> str:
    """The signature of an aggregate as a plain list, for the other ways to write it."""
    return routine.replace("(*)", "()").replace("(ORDER BY ", "(").replace(" ORDER BY ", ", ")


class Inventory:
    """Finds declared objects by what a statement calls them."""

    def __init__(
        self,
        tables: Mapping[QName, Table],
        enums: Mapping[QName, Enum],
        drafts: Sequence[ObjectDraft],
        user_types: Mapping[str, QName],
    ) -> None:
        self._tables = tables
        self._user_types = user_types
        self.records: list[SqlObject] = []
        self._relations: dict[QName, Ref] = {name: Ref("table", str(name)) for name in tables}
        self._types: dict[QName, Ref] = {name: Ref("enum", str(name)) for name in enums}
        self._routines: dict[QName, list[Ref]] = {}
        self._others: dict[tuple[str, QName], list[Ref]] = {}
        self.refs: dict[Ref, int] = {}
        for draft in drafts:
            record = draft.object
            if draft.statement is not None and record.arguments is not None:
                record = replace(record, arguments=argument_types(draft.statement, user_types))
            self.refs.setdefault(record.ref, len(self.records))
            self.records.append(record)
            if record.kind in _RELATION_KINDS:
                self._relations.setdefault(record.name, record.ref)
            elif record.kind in _TYPE_KINDS:
                self._types.setdefault(record.name, record.ref)
            elif record.kind in _ROUTINE_KINDS:
                self._routines.setdefault(record.name, []).append(record.ref)
            else:
                self._others.setdefault((record.kind, record.name), []).append(record.ref)
        self.record_refs = [record.ref for record in self.records]
        for name, ref in self._relations.items():
            self._types.setdefault(name, ref)

    def renew(self, tables: Mapping[QName, Table]) -> None:
        """The same names, with tables that may have other columns."""
        self._tables = tables

    def dependencies(self, mentions: Mentions, *, columns: bool = False) -> set[Ref]:
        """Declared objects that are mentioned; with ``columns`` the columns of mentioned tables, too."""
        found: set[Ref] = set()
        for schema, name in mentions.relations:
            ref = self._relations.get(QName(schema or "public", name))
            if ref is not None:
                found.add(ref)
                table = self._tables.get(QName(schema or "public", name)) if columns else None
                if table is not None:
                    everything = "*" in mentions.columns
                    found.update(
                        Ref("column", f"{table.name}.{column.name}")
                        for column in table.columns
                        if everything or column.name in mentions.columns
                    )
        for schema, name in mentions.functions:
            found.update(self._routines.get(QName(schema or "public", name), ()))
        for schema, name in mentions.types:
            qualified = QName(schema, name) if schema else self._user_types.get(name, QName("public", name))
            if qualified in self._types:
                found.add(self._types[qualified])
            else:
                # The functions of an aggregate or operator are parsed as names of types, and the operator class of a
                # range type is.
                found.update(self._routines.get(qualified, ()))
                found.update(self._others.get(("operator class", qualified), ()))
        for kind, schema, name in mentions.others:
            place = "" if kind in ("server", "foreign-data wrapper") else schema or "public"
            found.update(self._others.get((kind, QName(place, name)), ()))
        return found

    def depends_on(self, draft: ObjectDraft, record: SqlObject) -> tuple[Ref, ...]:
        """What must be there before this object, sorted."""
        found: set[Ref] = set()
        if draft.statement is not None:
            found = self.dependencies(draft.statement.mentions, columns=record.kind in _COLUMN_KINDS)
        for address in draft.wanted:
            found.update(self.find(address))
        found.discard(record.ref)
        return tuple(sorted(found))

    def find(self, address: Address) -> list[Ref]:
        """The declared objects that an address means: none, one, or the routines of one name; a column is itself."""
        ref = resolved(address, self._user_types)
        if address.kind in ("table", "view", "materialized view", "sequence", "foreign table"):
            found = self._relations.get(address.name)
            return [] if found is None else [found]
        if address.kind in ("type", "domain"):
            found = self._types.get(address.name)
            return [] if found is None else [found]
        if address.kind in ("function", "procedure", "routine", "aggregate"):
            kinds = (address.kind,) if address.kind != "routine" else tuple(sorted(_ROUTINE_KINDS))
            if address.kind == "function":
                # SQL's FUNCTION covers aggregates where privileges are concerned.
                kinds = ("function", "aggregate")
            several = self._routines.get(address.name, [])
            if address.parameters is None:
                return [item for item in several if item.kind in kinds] if len(several) == 1 else []
            wanted = _flat(ref.name)
            return [item for item in several if item.kind in kinds and _flat(item.name) == wanted]
        if address.kind == "column":
            table = self._tables.get(address.relation) if address.relation is not None else None
            return [ref] if table is not None and table.column(address.name.name) is not None else []
        return [ref] if ref in self.refs else []

    def reference(self, address: Address) -> Ref:
        """What an address would mean, declared or not."""
        return resolved(address, self._user_types)

    def names(self) -> list[str]:
        """Everything that could have been meant, for suggestions."""
        return [str(ref) for ref in (*self._relations.values(), *self.refs)]
