"""Hazards: from the effects of a step, and the sizes of what it touches, to a class and to sentences that say why.

The class is never looked up by the name of an operation. It follows from facts: how strong the strongest lock is,
whether it is held for a moment or for as long as the table is large, whether something is lost, whether connected
clients break.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wesley_tui.catalog.snapshot import TableSize
from wesley_tui.planner.effects import Effects
from wesley_tui.planner.effects.record import RowLock
from wesley_tui.planner.estimates import is_tiny
from wesley_tui.planner.human import human_duration
from wesley_tui.planner.operations import Operation
from wesley_tui.planner.plan import HazardClass, LockMode, StepKind
from wesley_tui.planner.profiles import Profile

__all__ = ["Verdict", "judge"]


@dataclass(frozen=True, slots=True)
class Verdict:
    hazard: HazardClass
    why: tuple[str, ...]
    who_waits: str
    loses: str
    breaks: str


def judge(
    operation: Operation,
    effects: Effects,
    *,
    created: Collection[str],
    sizes: Mapping[str, TableSize],
    estimate_ms: float,
    profile: Profile,
) -> Verdict:
    """``created``: tables (``schema.table``) that the plan itself makes; nobody waits for those."""
    concerned = {*effects.locks, *effects.rewrites, *effects.scans, *effects.writes}
    # Of the thousands that a plan may make, those that this step is about.
    new = {*effects.creates, *(name for name in concerned if name in created)}
    locks = {name: mode for name, mode in effects.locks.items() if name not in new}
    growing = [name for name in (*effects.rewrites, *effects.scans) if name not in new]
    loses = _loses(operation, effects)
    breaks = "; ".join(text for text in effects.breaks if locks or not new) if not operation.kept else ""
    # Rows that are inserted are in nobody's way.
    written = [
        name
        for name in effects.writes
        if name not in new and effects.row_locks.get(name, RowLock.KEY_SHARE) >= RowLock.NO_KEY_UPDATE
    ]
    held = {name: mode for name, mode in (effects.held or effects.locks).items() if name in locks}
    strongest = max(locks.values(), default=None)
    blocking = strongest is not None and strongest >= LockMode.ShareLock
    while_growing = max(held.values(), default=LockMode.AccessShareLock) >= LockMode.ShareLock

    reasons: list[tuple[HazardClass, str]] = []
    if effects.unknown:
        reasons.append((HazardClass.H3, f"the effects are not known ({effects.unknown}), so the worst is assumed"))
    if operation.danger:
        reasons.append((HazardClass.H3, operation.danger))
    if loses:
        reasons.append((HazardClass.H3, f"is lost: {loses}"))
    if breaks:
        reasons.append((HazardClass.H3, f"connected clients notice: {breaks}"))
    if operation.kind is not StepKind.BACKFILL:
        reasons += _writing_reasons(operation, effects, written, sizes)
    reasons += _time_reasons(
        operation, effects, locks, growing, while_growing if growing else blocking, sizes, estimate_ms
    )
    hazard = max(reason[0] for reason in reasons)
    said = tuple(text for level, text in reasons if level == hazard)
    return Verdict(
        hazard=hazard,
        why=(*said, *operation.why),
        who_waits=_who_waits(operation, locks, held if growing else {}, written, estimate_ms, profile),
        loses=loses,
        breaks=breaks,
    )


def _loses(operation: Operation, effects: Effects) -> str:
    """What a retire sets aside and what the plan replaces is not lost."""
    lost = [operation.loses] if operation.loses else []
    if not operation.kept and not operation.retires:
        lost += effects.loses
    return "; ".join(lost)


def _writing_reasons(
    operation: Operation, effects: Effects, written: Sequence[str], sizes: Mapping[str, TableSize]
) -> Iterator[tuple[HazardClass, str]]:
    """Rows that one transaction writes are locked until it ends."""
    for name in written:
        if name not in effects.writes_all:
            yield HazardClass.H2, f"rows of {name} are written, and locked until the transaction ends"
        elif name in operation.small or is_tiny(sizes.get(name)):
            yield HazardClass.H1, f"every row of {name} is written, but its size says that the table is tiny"
        else:
            yield HazardClass.H3, f"every row of {name} is written, and locked until the transaction ends"


def _time_reasons(
    operation: Operation,
    effects: Effects,
    locks: dict[str, LockMode],
    growing: list[str],
    blocking: bool,
    sizes: Mapping[str, TableSize],
    estimate_ms: float,
) -> list[tuple[HazardClass, str]]:
    if operation.kind is StepKind.BACKFILL:
        return [(HazardClass.H2, "rows are written, in batches that let everybody else through")]
    if growing and blocking:
        named = ", ".join(growing)
        verb = "written again" if any(name in effects.rewrites for name in growing) else "read from end to end"
        if all(name in operation.small or is_tiny(sizes.get(name)) for name in growing):
            return [
                (
                    HazardClass.H1,
                    f"every row of {named} is {verb} under the lock, but its size says that the table is tiny "
                    "(at most 8 pages): it takes no longer than a catalog change, and would be H3 on a larger one",
                )
            ]
        return [
            (
                HazardClass.H3,
                f"every row of {named} is {verb} under a lock that blocks: about {human_duration(estimate_ms)}, and "
                "longer as the table grows",
            )
        ]
    if operation.kind is StepKind.AUTOCOMMIT and not blocking:
        return [(HazardClass.H1, "it runs beside readers and writers, outside a transaction")]
    if growing:
        return [
            (
                HazardClass.H2,
                f"{', '.join(growing)} is read from end to end (about {human_duration(estimate_ms)}) while readers and "
                "writers go on",
            )
        ]
    if blocking:
        return [(HazardClass.H1, "the lock is strong and held for a moment, whatever the size of the table")]
    if not locks and effects.creates:
        return [(HazardClass.H0, "what it creates is new: nobody can wait for it")]
    return [(HazardClass.H0, "only catalogs change, and no reader or writer waits")]


def _who_waits(
    operation: Operation,
    locks: dict[str, LockMode],
    held: dict[str, LockMode],
    written: Sequence[str],
    estimate_ms: float,
    profile: Profile,
) -> str:
    if operation.kind is StepKind.BACKFILL:
        return "writers of the rows of the batch that runs, until it commits; nobody else"
    strongest = max(locks.values(), default=None)
    if strongest is None or strongest <= LockMode.RowExclusiveLock:
        return f"writers of the rows of {' and '.join(written)} that it writes, until it ends" if written else "nobody"
    patience = f"and while the lock is waited for, at most {profile.lock_timeout_ms / 1000:g} s each attempt"
    longest = max(held.values(), default=LockMode.AccessShareLock)
    if strongest is LockMode.ShareUpdateExclusiveLock:
        return f"no reader and no writer; VACUUM and other DDL on {_locked(locks, strongest)} wait"
    if LockMode.ShareUpdateExclusiveLock < longest < strongest:
        return (
            f"{_who(longest)} of {_locked(held, longest)}: about {human_duration(estimate_ms)}; then "
            f"{_who(strongest)} of {_locked(locks, strongest)}: a few ms, {patience}"
        )
    length = f"about {human_duration(estimate_ms)}" if longest == strongest else "a few ms"
    return f"{_who(strongest)} of {_locked(locks, strongest)}: {length}, {patience}"


def _who(mode: LockMode) -> str:
    return "readers and writers" if mode is LockMode.AccessExclusiveLock else "writers (readers go on)"


def _locked(locks: Mapping[str, LockMode], mode: LockMode) -> str:
    return " and ".join(sorted(name for name, found in locks.items() if found == mode))
