"""Constraints of a table, from the directives on its fields and on itself.

Fields come in their order, then the type's own directives in theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from wesley_tui.catalog.model import (
    Check,
    Exclude,
    ForeignKey,
    Index,
    IndexKey,
    PrimaryKey,
    QName,
    ReferentialAction,
    Unique,
)
from wesley_tui.sdl.drafts import PendingForeignKey
from wesley_tui.sdl.expressions import checked, sql_spot
from wesley_tui.sdl.fields import FieldDraft
from wesley_tui.sdl.key_indexes import IndexBuilder
from wesley_tui.sdl.key_names import distinct_labels, elements_not_null
from wesley_tui.sdl.names import nearest
from wesley_tui.sdl.sqltext import SqlError, parse_exclusion, parse_expression
from wesley_tui.sdl.usage import Use

__all__ = ["KeyBuilder"]


def _stored(use: Use) -> dict[str, Any]:
    """How and where the index of a constraint lies."""
    return {"options": use.get("with") or (), "tablespace": use.get("tablespace") or None}


class KeyBuilder(IndexBuilder):
    """Collects the keys of one table."""

    def build(self, drafts: Sequence[FieldDraft], uses: Mapping[str, list[Use]]) -> None:
        """Make every constraint and index. Written names are known before the first default one is chosen."""
        self._claim([*(draft.uses for draft in drafts if not draft.dropped), uses])
        keys = [draft for draft in drafts if draft.column is not None and "pk" in draft.uses]
        self._primary_key(keys, uses.get("pk", []))
        for draft in drafts:
            if draft.column is None:
                continue
            if draft.elements_not_null:
                self._elements_check(draft)
            if draft.uses:
                self._field_keys(draft)
        for use in uses.get("unique", ()):
            self._unique(use, self._key_columns(use))
        for use in uses.get("index", ()):
            self._index(use, None)
        for use in uses.get("fk", ()):
            self._foreign_key(use, self._key_columns(use), "", None)
        for use in uses.get("check", ()):
            self._check(use)
        for use in uses.get("exclude", ()):
            self._exclude(use)

    def _field_keys(self, draft: FieldDraft) -> None:
        column = (draft.column_name,)
        for directive in ("pk", "unique", "fk"):
            for use in draft.uses.get(directive, ()):
                if "fields" in use.values:
                    self._issues.error(
                        "wrong-argument",
                        f"@{directive} on a field is about that field; fields: belongs to @{directive} on the type",
                        use.spot_of("fields"),
                    )
        for use in draft.uses.get("unique", ()):
            self._unique(use, column)
        for use in draft.uses.get("index", ()):
            self._index(use, draft.column_name)
        for use in draft.uses.get("check", ()):
            self._check(use)
        for use in draft.uses.get("fk", ()):
            assert draft.column is not None
            typeless = draft.column_name if draft.column.type == "" else None
            self._foreign_key(use, column, draft.relation_to, typeless)

    def _primary_key(self, keys: Sequence[FieldDraft], written: Sequence[Use]) -> None:
        if not keys and not written:
            return
        use = (
            written[0]
            if written
            else next((one for draft in keys for one in draft.uses["pk"] if one.arguments), keys[0].uses["pk"][0])
        )
        if written and keys:
            self._issues.error(
                "two-primary-keys", "@pk is on the type and on a field: a table has one primary key", use.spot
            )
        columns = self._key_columns(use) if written else tuple(draft.column_name for draft in keys)
        include = self._resolve(use, "include")
        method = use.get("using", "btree")
        if method != "btree":
            self._issues.error(
                "wrong-argument", f"a primary key is a btree in PostgreSQL, not {method!r}", use.spot_of("using")
            )
        if columns is None or include is None:
            return
        name = self._name(use, "constraint", (), "pkey")
        self.primary_columns = columns
        deferrable, deferred = self._deferral(use)
        comment, overlaps = use.get("comment") or None, bool(use.get("withoutOverlaps", False))
        self.constraints.append(
            PrimaryKey(name, columns, include, deferrable, deferred, comment, overlaps, **_stored(use))
        )

    def _unique(self, use: Use, columns: tuple[str, ...] | None) -> None:
        include = self._resolve(use, "include")
        if columns is None or include is None:
            return
        comment = use.get("comment") or None
        nulls = bool(use.get("nullsNotDistinct", False))
        if "where" in use.arguments:
            where = checked(use, "where", self._issues)
            if any(use.get(argument) for argument in ("deferrable", "initiallyDeferred", "withoutOverlaps")):
                self._issues.error(
                    "wrong-argument", "with where it is an index, which is never deferrable nor temporal", use.spot
                )
            name = self._name(use, "index", (*columns, *include), "idx")
            keys = tuple(IndexKey(column) for column in columns)
            self.indexes.append(
                Index(name, keys, "btree", True, include, nulls, where, comment=comment, **_stored(use))
            )
            return
        name = self._name(use, "constraint", (*columns, *include), "key")
        deferrable, deferred = self._deferral(use)
        overlaps = bool(use.get("withoutOverlaps", False))
        self.constraints.append(
            Unique(name, columns, include, nulls, deferrable, deferred, comment, overlaps, **_stored(use))
        )

    def _elements_check(self, draft: FieldDraft) -> None:
        assert draft.column is not None
        name = self._default((draft.column_name,), "check", draft.spot)
        self.spots[f"constraint {name}"] = draft.spot
        self.constraints.append(Check(name, elements_not_null(draft.column)))

    def _check(self, use: Use) -> None:
        text = checked(use, "expr", self._issues)
        if text is None:
            return
        expression = parse_expression(text)
        named = [column for column in expression.columns if self._open or column in self._columns]
        if expression.subquery:
            self._issues.error(
                "wrong-sql", "a check cannot contain a subquery: PostgreSQL refuses it", use.spot_of("expr")
            )
        for column in expression.columns:
            if not (self._open or column in self._columns or column == self._table or column in self._failed):
                near = nearest(column, self._columns)
                self._issues.error(
                    "unknown-column",
                    f"the check speaks of {column!r}, which is no column of table {self._table!r}",
                    use.spot_of("expr"),
                    f"did you mean {near}?" if near else "SQL needs the names of columns, not of fields",
                )
        # ChooseConstraintName() gets a column only when the condition speaks of exactly one.
        name = self._name(use, "constraint", named if len(named) == 1 else (), "check")
        self.constraints.append(
            Check(
                name,
                text,
                bool(use.get("noInherit", False)),
                not use.get("notValid", False),
                use.get("comment") or None,
                not use.get("notEnforced", False),
            )
        )

    def _exclude(self, use: Use) -> None:
        elements: list[tuple[IndexKey, str]] = []
        labels: list[str] = []
        for number, text in enumerate(use.get("expr")):
            try:
                keys = parse_exclusion(text)
            except SqlError as error:
                self._issues.error(
                    "wrong-sql",
                    f"@exclude(expr:) is not a list of exclusion elements: {error}",
                    sql_spot(use, "expr", error.offset, number),
                    'write "room WITH =, during WITH &&"',
                )
                return
            for key in keys:
                column = key.column
                if column is not None and column not in self._columns and column in self._fields:
                    column = self._fields[column]
                if column is not None and not (self._open or column in self._columns or column in self._failed):
                    near = nearest(column, self._columns)
                    self._issues.error(
                        "unknown-column",
                        f"table {self._table!r} has no column {column!r}",
                        use.spot_of("expr"),
                        f"did you mean {near}?" if near else "",
                    )
                collation = QName(*(("pg_catalog", *key.collation)[-2:])) if key.collation else None
                labels.append(column or parse_expression(key.expression or "").label)
                elements.append(
                    (
                        IndexKey(
                            column,
                            key.expression,
                            key.opclass,
                            collation,
                            key.descending,
                            None if key.nulls_first is key.descending else key.nulls_first,
                        ),
                        key.operator,
                    )
                )
        if not elements:
            self._issues.error("missing-argument", "@exclude needs at least one element", use.spot_of("expr"))
            return
        where = checked(use, "where", self._issues)
        deferrable, deferred = self._deferral(use)
        name = self._name(use, "constraint", distinct_labels(labels), "excl")
        method = use.get("using", "gist").lower()
        self.constraints.append(
            Exclude(
                name, method, tuple(elements), where, deferrable, deferred, use.get("comment") or None, **_stored(use)
            )
        )

    def _foreign_key(self, use: Use, columns: tuple[str, ...] | None, relation_to: str, typeless: str | None) -> None:
        set_columns = self._resolve(use, "onDeleteColumns")
        texts = tuple(use.get("ref") or ())
        if not texts and not relation_to:
            self._issues.error(
                "missing-argument", "@fk needs ref: which key does it point to?", use.spot, 'ref: "Type.field"'
            )
            return
        if columns is None or set_columns is None:
            return
        action = cast(ReferentialAction, use.get("onDelete", "NO ACTION").lower())
        if set_columns and action not in ("set null", "set default"):
            self._issues.error(
                "wrong-argument",
                "onDeleteColumns says which columns SET_NULL or SET_DEFAULT sets",
                use.spot_of("onDeleteColumns"),
                "add onDelete: SET_NULL",
            )
        deferrable, deferred = self._deferral(use)
        key = ForeignKey(
            self._name(use, "constraint", columns, "fkey"),
            columns,
            QName("", ""),
            (),
            cast(ReferentialAction, use.get("onUpdate", "NO ACTION").lower()),
            action,
            set_columns,
            use.get("match") == "FULL",
            deferrable,
            deferred,
            not use.get("notValid", False),
            use.get("comment") or None,
            not use.get("notEnforced", False),
            bool(use.get("period", False)),
        )
        self.foreign_keys.append(PendingForeignKey(key, relation_to, texts, use, typeless))
