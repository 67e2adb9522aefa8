"""Constraints and indexes of a table, from the directives on its fields and on itself.

A name that nobody wrote is the one that PostgreSQL would choose: ``users_pkey``, ``users_email_key``,
``users_org_id_fkey``, ``users_age_check``, ``users_lower_idx``, with a number when it is taken
(``ChooseRelationName()`` and ``ChooseConstraintName()`` of the server). Names that are written down come first, then
fields in their order, then the type's own directives in theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from wesley_tui.catalog.model import (
    Check,
    Column,
    Constraint,
    Exclude,
    ForeignKey,
    Index,
    IndexKey,
    PrimaryKey,
    QName,
    ReferentialAction,
    Unique,
)
from wesley_tui.catalog.naming import MAX_IDENTIFIER_BYTES, default_name, quote_ident
from wesley_tui.sdl.defaults import without_typmod
from wesley_tui.sdl.drafts import PendingForeignKey
from wesley_tui.sdl.expressions import checked, sql_spot
from wesley_tui.sdl.fields import FieldDraft, check_name
from wesley_tui.sdl.issues import Issues, Spot
from wesley_tui.sdl.names import nearest, snake_case, split_name
from wesley_tui.sdl.sqltext import SqlError, parse_exclusion, parse_expression
from wesley_tui.sdl.usage import Use

__all__ = ["KeyBuilder", "distinct_labels", "elements_not_null", "open_column"]

_KEY_DIRECTIVES = ("pk", "unique", "index", "fk", "check", "exclude")
_ORDER: Mapping[str, tuple[bool, bool | None]] = {
    "ASC": (False, None),
    "ASC NULLS LAST": (False, None),
    "NULLS LAST": (False, None),
    "ASC NULLS FIRST": (False, True),
    "NULLS FIRST": (False, True),
    "DESC": (True, None),
    "DESC NULLS FIRST": (True, None),
    "DESC NULLS LAST": (True, False),
}


class KeyBuilder:
    """Collects the keys of one table.

    ``failed`` are names of fields and columns that are wrong already; ``taken`` default names that other tables of the
    schema have. With ``open_columns`` the table has columns that are not known here, those of its parents: a name in
    quotes of SQL is taken as it is, any other as a field.
    """

    def __init__(
        self,
        table: str,
        columns: Mapping[str, Column],
        fields: Mapping[str, str],
        failed: frozenset[str],
        taken: frozenset[str],
        issues: Issues,
        *,
        open_columns: bool = False,
    ) -> None:
        self._table = table
        self._columns = columns
        self._fields = fields
        self._failed = failed
        self._taken = set(taken)
        self._issues = issues
        self._open = open_columns
        self.constraints: list[Constraint] = []
        self.indexes: list[Index] = []
        self.foreign_keys: list[PendingForeignKey] = []
        self.primary_columns: tuple[str, ...] = ()
        self.default_names: set[str] = set()
        self.spots: dict[str, Spot] = {}

    # -- collecting -------------------------------------------------------------------------------------------------

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

    def build_indexes(self, uses: Sequence[tuple[Use, str | None]]) -> None:
        """Make indexes alone, as of a materialized view: each use, and the column of the field that it stands on."""
        self._claim([{"index": [use for use, _ in uses]}])
        for use, column in uses:
            self._index(use, column)

    def _claim(self, owners: Iterable[Mapping[str, list[Use]]]) -> None:
        """Take note of written names. An index may share its name with a check or a foreign key, nothing else may."""
        relations: set[str] = set()
        constraints: set[str] = set()
        for owner in owners:
            if not owner:
                continue
            for directive in _KEY_DIRECTIVES:
                for use in owner.get(directive, ()):
                    name = use.get("name")
                    if name is None:
                        continue
                    is_index = directive == "index" or (directive == "unique" and "where" in use.arguments)
                    spaces = (
                        [relations]
                        if is_index
                        else [constraints]
                        if directive in ("fk", "check")
                        else [relations, constraints]
                    )
                    if any(name in space for space in spaces):
                        self._issues.error(
                            "duplicate-name",
                            f"two constraints or indexes of table {self._table!r} are called {name!r}",
                            use.spot_of("name"),
                            "give each its own name, or leave the names to PostgreSQL's rule",
                        )
                    for space in spaces:
                        space.add(name)
        self._taken |= relations | constraints

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

    # -- names ------------------------------------------------------------------------------------------------------

    def _name(self, use: Use, what: str, columns: Sequence[str], suffix: str) -> str:
        written: str | None = use.get("name")
        if written is not None:
            check_name(written, what, use.spot_of("name"), self._issues)
            self.spots[f"{what} {written}"] = use.spot
            return written
        name = self._default(columns, suffix, use.spot)
        self.spots[f"{what} {name}"] = use.spot
        return name

    def _default(self, columns: Sequence[str], suffix: str, spot: Spot) -> str:
        name = first = default_name(self._table, columns, suffix)
        number = 0
        while name in self._taken:
            number += 1
            name = default_name(self._table, columns, f"{suffix}{number}")
        if number and len(first.encode()) >= MAX_IDENTIFIER_BYTES - 3:
            self._issues.error(
                "name-too-long",
                f"the name {first!r}, shortened to PostgreSQL's {MAX_IDENTIFIER_BYTES} bytes, is taken by another "
                "constraint or index",
                spot,
                "give one of them a name: name: …",
            )
        self._taken.add(name)
        self.default_names.add(name)
        return name

    # -- columns ----------------------------------------------------------------------------------------------------

    def _key_columns(self, use: Use) -> tuple[str, ...] | None:
        fields = use.get("fields")
        if not fields:
            self._issues.error(
                "missing-argument", f"@{use.name} on a type needs fields: which columns is it about?", use.spot
            )
            return None
        return self._resolve(use, "fields")

    def _resolve(self, use: Use, argument: str) -> tuple[str, ...] | None:
        """Columns that this list of field or column names means; None, with errors, when one is unknown."""
        result: list[str] = []
        good = True
        for name in use.get(argument) or ():
            column = self._fields.get(name, name)
            if column in self._failed:
                good = False
            elif column not in self._columns and self._open:
                result.append(open_column(name))
            elif column not in self._columns:
                near = nearest(name, [*self._fields, *self._columns])
                self._issues.error(
                    "unknown-column",
                    f"table {self._table!r} has no column for {name!r}",
                    use.spot_of(argument),
                    f"did you mean {near}?" if near else "relations and dropped fields are no columns",
                )
                good = False
            elif column in result and use.name == "index":
                # PostgreSQL allows it, and databases have it.
                self._issues.warn(
                    "repeated-column", f"{name!r} stands twice in the index, which gains nothing", use.spot_of(argument)
                )
                result.append(column)
            elif column in result:
                self._issues.error(
                    "repeated-column", f"{name!r} stands twice in @{use.name}({argument}:)", use.spot_of(argument)
                )
                good = False
            else:
                result.append(column)
        return tuple(result) if good else None

    # -- constraints ------------------------------------------------------------------------------------------------

    def _deferral(self, use: Use) -> tuple[bool, bool]:
        deferred = bool(use.get("initiallyDeferred", False))
        if deferred and use.get("deferrable") is False:
            self._issues.error(
                "wrong-argument", "initiallyDeferred makes it deferrable, and deferrable says no", use.spot
            )
        return bool(use.get("deferrable", False)) or deferred, deferred

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
        self.constraints.append(PrimaryKey(name, columns, include, deferrable, deferred, comment, overlaps))

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
            self.indexes.append(Index(name, keys, "btree", True, include, nulls, where, comment=comment))
            return
        name = self._name(use, "constraint", (*columns, *include), "key")
        deferrable, deferred = self._deferral(use)
        overlaps = bool(use.get("withoutOverlaps", False))
        self.constraints.append(Unique(name, columns, include, nulls, deferrable, deferred, comment, overlaps))

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
            Exclude(name, method, tuple(elements), where, deferrable, deferred, use.get("comment") or None)
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

    # -- indexes ----------------------------------------------------------------------------------------------------

    def _index(self, use: Use, field_column: str | None) -> None:
        given = self._index_keys(use, field_column)
        include = self._resolve(use, "include")
        where = checked(use, "where", self._issues)
        if given is None or include is None:
            return
        keys = self._with_options(use, given)
        labels = [key.column or parse_expression(key.expression or "").label for key in keys]
        nulls = bool(use.get("nullsNotDistinct", False))
        unique = bool(use.get("unique", False))
        if nulls and not unique:
            self._issues.error(
                "wrong-argument", "nullsNotDistinct is about a unique index", use.spot_of("nullsNotDistinct")
            )
        name = self._name(use, "index", distinct_labels([*labels, *include]), "idx")
        self.indexes.append(
            Index(
                name,
                keys,
                use.get("using", "btree").lower(),
                unique,
                include,
                nulls,
                where,
                use.get("with") or (),
                comment=use.get("comment") or None,
                tablespace=use.get("tablespace") or None,
            )
        )

    def _index_keys(self, use: Use, field_column: str | None) -> list[IndexKey] | None:
        if "fields" in use.arguments and "expr" in use.arguments:
            self._issues.error(
                "wrong-argument", "@index takes fields or expr; in expr a bare column name is a plain key", use.spot
            )
            return None
        if "expr" in use.arguments:
            keys = []
            for number, text in enumerate(use.get("expr")):
                try:
                    expression = parse_expression(text)
                except SqlError as error:
                    self._issues.error(
                        "wrong-sql",
                        f"@index(expr:) is not an SQL expression: {error}",
                        sql_spot(use, "expr", error.offset, number),
                        "one text per key; order, opclass and collate have arguments of their own",
                    )
                    return None
                if expression.node == "CollateClause":
                    self._issues.error(
                        "wrong-argument",
                        "the collation of an index key has an argument of its own",
                        sql_spot(use, "expr", 0, number),
                        'expr: "name", collate: "C"',
                    )
                    return None
                if (
                    expression.node == "ColumnRef"
                    and expression.columns
                    and (self._open or expression.columns[0] in self._columns)
                ):
                    keys.append(IndexKey(expression.columns[0]))
                else:
                    keys.append(IndexKey(None, text.strip()))
            if not keys:
                self._issues.error("missing-argument", "an index has at least one key", use.spot)
            return keys or None
        if field_column is not None and "fields" not in use.arguments:
            return [IndexKey(field_column)]
        columns = self._key_columns(use)
        return None if columns is None else [IndexKey(column) for column in columns]

    def _with_options(self, use: Use, keys: Sequence[IndexKey]) -> tuple[IndexKey, ...]:
        opclasses, collations, orders = (
            self._per_key(use, name, len(keys)) for name in ("opclass", "collate", "order")
        )
        if not (any(opclasses) or any(collations) or any(orders)):
            return tuple(keys)
        result = []
        for key, opclass, collation, order in zip(keys, opclasses, collations, orders, strict=True):
            descending, nulls_first = _ORDER[order or "ASC"]
            result.append(
                IndexKey(
                    key.column,
                    key.expression,
                    opclass or None,
                    self._collation(use, collation) if collation else None,
                    descending,
                    nulls_first,
                )
            )
        return tuple(result)

    def _per_key(self, use: Use, argument: str, count: int) -> Sequence[Any]:
        values = use.get(argument)
        if values is None:
            return (None,) * count
        if len(values) != count:
            if len(values) == 1:
                return tuple(values) * count
            self._issues.error(
                "wrong-argument",
                f"the index has {count} keys, and {argument} says something about {len(values)}",
                use.spot_of(argument),
                "one entry per key; null for the default",
            )
            return (None,) * count
        return tuple(values)

    def _collation(self, use: Use, text: str) -> QName | None:
        try:
            parts, columns = split_name(text)
        except ValueError:
            parts, columns = [], None
        if columns is not None or not 1 <= len(parts) <= 2:
            self._issues.error("wrong-argument", f"{text!r} is not the name of a collation", use.spot_of("collate"))
            return None
        return QName(parts[0], parts[1]) if len(parts) == 2 else QName("pg_catalog", parts[0])


def open_column(name: str) -> str:
    """The column that a name means where the columns are not known: exact in quotes of SQL, else as of a field."""
    if len(name) > 2 and name[0] == name[-1] == '"':
        return name[1:-1].replace('""', '"')
    return snake_case(name)


def elements_not_null(column: Column) -> str:
    """The check of ``[T!]``, as ``pg_get_expr()`` prints it back: the cast is that of the element, without a length."""
    element = without_typmod(column.type.removesuffix("[]"))
    return f"(array_position({quote_ident(column.name)}, NULL::{element}) IS NULL)"


def distinct_labels(labels: Iterable[str]) -> list[str]:
    """Key names of an index: the second ``lower`` is ``lower1`` (``ChooseIndexColumnNames()``)."""
    result: list[str] = []
    for label in labels:
        name, number = label, 0
        while name in result:
            number += 1
            name = f"{label}{number}"
        result.append(name)
    return result
