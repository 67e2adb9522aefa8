"""What a rule looks at, and what it says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wesley_tui.catalog.model import QName, Table
from wesley_tui.lint.outline import Outline
from wesley_tui.planner.effects import EffectContext, Effects
from wesley_tui.planner.effects.context import name_of, names_in
from wesley_tui.planner.plan import HazardClass, LockMode

__all__ = ["Finding", "Severity", "StatementReport", "Subject", "Transaction"]

Severity = Literal["error", "warning", "info"]
"""``error``: an outage, a loss or a failure is to be expected; ``warning``: it depends; ``info``: good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    rule: str
    severity: Severity
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class StatementReport:
    """One statement: the same facts as a step of a plan, and what the rules say of it."""

    line: int
    sql: str
    hazard: HazardClass
    locks: Mapping[str, LockMode]
    rewrites: tuple[str, ...]
    scans: tuple[str, ...]
    in_transaction: bool
    """False when PostgreSQL refuses the statement in a transaction block."""
    findings: tuple[Finding, ...] = ()
    why: tuple[str, ...] = ()
    """Why it has its class, one sentence each."""
    column: int = 1
    parsed: bool = True
    notes: tuple[str, ...] = ()
    """What rows it locks, and what prepared statements, standbys and subscribers notice, one sentence each."""


@dataclass(slots=True)
class Transaction:
    """What the transaction that is open has done so far; a new one for each, also for a statement on its own."""

    explicit: bool = False
    """Between BEGIN and COMMIT, or the whole file under ``--single-transaction``."""
    exclusive: dict[str, LockMode] = field(default_factory=dict)
    """Locks on tables that existed before, which block readers or writers, by name."""
    enum_values: dict[str, set[str]] = field(default_factory=dict)
    """Labels that it added to types that existed before."""
    not_valid: set[tuple[str, str]] = field(default_factory=set)
    """Constraints that it added NOT VALID: (table, name)."""
    ddl: list[str] = field(default_factory=list)
    """Tables that it altered."""
    writes: list[str] = field(default_factory=list)
    """Tables whose rows it wrote."""
    statements: int = 0


@dataclass(slots=True)
class Subject:
    """A statement in its place."""

    node: Any
    sql: str
    effects: Effects
    context: EffectContext
    """The catalog before the statement."""
    transaction: Transaction
    settings: Mapping[str, str]
    """Of the session, as far as the script sets them: ``lock_timeout`` …, in lower case."""
    sizes: Mapping[QName, int]
    """Pages of the tables, when a server was asked."""
    created: Collection[QName]
    """Tables and views that the script itself made."""
    flags: dict[str, bool]
    """What has been said once in this script and need not be said again."""

    outline: Outline = field(default_factory=Outline)
    """What the script does further down."""
    position: int = 0
    """Of the statement in the script, from 0."""

    target: QName | None = None
    """The relation that the statement is about, when it names one."""
    memo: dict[str, Any] = field(default_factory=dict)
    """What several rules ask for, found once."""

    def __post_init__(self) -> None:
        relation = self.node.relation or self.node.table
        if relation is not None and relation.relname is not None:
            self.target = name_of(relation, self.context)

    def name(self, relation: Any) -> QName:
        return name_of(relation, self.context)

    def is_new(self, name: QName | None) -> bool:
        """Made by the script itself: nobody else can use it, or it is empty."""
        return name is not None and name in self.created

    def others(self, names: Iterable[str]) -> list[str]:
        """Those of ``names`` (``schema.table``) that the script has not made, this statement included."""
        return [
            name
            for name in names
            if name not in self.effects.creates and QName(*name.split(".", 1)) not in self.created
        ]

    def is_made_again(self, kind: str, name: str) -> bool:
        """What a DROP takes away, further down the script puts back; ``name`` without its schema, that of a trigger,
        policy, rule or constraint with its table: ``users.audit``."""
        # A constraint may come back in the statement that drops it.
        return self.outline.is_made_after(self.position - (kind == "CONSTRAINT"), kind, name)

    @property
    def is_put_back(self) -> bool:
        """A DROP of what the script makes again further down: nothing is lost by it."""
        if self.node.tag != "DropStmt":
            return False
        kind = str(self.node.removeType).removeprefix("OBJECT_")
        names = [names_in(item) for item in self.node.objects]
        on_table = kind in ("TRIGGER", "POLICY", "RULE")
        return all(
            bool(parts) and self.is_made_again(kind, ".".join(parts[-2:]) if on_table else parts[-1]) for parts in names
        )

    @property
    def writes_little(self) -> bool:
        """New rows that are written out, or the rows that equal a constant: the version that a migration tool notes."""
        node = self.node
        if node.tag == "InsertStmt":
            return node.selectStmt is None or (
                node.selectStmt.valuesLists is not None and node.onConflictClause is None
            )
        if node.tag not in ("UpdateStmt", "DeleteStmt") or node.whereClause is None:
            return False
        where = node.whereClause
        parts = where.args if where.tag == "BoolExpr" and where.boolop == "AND_EXPR" else [where]
        return all(
            part.tag == "A_Expr"
            and part.get("kind") == "AEXPR_OP"
            and names_in(part.get("name"))[-1] == "="
            and {getattr(part.lexpr, "tag", ""), getattr(part.rexpr, "tag", "")} == {"ColumnRef", "A_Const"}
            for part in parts
        )

    @property
    def on_new(self) -> bool:
        return self.is_new(self.target)

    def table(self, name: QName) -> Table | None:
        return self.context.whole_table(name)

    def is_tiny(self, name: QName) -> bool:
        """At most eight pages, as the statistics say: whatever is done takes no longer than a catalog change."""
        pages = self.sizes.get(name)
        return pages is not None and 0 < pages <= 8
