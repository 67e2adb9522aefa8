"""What a script does further down, for the few rules that depend on it: a view that is dropped and made again, a
transaction that nobody ends, a foreign key whose index comes later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from wesley_tui.planner.effects.context import names_in

__all__ = ["Outline", "outline_of"]

_ENDS = frozenset(("TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK", "TRANS_STMT_PREPARE"))


@dataclass(frozen=True, slots=True)
class Outline:
    """Names are without their schemas: whoever means the same object may spell it in two ways."""

    made: dict[tuple[str, str], int] = field(default_factory=dict)
    """(kind, name) → the last statement, counted from 0, that makes it."""
    indexed: frozenset[tuple[str, str]] = frozenset()
    """(table, column) that some index or key of the script begins with."""
    last_end: int = -1
    """The last statement that ends a transaction."""

    def is_made_after(self, position: int, kind: str, name: str) -> bool:
        return self.made.get((kind, name), -1) > position


def outline_of(nodes: Iterable[Any]) -> Outline:
    """``nodes``: the statements of the script in order; None where one cannot be parsed."""
    made: dict[tuple[str, str], int] = {}
    indexed: set[tuple[str, str]] = set()
    last_end = -1
    for position, node in enumerate(nodes):
        if node is None:
            continue
        for key in _made(node):
            made[key] = position
        indexed.update(_indexed(node))
        if node.tag == "TransactionStmt" and node.get("kind") in _ENDS:
            last_end = position
    return Outline(made, frozenset(indexed), last_end)


def _made(node: Any) -> Iterator[tuple[str, str]]:
    match node.tag:
        case "ViewStmt":
            yield "VIEW", node.view.relname
        case "CreateTableAsStmt" if node.objtype == "OBJECT_MATVIEW":
            yield "MATVIEW", node.into.rel.relname
        case "CreateFunctionStmt":
            for kind in ("FUNCTION", "PROCEDURE", "ROUTINE"):
                yield kind, names_in(node.funcname)[-1]
        case "CreateTrigStmt":
            yield "TRIGGER", f"{node.relation.relname}.{node.trigname}"
        case "CreatePolicyStmt":
            yield "POLICY", f"{node.table.relname}.{node.policy_name}"
        case "RuleStmt":
            yield "RULE", f"{node.relation.relname}.{node.rulename}"
        case "AlterTableStmt":
            for command in node.cmds:
                if command.subtype == "AT_AddConstraint" and command.get("def").conname:
                    yield "CONSTRAINT", f"{node.relation.relname}.{command.get('def').conname}"
        case _:
            return


def _indexed(node: Any) -> Iterator[tuple[str, str]]:
    if node.tag == "IndexStmt" and node.indexParams and node.indexParams[0].name is not None:
        yield node.relation.relname, node.indexParams[0].name
    elif node.tag == "CreateStmt":
        for element in node.tableElts or ():
            if element.tag == "ColumnDef":
                kinds = {item.contype for item in element.constraints or ()}
                if kinds & {"CONSTR_PRIMARY", "CONSTR_UNIQUE"}:
                    yield node.relation.relname, element.colname
            elif element.contype in ("CONSTR_PRIMARY", "CONSTR_UNIQUE") and element.get("keys"):
                yield node.relation.relname, names_in(element.get("keys"))[0]
    elif node.tag == "AlterTableStmt":
        for command in node.cmds:
            constraint = command.get("def")
            if command.subtype == "AT_AddConstraint" and constraint.contype in ("CONSTR_PRIMARY", "CONSTR_UNIQUE"):
                for name in names_in(constraint.get("keys"))[:1]:
                    yield node.relation.relname, name
