"""Foreign keys find their other side: the step of compiling that needs to see all tables at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from wesley_tui.catalog.model import Column, Constraint, ForeignKey, PrimaryKey, QName, Table, Unique
from wesley_tui.sdl.drafts import PendingForeignKey, TableDraft
from wesley_tui.sdl.issues import Issues, Spot
from wesley_tui.sdl.key_names import open_column
from wesley_tui.sdl.names import name_problem, nearest, split_name

__all__ = ["Linker"]


class _Target(NamedTuple):
    name: QName
    draft: TableDraft | None
    """None for a table that the schema does not declare."""
    columns: tuple[str, ...]
    """Empty: the primary key."""


class _Linked(NamedTuple):
    table: Table
    issues: Issues
    looked_at: frozenset[TableDraft]


def _is_child(table: Table) -> bool:
    """Whether it has columns that it does not declare itself, so that they cannot be checked here."""
    return table.partition_of is not None or bool(table.inherits)


class Linker:
    """Completes drafts with their foreign keys. Built once per compilation, for all tables."""

    def __init__(self, drafts: Sequence[TableDraft], before: Linker | None = None) -> None:
        """``before`` is the linker of the last compilation, whose results are used again where they hold."""
        self._names = tuple((draft.type_name, draft.name) for draft in drafts)
        self._before = before._done if before is not None and before._names == self._names else {}
        self._done: dict[TableDraft, _Linked] = {}
        self._seen: set[TableDraft] = set()
        self._by_type = {draft.type_name: draft for draft in drafts}
        self._by_name = {draft.name: draft for draft in drafts}
        self._by_bare_name: dict[str, list[TableDraft]] = {}
        for draft in drafts:
            self._by_bare_name.setdefault(draft.name.name, []).append(draft)

    def complete(self, draft: TableDraft) -> tuple[Table, Issues]:
        """The table with its foreign keys, in canonical order, and what was wrong with them."""
        if not draft.foreign_keys:
            return draft.table, Issues()
        linked = self._before.get(draft)
        # With the same names in the schema, the answer is the same if all tables that were looked at are.
        if linked is None or any(self._by_type.get(other.type_name) is not other for other in linked.looked_at):
            self._seen = set()
            table, issues = self._complete(draft)
            linked = _Linked(table, issues, frozenset(self._seen))
        self._done[draft] = linked
        return linked.table, linked.issues

    def _complete(self, draft: TableDraft) -> tuple[Table, Issues]:
        issues = Issues()
        columns = {column.name: column for column in draft.table.columns}
        keys: list[ForeignKey] = []
        for pending in draft.foreign_keys:
            key = self._link(draft, pending, columns, issues)
            if key is not None:
                keys.append(key)
        constraints: tuple[Constraint, ...] = (*draft.table.constraints, *keys)
        table = replace(
            draft.table,
            columns=tuple(columns.values()),
            constraints=tuple(sorted(constraints, key=lambda item: item.name)),
        )
        return table, issues

    def _link(
        self, draft: TableDraft, pending: PendingForeignKey, columns: dict[str, Column], issues: Issues
    ) -> ForeignKey | None:
        spot = pending.use.spot_of("ref")
        target = self._target(draft, pending, spot, issues)
        if target is None:
            return None
        if target.draft is None or (_is_child(target.draft.table) and not target.draft.dropped):
            return self._external(target, pending, spot, issues)
        if target.draft.dropped:
            issues.error(
                "reference-to-dropped",
                f"the foreign key points to {target.name}, which is marked @drop",
                spot,
                "drop this field too, or keep the table",
            )
            return None
        table = target.draft.table
        names = target.columns
        if not names:
            primary = table.primary_key
            if primary is None:
                issues.error(
                    "no-key",
                    f"{target.name} has no primary key that a foreign key could point to",
                    spot,
                    f"add @pk to {target.draft.type_name}, or name a unique field of it in ref",
                )
                return None
            names = primary.columns
        if len(names) != len(pending.key.columns):
            issues.error(
                "wrong-reference",
                f"{len(pending.key.columns)} column(s) cannot refer to {len(names)}: "
                f"({', '.join(pending.key.columns)}) → {target.name} ({', '.join(names)})",
                spot,
                "name as many columns on both sides",
            )
            return None
        if not self._is_key(target.draft, names):
            key = " ".join(names)
            issues.error(
                "no-key",
                f"({', '.join(names)}) of {target.name} is neither the primary key nor unique: "
                "PostgreSQL needs one of them to refer to",
                spot,
                f"add @unique to {target.draft.type_name}.{key}" if len(names) == 1 else "add @unique(fields: …) there",
            )
            return None
        self._types(draft, pending, target.draft, names, columns, spot, issues)
        return replace(pending.key, references=target.name, referenced_columns=names)

    # -- which table ------------------------------------------------------------------------------------------------

    def _target(self, draft: TableDraft, pending: PendingForeignKey, spot: Spot, issues: Issues) -> _Target | None:
        if not pending.target_texts:
            other = self._by_type.get(pending.target_type)
            if other is None:
                return None
            self._seen.add(other)
            return _Target(other.name, other, ())
        found: _Target | None = None
        for text in pending.target_texts:
            one = self._read(draft, text, spot, issues)
            if one is None:
                return None
            if found is not None and one.name != found.name:
                issues.error(
                    "wrong-reference",
                    f"one foreign key cannot point to two tables: {found.name} and {one.name}",
                    spot,
                )
                return None
            found = one if found is None else found._replace(columns=found.columns + one.columns)
        if found is not None and pending.target_type and found.draft is not self._by_type.get(pending.target_type):
            issues.error(
                "wrong-reference",
                f"the field has the type {pending.target_type}, and ref points to {found.name}",
                spot,
                f'ref: "{pending.target_type}.…", or no ref at all for its primary key',
            )
            return None
        return found

    def _read(self, draft: TableDraft, text: str, spot: Spot, issues: Issues) -> _Target | None:
        try:
            parts, listed = split_name(text)
        except ValueError:
            parts, listed = [], None
        if not parts or len(parts) > (3 if listed is None else 2):
            issues.error(
                "wrong-reference",
                f"{text!r} is not a reference",
                spot,
                '"Type.field", "table.column", "schema.table.column" or "table(a, b)"',
            )
            return None
        for part in (*parts, *(listed or ())):
            if (problem := name_problem(part)) is not None:
                issues.error(problem[0], problem[1], spot)
                return None
        columns = tuple(listed or ())
        if len(parts) == 3:
            return self._declared_or_not(QName(parts[0], parts[1]), (parts[2],), spot, issues, qualified=True)
        first = self._by_type.get(parts[0]) or self._by_bare(draft, parts[0])
        if first is not None:
            self._seen.add(first)
        if len(parts) == 1:
            if first is not None:
                return self._declared(first, columns, spot, issues)
            return self._declared_or_not(QName("public", parts[0]), columns, spot, issues)
        qualified = self._by_name.get(QName(parts[0], parts[1]))
        if listed is not None:
            return self._declared_or_not(QName(parts[0], parts[1]), columns, spot, issues, qualified=True)
        if first is not None and (qualified is None or parts[1] in first.fields or first.table.column(parts[1])):
            return self._declared(first, (parts[1],), spot, issues)
        if qualified is not None:
            return self._declared(qualified, (), spot, issues)
        return self._declared_or_not(QName("public", parts[0]), (parts[1],), spot, issues)

    def _by_bare(self, draft: TableDraft, name: str) -> TableDraft | None:
        """A table by its name alone: in the referring table's schema, else in public, else the only one."""
        candidates = self._by_bare_name.get(name, [])
        for schema in (draft.name.schema, "public"):
            for candidate in candidates:
                if candidate.name.schema == schema:
                    return candidate
        return candidates[0] if len(candidates) == 1 else None

    def _declared(self, draft: TableDraft, columns: tuple[str, ...], spot: Spot, issues: Issues) -> _Target | None:
        self._seen.add(draft)
        result = []
        for name in columns:
            column = draft.fields.get(name, name)
            if column in draft.failed:
                return None
            if draft.table.column(column) is None and _is_child(draft.table):
                column = open_column(name)
            elif not draft.dropped and draft.table.column(column) is None:
                near = nearest(name, [*draft.fields, *draft.fields.values()])
                issues.error(
                    "unknown-column",
                    f"{draft.type_name} ({draft.name}) has no column for {name!r}",
                    spot,
                    f"did you mean {draft.type_name}.{near}?" if near else "",
                )
                return None
            result.append(column)
        return _Target(draft.name, draft, tuple(result))

    def _declared_or_not(
        self, name: QName, columns: tuple[str, ...], spot: Spot, issues: Issues, *, qualified: bool = False
    ) -> _Target | None:
        draft = self._by_name.get(name)
        if draft is not None:
            return self._declared(draft, columns, spot, issues)
        known = [*self._by_type, *self._by_bare_name]
        near = nearest(name.name, known)
        if name.name[:1].isupper() and not qualified:
            issues.error(
                "unknown-type",
                f"the reference names {name.name!r}, which is no table of this schema",
                spot,
                f"did you mean {near}?" if near else 'for an undeclared table write "schema.table.column"',
            )
            return None
        issues.warn(
            "undeclared-reference",
            f"{name} is not declared here: the foreign key is taken as written, and the table must exist",
            spot,
            f"did you mean {near}?" if near else "",
        )
        return _Target(name, None, columns)

    def _external(self, target: _Target, pending: PendingForeignKey, spot: Spot, issues: Issues) -> ForeignKey | None:
        if len(target.columns) != len(pending.key.columns):
            why = "which is not declared here" if target.draft is None else "which has columns of its parents"
            issues.error(
                "wrong-reference",
                f"the foreign key has {len(pending.key.columns)} column(s) and names {len(target.columns)} of "
                f"{target.name}, {why}",
                spot,
                "name the referenced columns: schema.table(a, b)",
            )
            return None
        return replace(pending.key, references=target.name, referenced_columns=target.columns)

    # -- whether it fits --------------------------------------------------------------------------------------------

    def _is_key(self, draft: TableDraft, names: tuple[str, ...]) -> bool:
        wanted = set(names)
        for item in draft.table.constraints:
            if isinstance(item, PrimaryKey | Unique) and set(item.columns) == wanted and not item.deferrable:
                return True
        return any(
            index.unique and index.where is None and {key.column for key in index.keys} == wanted
            for index in draft.table.indexes
        )

    def _types(
        self,
        draft: TableDraft,
        pending: PendingForeignKey,
        target: TableDraft,
        names: tuple[str, ...],
        columns: dict[str, Column],
        spot: Spot,
        issues: Issues,
    ) -> None:
        for name, referenced in zip(pending.key.columns, names, strict=True):
            wanted = self._column_type(target, referenced, {draft.name})
            if name not in columns:
                # A column of the parent: what it is, is said there.
                continue
            if pending.typeless_column == name:
                if wanted:
                    columns[name] = replace(columns[name], type=wanted)
                else:
                    issues.error(
                        "circular-type",
                        f"the type of column {name!r} would be its own: its key is made of references only",
                        spot,
                        "give one of the keys a scalar type",
                    )
                continue
            have = columns[name].type or self._column_type(draft, name, set())
            if wanted and have and wanted != have:
                issues.warn(
                    "reference-type",
                    f"column {name!r} is {have} and refers to {target.name}.{referenced}, which is {wanted}",
                    spot,
                    "give both the same type: PostgreSQL refuses the key if it cannot compare them",
                )

    def _column_type(self, draft: TableDraft, name: str, seen: set[QName]) -> str:
        """Type of a declared column, followed through references; empty when it goes around in a circle."""
        column = draft.table.column(name)
        while column is not None and column.type == "":
            pending = next((item for item in draft.foreign_keys if item.typeless_column == column.name), None)
            if pending is None or draft.name in seen:
                return ""
            seen = seen | {draft.name}
            target = self._target(draft, pending, Spot(0, 0), Issues())
            if target is None or target.draft is None:
                return ""
            primary = target.draft.table.primary_key
            names: Sequence[str] = target.columns or (primary.columns if primary is not None else ())
            if len(names) != 1:
                return ""
            draft, column = target.draft, target.draft.table.column(names[0])
        return column.type if column is not None else ""
