"""What the statements of a script leave for those after them: transaction, locks, settings, catalog."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from wesley_tui.lint.outline import Outline
from wesley_tui.lint.subject import Subject, Transaction
from wesley_tui.planner.effects import EffectContext, advance_node
from wesley_tui.planner.effects.context import names_in
from wesley_tui.planner.plan import LockMode

__all__ = ["Session"]

_STARTS = frozenset(("TRANS_STMT_BEGIN", "TRANS_STMT_START"))
_ENDS = frozenset(("TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK", "TRANS_STMT_PREPARE"))


class Session:
    """Goes through a script in order."""

    def __init__(self, context: EffectContext, *, single_transaction: bool) -> None:
        self.context = context
        self.single_transaction = single_transaction
        self.settings: dict[str, str] = {}
        self._outside: dict[str, str] | None = None
        """Settings to return to when the transaction with its SET LOCALs ends."""
        self.flags: dict[str, bool] = {}
        self.transaction = Transaction(explicit=single_transaction)
        self.outline = Outline()
        self._in_block = False

    def start_file(self) -> None:
        """A script may be several files one after the other; what those before have made exists, and is used."""
        self.context = replace(self.context, created=frozenset())
        self.transaction = Transaction(explicit=self.single_transaction)

    def start_block(self) -> None:
        """A DO block is a transaction of its own, unless one is open."""
        self._in_block = not self.transaction.explicit
        if self._in_block:
            self.transaction = Transaction(explicit=True)

    def end_block(self) -> None:
        if self._in_block:
            self.transaction = Transaction()
        self._in_block = False

    def begin(self, node: Any) -> None:
        """Called before a statement is looked at."""
        if not self.transaction.explicit:
            self.transaction = Transaction()
        if node.tag == "TransactionStmt" and node.get("kind") in _STARTS:
            self.flags["nested"] = self.transaction.explicit
            if not self.transaction.explicit:
                self.transaction = Transaction(explicit=True)
                self._outside = dict(self.settings)

    def end(self, subject: Subject, source: bytes) -> None:
        """Called after it: the catalog, the settings and the transaction are as it leaves them."""
        node = subject.node
        if node.tag == "TransactionStmt":
            if node.get("kind") in _ENDS:
                self.transaction = Transaction(explicit=self.single_transaction)
                if self._outside is not None:
                    self.settings = self._outside
                self._outside = None
            return
        if node.tag == "VariableSetStmt":
            self._set(node)
        else:
            self._remember(subject)
        self.context = advance_node(node, self.context, source)

    def _set(self, node: Any) -> None:
        name = str(node.name or "").lower()
        if node.get("kind") == "VAR_SET_VALUE":
            values = [_value(item) for item in node.args or ()]
            self.settings[name] = ", ".join(values)
            if not node.is_local and self._outside is not None:
                self._outside[name] = self.settings[name]
        else:
            self.settings.pop(name, None)

    def _remember(self, subject: Subject) -> None:
        transaction, node, effects = self.transaction, subject.node, subject.effects
        transaction.statements += 1
        for name in subject.others(effects.locks):
            mode = effects.locks[name]
            if mode >= LockMode.ShareLock:
                transaction.exclusive[name] = max(mode, transaction.exclusive.get(name, mode))
        transaction.writes += subject.others(effects.writes)
        for name in effects.writes:
            self.flags[f"filled {name}"] = True
        if node.tag == "AlterEnumStmt" and node.newVal is not None and node.oldVal is None:
            name = names_in(node.typeName)[-1]
            transaction.enum_values.setdefault(name, set()).add(node.newVal)
        if node.tag == "AlterTableStmt":
            table = str(subject.target)
            if not subject.on_new:
                transaction.ddl.append(table)
            for command in node.cmds:
                constraint = command.get("def")
                if command.subtype == "AT_AddConstraint" and constraint.skip_validation:
                    transaction.not_valid.add((table, constraint.conname or ""))


def _value(item: Any) -> str:
    if item.sval is not None:
        return str(item.sval.sval or "")
    if item.ival is not None:
        return str(item.ival.ival or 0)
    if item.boolval is not None:
        return "on" if item.boolval.boolval else "off"
    if item.fval is not None:
        return str(item.fval.fval or "0")
    return ""
