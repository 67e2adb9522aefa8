"""The class of a statement, from its effects: the same facts and the same order as for a step of a plan."""

from __future__ import annotations

from wesley_tui.catalog.model import QName
from wesley_tui.lint.subject import Subject
from wesley_tui.planner.plan import HazardClass, LockMode

__all__ = ["judge"]

_READS = frozenset(("SelectStmt", "CopyStmt", "DeclareCursorStmt", "InsertStmt"))
"""Whoever only reads is in nobody's way, however long it takes."""


def judge(subject: Subject) -> tuple[HazardClass, tuple[str, ...]]:
    """The class, and the sentences that say why."""
    effects, node = subject.effects, subject.node
    locks = {name: effects.locks[name] for name in subject.others(effects.locks)}
    growing = subject.others((*effects.rewrites, *effects.scans))
    blocking = max(locks.values(), default=LockMode.AccessShareLock) >= LockMode.ShareLock
    only_new = bool(effects.locks or effects.creates) and not locks

    if effects.unknown:
        return HazardClass.H3, (f"the effects are not known ({effects.unknown}), so the worst is assumed",)
    reasons: list[tuple[HazardClass, str]] = []
    if (lost := _lost(subject)) and not only_new:
        reasons.append((HazardClass.H3, f"is lost: {'; '.join(lost)}"))
    if effects.breaks and not only_new and not subject.is_put_back:
        reasons.append((HazardClass.H3, f"connected clients notice: {'; '.join(effects.breaks)}"))
    written = subject.others(effects.writes)
    held = subject.others(subject.transaction.exclusive)
    if held and ((written and not subject.writes_little) or growing):
        reasons.append(
            (
                HazardClass.H3,
                f"{', '.join(held)} stays locked by this transaction for as long as the statement takes",
            )
        )
    if growing and blocking:
        reasons.append(_growing(subject, growing))
    elif growing and (node.tag not in _READS or effects.creates):
        reasons.append(
            (HazardClass.H2, f"{', '.join(growing)} is read from end to end while readers and writers go on")
        )
    if written:
        reasons.append(_writing(node, written))
    if not effects.in_transaction and not blocking and locks:
        reasons = [(max(level, HazardClass.H1), text) for level, text in reasons if level != HazardClass.H2]
        reasons.append((HazardClass.H1, "it runs beside readers and writers, outside a transaction"))
    if blocking and not reasons:
        reasons.append((HazardClass.H1, "the lock is strong and held for a moment, whatever the size of the table"))
    if not reasons:
        text = "what it touches is new: nobody can wait for it" if only_new else "no reader and no writer waits"
        return HazardClass.H0, (text,)
    worst = max(level for level, _ in reasons)
    return worst, tuple(text for level, text in reasons if level == worst)


def _lost(subject: Subject) -> list[str]:
    """What the statement loses and the script does not put back."""
    if subject.is_put_back:
        return []
    table = subject.target.name if subject.target is not None else ""
    again = [
        command.name
        for command in (subject.node.cmds or () if subject.node.tag == "AlterTableStmt" else ())
        if command.subtype == "AT_DropConstraint" and subject.is_made_again("CONSTRAINT", f"{table}.{command.name}")
    ]
    return [text for text in subject.effects.loses if not any(f"constraint {name} " in f"{text} " for name in again)]


def _growing(subject: Subject, growing: list[str]) -> tuple[HazardClass, str]:
    named = ", ".join(growing)
    verb = "written again" if any(name in subject.effects.rewrites for name in growing) else "read from end to end"
    if all(subject.is_tiny(QName(*name.split(".", 1))) for name in growing):
        return (
            HazardClass.H1,
            f"every row of {named} is {verb} under the lock, but the statistics say that it is tiny (at most 8 pages); "
            "it would be H3 on a larger one",
        )
    return HazardClass.H3, f"every row of {named} is {verb} under a lock that blocks, for longer as the table grows"


def _writing(node: object, written: list[str]) -> tuple[HazardClass, str]:
    named = ", ".join(written)
    tag = getattr(node, "tag", "")
    if tag == "InsertStmt":
        select = getattr(node, "selectStmt", None)
        if select is None or select.valuesLists is not None:
            return HazardClass.H0, f"new rows of {named} are in nobody's way"
        return HazardClass.H2, f"rows of {named} are written in proportion to what the query finds"
    if tag == "UpdateStmt" and getattr(node, "whereClause", None) is None:
        return HazardClass.H3, f"every row of {named} is written, and locked until the transaction ends"
    return HazardClass.H2, f"rows of {named} are written, and locked until the transaction ends"
