"""What a statement does, as data, and the tally that collects it while a statement is read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeVar

from wesley_tui.catalog.model import QName
from wesley_tui.planner.plan import LockMode

__all__ = ["Effects", "RowLock", "Tally", "merged"]


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
    held: Mapping[str, LockMode] = field(default_factory=dict)
    """Of several statements: the locks that are held when the last one that reads or writes a table from end to end
    begins, its own among them. Stronger ones come after it, and are held for a moment. Empty means all locks."""
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
    writes_all: tuple[str, ...] = ()
    """Those of them of which every row is updated, by an UPDATE without a WHERE."""
    row_locks: Mapping[str, RowLock] = field(default_factory=dict)
    """Strongest lock on the rows that the statement touches, per table: whoever wants one of them waits until the
    transaction ends. Rows that are inserted are nobody's yet."""
    notices: tuple[str, ...] = ()
    """What connected clients may notice although nothing that they say is wrong afterwards, one sentence each."""
    replication: tuple[str, ...] = ()
    """What logical replication makes of it, one sentence each."""
    standbys: tuple[str, ...] = ()
    """What physical standbys, and queries on them, make of it, one sentence each."""


class RowLock(IntEnum):
    """Locks on rows, from weak to strong (manual, "Row-Level Locks"); each conflicts with itself and with all above
    it, save that SHARE does not conflict with itself and KEY SHARE with nothing but UPDATE."""

    KEY_SHARE = 1
    SHARE = 2
    NO_KEY_UPDATE = 3
    UPDATE = 4

    @property
    def clause(self) -> str:
        """As a SELECT would ask for it: ``FOR NO KEY UPDATE``."""
        return f"FOR {self.name.replace('_', ' ')}"


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
        self.writes_all: set[QName] = set()
        self.row_locks: dict[QName, RowLock] = {}
        self.notices: list[str] = []
        self.replication: list[str] = []
        self.standbys: list[str] = []

    def lock(self, relation: QName, mode: LockMode) -> None:
        """Remember the strongest lock."""
        self.locks[relation] = max(mode, self.locks.get(relation, mode))

    def lock_rows(self, relation: QName, mode: RowLock) -> None:
        """Remember the strongest lock on rows."""
        self.row_locks[relation] = max(mode, self.row_locks.get(relation, mode))

    def effects(self) -> Effects:
        self._leave_out_catalogs()
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
            writes_all=_sorted(self.writes_all - self.creates),
            row_locks={str(name): self.row_locks[name] for name in sorted(self.row_locks.keys() - self.creates)},
            notices=tuple(dict.fromkeys(self.notices)),
            replication=tuple(dict.fromkeys(self.replication)),
            standbys=tuple(dict.fromkeys(self.standbys)),
        )

    def _leave_out_catalogs(self) -> None:
        system = {name for name in (*self.locks, *self.reads) if name.schema in _SYSTEM_SCHEMAS}
        if system:
            self.locks = {name: mode for name, mode in self.locks.items() if name not in system}
            for names in (self.scans, self.reads):
                names.difference_update(system)


_SYSTEM_SCHEMAS = frozenset(("pg_catalog", "information_schema", "pg_toast"))
"""Nobody waits for a lock on what is in them."""


def _sorted(names: Iterable[QName]) -> tuple[str, ...]:
    return tuple(sorted(map(str, names)))


def merged(parts: Iterable[Effects]) -> Effects:
    """The effects of several statements in one transaction: every lock is held to its end. What one of them makes is
    new to those after it; one before it may have dropped another of that name, for which somebody waits."""
    parts = tuple(parts)
    creates: set[str] = set()
    made: list[frozenset[str]] = []
    for part in parts:
        creates.update(part.creates)
        made.append(frozenset(creates))

    def names(field_name: str) -> set[str]:
        return {
            name for part, new in zip(parts, made, strict=True) for name in getattr(part, field_name) if name not in new
        }

    def sentences(field_name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(text for part in parts for text in getattr(part, field_name)))

    rewrites = names("rewrites")
    growing = [place for place, part in enumerate(parts, 1) if part.scans or part.rewrites]
    return Effects(
        locks=_strongest((part.locks for part in parts), made),
        rewrites=tuple(sorted(rewrites)),
        scans=tuple(sorted(names("scans") - rewrites)),
        held=_strongest((part.locks for part in parts[: growing[-1]]), made[: growing[-1]]) if growing else {},
        rebuilds=tuple(sorted({name for part in parts for name in part.rebuilds})),
        creates=tuple(sorted(creates)),
        in_transaction=all(part.in_transaction for part in parts),
        loses=sentences("loses"),
        breaks=sentences("breaks"),
        unknown=next((part.unknown for part in parts if part.unknown), ""),
        assumes=sentences("assumes"),
        reads=tuple(sorted(names("reads"))),
        writes=tuple(sorted(names("writes"))),
        writes_all=tuple(sorted(names("writes_all"))),
        row_locks=_strongest((part.row_locks for part in parts), made),
        notices=sentences("notices"),
        replication=sentences("replication"),
        standbys=sentences("standbys"),
    )


_Mode = TypeVar("_Mode", bound=IntEnum)


def _strongest(parts: Iterable[Mapping[str, _Mode]], made: Iterable[Collection[str]]) -> dict[str, _Mode]:
    found: dict[str, _Mode] = {}
    for part, new in zip(parts, made, strict=True):
        for name, mode in part.items():
            if name not in new:
                found[name] = max(mode, found.get(name, mode))
    return dict(sorted(found.items()))
