"""What a statement does, as data, and the tally that collects it while a statement is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wesley_tui.catalog.model import QName
from wesley_tui.planner.plan import LockMode

__all__ = ["Effects", "Tally", "merged"]


@dataclass(frozen=True, slots=True)
class Effects:
    """Relations are named ``schema.table``. Locks on the catalogs and on relations that the statement itself
    creates are left out, and so are those on indexes and sequences that only go with their table: nobody waits for
    them."""

    locks: Mapping[str, LockMode] = field(default_factory=dict)
    """Strongest lock per table."""
    rewrites: tuple[str, ...] = ()
    """Tables whose every row is written again."""
    scans: tuple[str, ...] = ()
    """Tables that are read from end to end and not rewritten (proof of a constraint, build of an index)."""
    rebuilds: tuple[str, ...] = ()
    """Indexes that are built again, ``schema.index``."""
    creates: tuple[str, ...] = ()
    """Tables that did not exist before."""
    in_transaction: bool = True
    """False when PostgreSQL refuses the statement in a transaction block."""
    loses: tuple[str, ...] = ()
    """Data or rules that are gone afterwards, one sentence each."""
    breaks: tuple[str, ...] = ()
    """What connected clients notice, one sentence each."""
    unknown: str = ""
    """Why the model cannot say what the statement does; empty when it can."""
    assumes: tuple[str, ...] = ()
    """What had to be taken for granted because no catalog says otherwise, one sentence each."""
    reads: tuple[str, ...] = ()
    """Tables that a query reads, in whole or in part."""
    writes: tuple[str, ...] = ()
    """Tables whose rows the statement inserts, updates or deletes itself."""


class Tally:
    """Collects the effects of one statement."""

    def __init__(self) -> None:
        self.locks: dict[QName, LockMode] = {}
        self.rewrites: set[QName] = set()
        self.scans: set[QName] = set()
        self.rebuilds: set[QName] = set()
        self.creates: set[QName] = set()
        self.in_transaction = True
        self.loses: list[str] = []
        self.breaks: list[str] = []
        self.unknown = ""
        self.assumes: list[str] = []
        self.reads: set[QName] = set()
        self.writes: set[QName] = set()

    def lock(self, relation: QName, mode: LockMode) -> None:
        """Remember the strongest lock."""
        self.locks[relation] = max(mode, self.locks.get(relation, mode))

    def effects(self) -> Effects:
        return Effects(
            locks={str(name): self.locks[name] for name in sorted(self.locks.keys() - self.creates)},
            rewrites=_sorted(self.rewrites - self.creates),
            scans=_sorted(self.scans - self.rewrites - self.creates),
            rebuilds=_sorted(self.rebuilds),
            creates=_sorted(self.creates),
            in_transaction=self.in_transaction,
            loses=tuple(dict.fromkeys(self.loses)),
            breaks=tuple(dict.fromkeys(self.breaks)),
            unknown=self.unknown,
            assumes=tuple(dict.fromkeys(self.assumes)),
            reads=_sorted(self.reads - self.creates),
            writes=_sorted(self.writes - self.creates),
        )


def _sorted(names: Iterable[QName]) -> tuple[str, ...]:
    return tuple(sorted(map(str, names)))


def merged(parts: Iterable[Effects]) -> Effects:
    """The effects of several statements in one transaction: every lock is held to its end."""
    locks: dict[str, LockMode] = {}
    rewrites: set[str] = set()
    scans: set[str] = set()
    rebuilds: set[str] = set()
    creates: set[str] = set()
    loses: dict[str, None] = {}
    breaks: dict[str, None] = {}
    assumes: dict[str, None] = {}
    reads: set[str] = set()
    writes: set[str] = set()
    in_transaction, unknown = True, ""
    for part in parts:
        for relation, mode in part.locks.items():
            locks[relation] = max(mode, locks.get(relation, mode))
        rewrites.update(part.rewrites)
        scans.update(part.scans)
        rebuilds.update(part.rebuilds)
        creates.update(part.creates)
        loses |= dict.fromkeys(part.loses)
        breaks |= dict.fromkeys(part.breaks)
        in_transaction = in_transaction and part.in_transaction
        unknown = unknown or part.unknown
        assumes |= dict.fromkeys(part.assumes)
        reads.update(part.reads)
        writes.update(part.writes)
    return Effects(
        locks={name: locks[name] for name in sorted(locks.keys() - creates)},
        rewrites=tuple(sorted(rewrites - creates)),
        scans=tuple(sorted(scans - rewrites - creates)),
        rebuilds=tuple(sorted(rebuilds)),
        creates=tuple(sorted(creates)),
        in_transaction=in_transaction,
        loses=tuple(loses),
        breaks=tuple(breaks),
        unknown=unknown,
        assumes=tuple(assumes),
        reads=tuple(sorted(reads - creates)),
        writes=tuple(sorted(writes - creates)),
    )
