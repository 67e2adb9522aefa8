"""What rules ask of a tree again and again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wesley_tui.catalog.model import QName
from wesley_tui.lint.subject import Subject
from wesley_tui.planner.effects.context import names_in
from wesley_tui.planner.effects.tree import Node, walk

__all__ = [
    "actions",
    "added_constraints",
    "base_type",
    "column_constraints",
    "dropped",
    "new_columns",
    "nodes",
    "option_names",
    "type_modifiers",
]


def actions(subject: Subject, *subtypes: str) -> list[Any]:
    """Subcommands of an ALTER TABLE of a table that others use; ``subtypes`` without their ``AT_``."""
    found: dict[str, list[Any]] | None = subject.memo.get("actions")
    if found is None:
        found = subject.memo["actions"] = {}
        node = subject.node
        if node.tag == "AlterTableStmt" and node.objtype == "OBJECT_TABLE" and not subject.on_new:
            for command in node.cmds:
                found.setdefault(command.subtype[3:], []).append(command)
    if not found:
        return []
    return [command for subtype in subtypes for command in found.get(subtype, ())]


def new_columns(subject: Subject) -> list[tuple[QName, Any]]:
    """Columns that CREATE TABLE or ADD COLUMN define: (table, ColumnDef)."""
    found: list[tuple[QName, Any]] | None = subject.memo.get("columns")
    if found is None:
        found = subject.memo["columns"] = list(_new_columns(subject))
    return found


def _new_columns(subject: Subject) -> Iterator[tuple[QName, Any]]:
    node, target = subject.node, subject.target
    if target is None:
        return
    if node.tag == "CreateStmt":
        for element in node.tableElts or ():
            if element.tag == "ColumnDef" and element.typeName is not None:
                yield target, element
    elif node.tag == "AlterTableStmt" and node.objtype == "OBJECT_TABLE":
        for command in node.cmds:
            if command.subtype == "AT_AddColumn":
                yield target, command.get("def")


def nodes(subject: Subject) -> list[Node]:
    """Every node of the statement."""
    found: list[Node] | None = subject.memo.get("nodes")
    if found is None:
        found = subject.memo["nodes"] = list(walk(subject.node))
    return found


def column_constraints(column: Any) -> set[str]:
    """``DEFAULT``, ``NOTNULL``, ``CHECK`` … of a column definition."""
    return {item.contype.removeprefix("CONSTR_") for item in column.constraints or ()}


def added_constraints(subject: Subject, *kinds: str) -> Iterator[Any]:
    """Constraints that ALTER TABLE … ADD CONSTRAINT puts on a table that others use."""
    for command in actions(subject, "AddConstraint"):
        constraint = command.get("def")
        if constraint.contype.removeprefix("CONSTR_") in kinds:
            yield constraint


def base_type(column: Any) -> str:
    """The last part of the type's name, as PostgreSQL calls it internally: ``int4``, ``varchar`` …"""
    return str(column["typeName"]["names"][-1]["sval"])


def type_modifiers(column: Any) -> int:
    return len(column.typeName.typmods or ())


def dropped(subject: Subject, kind: str) -> Iterator[str]:
    """Dotted names of what a DROP takes away, without what the script itself made."""
    node = subject.node
    if node.removeType == f"OBJECT_{kind}":
        for item in node.objects:
            parts = names_in(item)
            name = subject.context.resolve(parts[-2] if len(parts) > 1 else None, parts[-1])
            if not subject.is_new(name):
                yield ".".join(parts)


def option_names(items: Any) -> dict[str, Any]:
    """Options by name, with their arguments."""
    return {str(item.defname).lower(): item.arg for item in items or ()}
