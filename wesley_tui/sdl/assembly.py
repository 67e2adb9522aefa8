"""Tables, enums and objects put together to one catalog, with everything that is said about them elsewhere.

``@grant``, ``@comment``, ``@policy`` and ``@index`` on the schema name an object; here they find it. What names nothing
that is declared is an error: it would be without effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from wesley_tui.catalog.model import Catalog, Column, Enum, Grant, Policy, QName, Ref, SchemaDetails, SqlObject, Table
from wesley_tui.sdl.addresses import Address
from wesley_tui.sdl.inventory import Inventory
from wesley_tui.sdl.issues import Issue, Issues, Spot
from wesley_tui.sdl.key_indexes import IndexBuilder
from wesley_tui.sdl.names import nearest
from wesley_tui.sdl.needs import Known, with_needs
from wesley_tui.sdl.presets import POLICY_SCHEMA
from wesley_tui.sdl.privileges import Granting, grant_lines, sorted_grants
from wesley_tui.sdl.schema_objects import ObjectDraft, Remark, SchemaDraft
from wesley_tui.sdl.syntax import Definition

if TYPE_CHECKING:
    from wesley_tui.sdl.usage import Use

__all__ = ["Assembly", "Remembered"]

Parts = tuple[Definition, ...]
Found = tuple[Parts, Issue]


@dataclass(slots=True)
class Remembered:
    """What one assembly found out that the next can use, as long as all names are the same."""

    names: tuple[object, ...] = ()
    """Tables, enums, object drafts and user types, by which everything is found."""
    inventory: Inventory | None = None
    tables: dict[QName, Table] = field(default_factory=dict)
    records: dict[int, SqlObject] = field(default_factory=dict)
    """By position among the drafts."""
    granted: dict[QName, tuple[Table, tuple[Grant, ...], Table]] = field(default_factory=dict)
    """Table without and with the privileges that are granted elsewhere."""
    needs: dict[int, Known] = field(default_factory=dict)


class Assembly:
    """One catalog in the making."""

    def __init__(
        self,
        tables: Mapping[QName, Table],
        enums: Mapping[QName, Enum],
        objects: Sequence[tuple[Parts, ObjectDraft]],
        user_types: Mapping[str, QName],
        memory: Remembered,
    ) -> None:
        self._memory = memory
        self._tables = dict(tables)
        self._enums = dict(enums)
        self._names = {str(name): name for name in (*tables, *enums)}
        self._objects = objects
        drafts = [draft for _, draft in objects]
        names = (tuple(tables), tuple(enums), tuple(drafts), tuple(user_types.items()))
        self._same_names = memory.inventory is not None and memory.names == names
        if memory.inventory is None or not self._same_names:
            memory.inventory, memory.names, memory.records = Inventory(tables, enums, drafts, user_types), names, {}
        self._changed = {name for name, table in tables.items() if memory.tables.get(name) is not table}
        memory.tables = dict(tables)
        self._inventory = memory.inventory
        self._inventory.renew(tables)
        self._granted: dict[QName, list[Grant]] = {}
        self._records: dict[Ref, SqlObject] = {}
        self._details: dict[str, SchemaDetails] = {}
        self._schemas: set[str] = set()
        self.found: list[Found] = []
        self.dropped: set[Ref] = set()
        self.places: dict[Ref, tuple[Parts, Spot]] = {}
        self._collect()

    # -- objects ----------------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        relations: dict[QName, str] = {name: f"table {name}" for name in self._tables}
        types: dict[QName, str] = {name: f"enum {name}" for name in self._enums}
        for number, ((parts, draft), record, ref) in enumerate(
            zip(self._objects, self._inventory.records, self._inventory.record_refs, strict=True)
        ):
            if ref in self._records and record.kind == "default privileges":
                statements = (*self._records[ref].statements, *record.statements)
                self._records[ref] = replace(self._records[ref], statements=tuple(dict.fromkeys(statements)))
                continue
            if ref in self._records:
                self._error(parts, draft.spot, "duplicate-object", f"{ref} is declared already", "keep one of them")
                continue
            taken = None
            if record.kind in ("view", "materialized view", "sequence", "foreign table"):
                taken = relations.setdefault(record.name, str(ref))
            elif record.kind in ("domain", "composite type", "range type"):
                taken = types.setdefault(record.name, str(ref))
                if record.name in self._tables:
                    taken = f"table {record.name}"
            if taken is not None and taken != str(ref):
                message = f"{ref.kind} {record.name} cannot have the name of {taken}: one schema has it once"
                self._error(parts, draft.spot, "duplicate-name", message, "name it otherwise")
                continue
            if record.kind in ("trigger", "rule") and record.relation is not None:
                self._check_carrier(parts, draft, record, relations)
            self.places[ref] = parts, draft.spot
            self._records[ref] = self._with_dependencies(number, draft, record)

    def _with_dependencies(self, number: int, draft: ObjectDraft, record: SqlObject) -> SqlObject:
        known = self._memory.records.get(number)
        mentioned = draft.statement.mentions.relations if draft.statement is not None else ()
        if known is None or any(QName(schema or "public", name) in self._changed for schema, name in mentioned):
            needs = self._inventory.depends_on(draft, record)
            known = replace(record, depends_on=needs) if needs else record
            self._memory.records[number] = known
        return known

    def _check_carrier(
        self, parts: Parts, draft: ObjectDraft, record: SqlObject, relations: Mapping[QName, str]
    ) -> None:
        """A trigger on a table that nobody declares is taken as written, when the schema says nothing of its kind."""
        if record.relation in relations or any(
            other.object.name == record.relation for _, other in self._objects if other.object.kind.endswith("view")
        ):
            return
        near = nearest(record.relation.name if record.relation else "", [name.name for name in relations])
        message = (
            f"{record.kind} {record.name.name} belongs to {record.relation}, which is not declared here: "
            "the table must exist"
        )
        self.found.append(
            (
                parts,
                Issue("warning", "undeclared-reference", message, f"did you mean {near}?" if near else "", draft.spot),
            )
        )

    # -- what is said elsewhere -------------------------------------------------------------------------------------

    def apply(self, parts: Parts, schema: SchemaDraft, by_type: Mapping[str, QName]) -> None:
        """Grants, comments, drops, policies and indexes that stand on one definition of the schema."""
        for space in schema.namespaces:
            self._schemas.add(space.name)
            if space.comment is not None:
                details = self._details.get(space.name, SchemaDetails())
                self._details[space.name] = replace(details, comment=space.comment)
        for granting in schema.grantings:
            self._grant(parts, granting)
        for remark in schema.comments:
            self._comment(parts, remark)
        for remark in schema.drops:
            self._drop(parts, remark)
        for text, policy, spot in schema.policies:
            self._policy(parts, text, policy, spot, by_type)
        for address, use in schema.indexes:
            self._index(parts, address, use)

    def _grant(self, parts: Parts, granting: Granting) -> None:
        address = granting.address
        assert address is not None
        if address.kind == "schema":
            details = self._details.get(address.name.name, SchemaDetails())
            self._schemas.add(address.name.name)
            self._details[address.name.name] = replace(
                details, grants=sorted_grants((*details.grants, *grant_lines(granting, "schema")))
            )
            return
        if address.kind == "column" and address.relation is not None:
            granting = granting._replace(columns=(address.name.name,))
            address = Address("table", address.relation)
        refs = self._inventory.find(address)
        if not refs:
            self._unknown(parts, address, granting.at)
        for ref in refs:
            self._add_grants(ref, grant_lines(granting, ref.kind))

    def _add_grants(self, ref: Ref, lines: Sequence[Grant]) -> None:
        if ref in self._records:
            record = self._records[ref]
            self._records[ref] = replace(record, grants=sorted_grants((*record.grants, *lines)))
        elif ref.kind == "table":
            self._granted.setdefault(self._names[ref.name], []).extend(lines)
        else:
            enum = self._enums[self._names[ref.name]]
            self._enums[enum.name] = replace(enum, grants=sorted_grants((*enum.grants, *lines)))

    def _table(self, ref: Ref) -> Table:
        return self._tables[self._names[ref.name]]

    def _comment(self, parts: Parts, remark: Remark) -> None:
        address, text = remark.address, remark.text
        if address.kind == "schema":
            self._schemas.add(address.name.name)
            details = self._details.get(address.name.name, SchemaDetails())
            self._details[address.name.name] = replace(details, comment=text)
        elif address.relation is not None and address.kind in ("column", "constraint", "policy", "domain constraint"):
            self._comment_on_part(parts, remark)
        elif address.kind == "index":
            self._comment_on_index(parts, remark)
        else:
            refs = self._inventory.find(address)
            if not refs:
                self._unknown(parts, address, remark.spot)
            for ref in refs:
                if ref in self._records:
                    self._records[ref] = replace(self._records[ref], comment=text)
                elif ref.kind == "table":
                    table = self._table(ref)
                    self._tables[table.name] = replace(table, comment=text)
                else:
                    enum = self._enums[self._names[ref.name]]
                    self._enums[enum.name] = replace(enum, comment=text)

    def _comment_on_part(self, parts: Parts, remark: Remark) -> None:
        address, text = remark.address, remark.text
        assert address.relation is not None
        name, owner = address.name.name, address.relation
        table = self._tables.get(owner)
        if table is None or address.kind == "domain constraint":
            record = next(
                (
                    item
                    for item in self._records.values()
                    if item.name == owner
                    and item.kind
                    in ("view", "materialized view", "composite type", "domain", "sequence", "foreign table")
                ),
                None,
            )
            if record is None:
                self._unknown(parts, address, remark.spot)
                return
            comments = {**dict(record.part_comments), **({name: text} if text else {})}
            self._records[record.ref] = replace(record, part_comments=tuple(sorted(comments.items())))
            return
        attribute = {"column": "columns", "constraint": "constraints", "policy": "policies"}[address.kind]
        items = getattr(table, attribute)
        if all(item.name != name for item in items):
            self._unknown(parts, address, remark.spot, [f"{address.kind} {item.name} ON {owner}" for item in items])
            return
        new = tuple(replace(item, comment=text) if item.name == name else item for item in items)
        changed: dict[str, Any] = {attribute: new}
        self._tables[owner] = replace(table, **changed)

    def _comment_on_index(self, parts: Parts, remark: Remark) -> None:
        schema, name = remark.address.name
        for table in self._tables.values():
            if table.name.schema == schema and table.index(name) is not None:
                new = tuple(replace(item, comment=remark.text) if item.name == name else item for item in table.indexes)
                self._tables[table.name] = replace(table, indexes=new)
                return
        for record in self._records.values():
            if record.name.schema == schema and any(index.name == name for index in record.indexes):
                new = tuple(
                    replace(item, comment=remark.text) if item.name == name else item for item in record.indexes
                )
                self._records[record.ref] = replace(record, indexes=new)
                return
        self._unknown(parts, remark.address, remark.spot)

    def _drop(self, parts: Parts, remark: Remark) -> None:
        address = remark.address
        refs = self._inventory.find(address)
        if refs:
            self._error(
                parts, remark.spot, "drop-declared", f"{refs[0]} is declared here, and to be dropped", "take one away"
            )
        elif address.kind in ("table", "column", "constraint", "index", "policy"):
            self._error(
                parts,
                remark.spot,
                "wrong-argument",
                f"@drop on the schema is about objects, not a {address.kind}",
                "write @drop on its type or field; what a type does not declare is dropped from its table anyway",
            )
        else:
            self.dropped.add(self._inventory.reference(address))

    def _policy(self, parts: Parts, text: str, policy: Policy, spot: Spot, by_type: Mapping[str, QName]) -> None:
        schema, dot, bare = text.rpartition(".")
        name = by_type.get(text) or QName(schema if dot else "public", bare)
        table = self._tables.get(name)
        if table is None:
            self._unknown(parts, Address("table", name), spot)
        elif any(item.name == policy.name for item in table.policies):
            self._error(
                parts, spot, "duplicate-policy", f"{name} has a policy {policy.name!r} already", "name one of them"
            )
        else:
            policies = tuple(sorted((*table.policies, policy), key=lambda item: item.name))
            self._tables[name] = replace(table, policies=policies)

    def _index(self, parts: Parts, address: Address, use: Use) -> None:
        record = next(
            (item for item in self._records.values() if item.name == address.name and item.kind == "materialized view"),
            None,
        )
        if record is None:
            self._unknown(parts, Address("materialized view", address.name), use.spot_of("on"))
            return
        issues = Issues()
        columns = {name: Column(name, "text") for name in record.columns}
        keys = IndexBuilder(
            record.name.name,
            columns,
            {},
            frozenset(),
            frozenset(index.name for index in record.indexes),
            issues,
            open_columns=not columns,
        )
        keys.build_indexes([(use, None)])
        self.found += [(parts, issue) for issue in issues]
        indexes = tuple(sorted((*record.indexes, *keys.indexes), key=lambda index: index.name))
        self._records[record.ref] = replace(record, indexes=indexes)

    # -- the result -------------------------------------------------------------------------------------------------

    def _open_policy_schema(self) -> None:
        """Everybody calls the helpers of policies, so everybody may look into their schema."""
        if any(record.name.schema == POLICY_SCHEMA for record in self._records.values()):
            details = self._details.get(POLICY_SCHEMA, SchemaDetails())
            grants = sorted_grants((*details.grants, Grant("public", "USAGE")))
            self._details[POLICY_SCHEMA] = replace(details, grants=grants)

    def _with_grants(self, tables: dict[QName, Table]) -> None:
        fresh: dict[QName, tuple[Table, tuple[Grant, ...], Table]] = {}
        for name, several in self._granted.items():
            base, lines = tables[name], tuple(several)
            known = self._memory.granted.get(name)
            if known is None or known[0] is not base or known[1] != lines:
                known = base, lines, replace(base, grants=sorted_grants((*base.grants, *lines)))
            fresh[name] = known
            tables[name] = known[2]
        self._memory.granted = fresh

    def catalog(self) -> Catalog:
        """Everything, each mapping in the order of its names."""
        self._open_policy_schema()
        tables, self._memory.needs = with_needs(self._tables, self._inventory, self._memory.needs)
        self._with_grants(tables)
        schemas = {name.schema for name in (*self._tables, *self._enums)} | self._schemas
        schemas |= {record.name.schema for record in self._records.values() if record.name.schema}
        return Catalog(
            frozenset(schemas),
            {name: tables[name] for name in sorted(tables)},
            {name: self._enums[name] for name in sorted(self._enums)},
            (),
            {ref: self._records[ref] for ref in sorted(self._records)},
            {name: details for name, details in sorted(self._details.items()) if details != SchemaDetails()},
        )

    # -- reports ----------------------------------------------------------------------------------------------------

    def _error(self, parts: Parts, spot: Spot, code: str, message: str, hint: str) -> None:
        self.found.append((parts, Issue("error", code, message, hint, spot)))

    def _unknown(self, parts: Parts, address: Address, spot: Spot, known: Sequence[str] = ()) -> None:
        near = nearest(str(address), known or self._inventory.names())
        self._error(
            parts,
            spot,
            "unknown-object",
            f"{address} is not declared in this schema, so this would be without effect",
            f"did you mean {near}?" if near else "declare it, or take this away",
        )
