"""Renames: which are wanted, what the live catalog looks like once they are done, and which ones to ask about.

Everything that is compared is compared by its new name. So the renames come first, and the live catalog is read as if
they had happened: :func:`renamed_catalog` follows a name into every place where the server itself would follow it
(columns of constraints and indexes, foreign keys of other tables, types of columns, expressions).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import (
    Catalog,
    Check,
    Column,
    Constraint,
    Enum,
    Exclude,
    ForeignKey,
    Index,
    IndexKey,
    Policy,
    PrimaryKey,
    QName,
    Ref,
    SqlObject,
    Table,
    Unique,
)
from wesley_tui.catalog.naming import default_name, qualified, quote_ident, quote_literal
from wesley_tui.diff.accepting import acceptance
from wesley_tui.diff.changes import RenameColumn, RenameEnum, RenameEnumLabel, RenameQuestion, RenameTable
from wesley_tui.diff.followed import with_columns_renamed

__all__ = ["RenameChange", "column_questions", "renamed_catalog", "table_questions", "wanted_renames"]

RenameChange = RenameTable | RenameColumn | RenameEnum | RenameEnumLabel

_ALIKE = 0.6
"""Similarity of two names (``difflib`` ratio) from which a drop and an add look like a rename."""


def wanted_renames(actual: Catalog, desired: Catalog, intent: Intent) -> tuple[RenameChange, ...]:
    """The renames of ``intent`` that are still to be done: the old name exists, the new one does not yet, and the
    schema does not go on using the old name for something else."""
    changes: list[RenameChange] = []
    for new_enum, old_enum in sorted(intent.renamed_enums.items()):
        if old_enum in actual.enums and new_enum not in actual.enums and new_enum in desired.enums:
            changes.append(RenameEnum(old_enum, new_enum))
    before = {change.new: change.old for change in changes if isinstance(change, RenameEnum)}
    for (enum, new), old in sorted(intent.renamed_labels.items()):
        live = actual.enums.get(before.get(enum, enum))
        wanted = desired.enums.get(enum)
        if live and wanted and old in live.labels and new not in live.labels and new in wanted.labels:
            changes.append(RenameEnumLabel(enum, old, new))
    for new_table, old_table in sorted(intent.renamed_tables.items()):
        if old_table in actual.tables and new_table not in actual.tables and new_table in desired.tables:
            changes.append(RenameTable(old_table, new_table))
    origin = {change.new: change.old for change in changes if isinstance(change, RenameTable)}
    for (table, new), old in sorted(intent.renamed_columns.items()):
        live_table = actual.tables.get(origin.get(table, table))
        wanted_table = desired.tables.get(table)
        if live_table is None or wanted_table is None or wanted_table.column(new) is None:
            continue
        if live_table.column(old) is not None and live_table.column(new) is None:
            changes.append(RenameColumn(table, old, new))
    return tuple(changes)


@dataclass(frozen=True, slots=True)
class _Names:
    """All renames at once, in the forms in which names occur."""

    tables: Mapping[QName, QName]
    columns: Mapping[QName, Mapping[str, str]]
    """By the table's new name: old column → new column."""
    types: Mapping[str, str]
    """``format_type()`` spelling, old → new."""
    labels: Mapping[QName, Mapping[str, str]]
    """By the enum's new name: old label → new label."""
    enums: Mapping[QName, QName]

    def table(self, name: QName) -> QName:
        return self.tables.get(name, name)

    def type(self, text: str) -> str:
        element, dimensions = (text[:-2], "[]") if text.endswith("[]") else (text, "")
        return self.types.get(element, element) + dimensions


def renamed_catalog(catalog: Catalog, changes: Iterable[RenameChange]) -> Catalog:
    """``catalog`` as it is once ``changes`` are done."""
    changes = tuple(changes)
    if not changes:
        return catalog
    columns: dict[QName, dict[str, str]] = {}
    labels: dict[QName, dict[str, str]] = {}
    for change in changes:
        if isinstance(change, RenameColumn):
            columns.setdefault(change.table, {})[change.old] = change.new
        elif isinstance(change, RenameEnumLabel):
            labels.setdefault(change.enum, {})[change.old] = change.new
    enums = {change.old: change.new for change in changes if isinstance(change, RenameEnum)}
    names = _Names(
        {change.old: change.new for change in changes if isinstance(change, RenameTable)},
        columns,
        {qualified(old): qualified(new) for old, new in enums.items()},
        labels,
        enums,
    )
    tables = (_rename_in_table(table, names) for table in catalog.tables.values())
    renamed_enums = (_rename_in_enum(enum, names) for enum in catalog.enums.values())
    objects = (_rename_in_object(item, names) for item in catalog.objects.values())
    return replace(
        catalog,
        tables={table.name: table for table in tables},
        enums={enum.name: enum for enum in renamed_enums},
        objects={item.ref: item for item in objects},
    )


def _rename_in_object(item: SqlObject, names: _Names) -> SqlObject:
    """What carries it, what it belongs to and what it needs; of its statements, the qualified names of tables and
    types, and columns in the queries of views (:mod:`wesley_tui.diff.followed`)."""
    depends_on = tuple(_rename_ref(ref, names) for ref in item.depends_on)
    statements = item.statements
    for old, new in names.tables.items():
        statements = tuple(_replace_name(text, qualified(old), qualified(new)) for text in statements)
    for before, after in names.types.items():
        statements = tuple(_replace_name(text, before, after) for text in statements)
    if names.columns and item.kind in ("view", "materialized view"):
        statements = (with_columns_renamed(statements[0], names.columns), *statements[1:])
    owner = item.owned_by
    if owner is not None:
        table = names.table(owner[0])
        owner = (table, names.columns.get(table, {}).get(owner[1], owner[1]))
    relation = names.table(item.relation) if item.relation is not None else None
    if (depends_on, statements, owner, relation) == (item.depends_on, item.statements, item.owned_by, item.relation):
        return item
    return replace(item, depends_on=depends_on, statements=statements, owned_by=owner, relation=relation)


def _rename_ref(ref: Ref, names: _Names) -> Ref:
    match ref.kind:
        case "table":
            return next((Ref("table", str(new)) for old, new in names.tables.items() if str(old) == ref.name), ref)
        case "enum":
            return next((Ref("enum", str(new)) for old, new in names.enums.items() if str(old) == ref.name), ref)
        case "column":
            text = ref.name
            for old_table, new_table in names.tables.items():
                if text.startswith(f"{old_table}."):
                    text = f"{new_table}{text[len(str(old_table)) :]}"
            for table, columns in names.columns.items():
                column = text.removeprefix(f"{table}.")
                if column != text and column in columns:
                    text = f"{table}.{columns[column]}"
            return Ref("column", text)
        case _:
            return ref


def _rename_in_enum(enum: Enum, names: _Names) -> Enum:
    name = names.enums.get(enum.name, enum.name)
    labels = names.labels.get(name, {})
    if name == enum.name and not labels:
        return enum
    return replace(enum, name=name, labels=tuple(labels.get(label, label) for label in enum.labels))


def _rename_in_table(table: Table, names: _Names) -> Table:
    name = names.table(table.name)
    columns = names.columns.get(name, {})
    concerned = (
        name != table.name
        or columns
        or names.types
        or names.labels
        or any(
            key.references in names.tables or names.table(key.references) in names.columns for key in table.foreign_keys
        )
        or (table.policies and (names.tables or names.columns))
    )
    if not concerned:
        return table
    rewrite = _expression_rewriter(table.name, name, columns, names)
    return replace(
        table,
        name=name,
        columns=tuple(
            _rename_column(_with_not_null_name(column, table.name, name, columns), columns, names, rewrite)
            for column in table.columns
        ),
        constraints=tuple(_rename_in_constraint(item, columns, names, rewrite) for item in table.constraints),
        indexes=tuple(_rename_in_index(index, columns, rewrite) for index in table.indexes),
        policies=tuple(_rename_in_policy(policy, names, rewrite) for policy in table.policies),
    )


_Rewrite = Callable[[str | None], str | None]


def _expression_rewriter(old: QName, new: QName, columns: Mapping[str, str], names: _Names) -> _Rewrite:
    identifiers = dict(columns)
    if old.name != new.name:
        identifiers.setdefault(old.name, new.name)
    literals = {
        f"{quote_literal(before)}::{qualified(enum)}": f"{quote_literal(after)}::{qualified(enum)}"
        for enum, labels in names.labels.items()
        for before, after in labels.items()
    }
    types = names.types

    def rewrite(expression: str | None) -> str | None:
        if expression is None:
            return None
        for before, after in types.items():
            expression = _replace_name(expression, before, after)
        for before, after in literals.items():
            expression = expression.replace(before, after)
        return _replace_identifiers(expression, identifiers) if identifiers else expression

    return rewrite


def _replace_name(expression: str, old: str, new: str) -> str:
    """Replace a qualified name where it stands alone, not as the end or the beginning of another one."""
    return re.sub(rf"(?<![\w.\"]){re.escape(old)}(?![\w\"])", lambda _: new, expression)


def _replace_identifiers(expression: str, identifiers: Mapping[str, str]) -> str:
    """Replace whole identifiers, never the inside of a literal: the scanner of PostgreSQL says which is which."""
    from pglast.parser import ParseError, scan

    try:
        tokens = scan(expression)
    except ParseError:
        return expression
    pieces: list[str] = []
    position = 0
    before = ""
    for token in tokens:
        is_name = token.name == "IDENT" or token.kind == "UNRESERVED_KEYWORD"
        after_cast, before = before == "TYPECAST", token.name
        if not is_name or after_cast:
            continue
        text = expression[token.start : token.end + 1]
        name = text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()
        if name in identifiers:
            pieces.append(expression[position : token.start])
            pieces.append(quote_ident(identifiers[name]))
            position = token.end + 1
    pieces.append(expression[position:])
    return "".join(pieces)


def _with_not_null_name(column: Column, old: QName, new: QName, columns: Mapping[str, str]) -> Column:
    """The name that NOT NULL got by itself stays as it is when table or column get another one."""
    if not column.not_null or column.not_null_name is not None or (old.name == new.name and column.name not in columns):
        return column
    return replace(column, not_null_name=default_name(old.name, (column.name,), "not_null"))


def _rename_column(column: Column, columns: Mapping[str, str], names: _Names, rewrite: _Rewrite) -> Column:
    generated = column.generated
    if generated is not None:
        generated = replace(generated, expression=rewrite(generated.expression) or "")
    return replace(
        column,
        name=columns.get(column.name, column.name),
        type=names.type(column.type),
        default=rewrite(column.default),
        generated=generated,
    )


def _mapped(columns: Sequence[str], renames: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(renames.get(column, column) for column in columns)


def _rename_in_constraint(item: Constraint, columns: Mapping[str, str], names: _Names, rewrite: _Rewrite) -> Constraint:
    match item:
        case PrimaryKey() | Unique():
            return replace(item, columns=_mapped(item.columns, columns), include=_mapped(item.include, columns))
        case ForeignKey():
            references = names.table(item.references)
            return replace(
                item,
                columns=_mapped(item.columns, columns),
                references=references,
                referenced_columns=_mapped(item.referenced_columns, names.columns.get(references, {})),
                on_delete_columns=_mapped(item.on_delete_columns, columns),
            )
        case Check():
            return replace(item, expression=rewrite(item.expression) or "")
        case Exclude():
            elements = tuple((_rename_in_key(key, columns, rewrite), operator) for key, operator in item.elements)
            return replace(item, elements=elements, where=rewrite(item.where))


def _rename_in_index(index: Index, columns: Mapping[str, str], rewrite: _Rewrite) -> Index:
    return replace(
        index,
        keys=tuple(_rename_in_key(key, columns, rewrite) for key in index.keys),
        include=_mapped(index.include, columns),
        where=rewrite(index.where),
    )


def _rename_in_key(key: IndexKey, columns: Mapping[str, str], rewrite: _Rewrite) -> IndexKey:
    column = columns.get(key.column, key.column) if key.column is not None else None
    return replace(key, column=column, expression=rewrite(key.expression))


def _rename_in_policy(policy: Policy, names: _Names, rewrite: _Rewrite) -> Policy:
    """A policy may look at other tables: their new names are followed too, as far as they are written qualified."""

    def follow(expression: str | None) -> str | None:
        expression = rewrite(expression)
        if expression is not None:
            for old, new in names.tables.items():
                expression = _replace_name(expression, qualified(old), qualified(new))
        return expression

    return replace(policy, using=follow(policy.using), check=follow(policy.check))


@lru_cache(maxsize=4096)
def _similarity(first: str, second: str) -> float:
    return difflib.SequenceMatcher(None, first, second).ratio()


def _answers(question: RenameQuestion) -> str:
    return f"--accept-rename '{acceptance(question)}'; if it is not, leave it as it is"


def column_questions(
    table: QName, live: Table, dropped: Sequence[Column], added: Sequence[Column], position_of: Mapping[str, int]
) -> list[RenameQuestion]:
    """One question at most per added column: the dropped column of the same type that looks most like it."""
    questions = []
    free = list(dropped)
    places = {column.name: place for place, column in enumerate(live.columns)}
    for column in added:
        scored = [
            (_similarity(old.name, column.name), places[old.name] == position_of[column.name], old)
            for old in free
            if old.type == column.type
        ]
        likely = [(score, same_place, old) for score, same_place, old in scored if score >= _ALIKE or same_place]
        if not likely:
            continue
        score, _, old = max(likely, key=lambda item: (item[0], item[1], item[2].name))
        free.remove(old)
        alike = "the names are alike" if score >= _ALIKE else "it stands at the same position"
        why = (
            f"column {old.name} would be dropped and column {column.name} added, both {column.type}, and {alike}; "
            f'if it is the same data under a new name, write @renamed(from: "{old.name}") on the field'
        )
        question = RenameQuestion("column", table, old.name, column.name, why)
        questions.append(replace(question, why=f"{why}, or answer {_answers(question)}"))
    return questions


def table_questions(added: Sequence[Table], unclaimed: Collection[Table]) -> list[RenameQuestion]:
    """Tables that would be created while one with mostly the same columns is left behind."""
    questions = []
    shapes = [(table, {(column.name, column.type) for column in table.columns}) for table in unclaimed]
    for table in added:
        shape = {(column.name, column.type) for column in table.columns}
        best: tuple[float, str, Table] | None = None
        for candidate, other in shapes:
            shared = len(shape & other)
            if shared and shared / len(shape | other) >= _ALIKE:
                score = (shared / len(shape | other), str(candidate.name), candidate)
                best = score if best is None or score[:2] > best[:2] else best
        if best is not None:
            _, old_name, _ = best
            why = (
                f"table {table.name} would be created, and {old_name}, which is not declared, has mostly the same "
                f'columns; if it is the same table under a new name, write @renamed(from: "{best[2].name.name}")'
            )
            question = RenameQuestion("table", table.name, old_name, str(table.name), why)
            questions.append(replace(question, why=f"{why}, or answer {_answers(question)}"))
    return questions
