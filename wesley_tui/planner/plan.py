"""The records of a plan: waves of steps, each with what it runs, what it locks, how it is checked and undone.

A plan is data: it can be shown, written to a file, stored in the database, and executed much later by a process that
has never seen the schema. Nothing here computes; :mod:`wesley_tui.planner.build` makes plans,
:mod:`wesley_tui.planner.document` reads and writes them as JSON.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from wesley_tui.diff.changes import RenameQuestion

__all__ = [
    "WAVE_NAMES",
    "Backfill",
    "HazardClass",
    "LockMode",
    "Plan",
    "Rate",
    "Step",
    "StepCheck",
    "StepKind",
    "Wave",
    "WaveName",
]


class HazardClass(enum.IntEnum):
    """How much a step can hurt; ordered, so that ``max()`` of a wave is the wave's class.

    H0 metadata: nobody waits. H1 additive: a strong lock for constant time, or a long build that blocks no writer.
    H2 reads or writes data in proportion to the table, throttled or under SHARE UPDATE EXCLUSIVE. H3 blocks readers or
    writers for time that grows with the data, loses data, or breaks connected clients.
    """

    H0 = 0
    H1 = 1
    H2 = 2
    H3 = 3

    @property
    def word(self) -> str:
        """The word that stands beside the badge, so that it reads without colour."""
        return ("metadata", "additive", "data", "danger")[self]


class LockMode(enum.IntEnum):
    """Table-level lock modes, weakest first, named as in ``pg_locks.mode``.

    https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
    """

    AccessShareLock = 1
    RowShareLock = 2
    RowExclusiveLock = 3
    ShareUpdateExclusiveLock = 4
    ShareLock = 5
    ShareRowExclusiveLock = 6
    ExclusiveLock = 7
    AccessExclusiveLock = 8


class StepKind(enum.StrEnum):
    """How the executor runs a step."""

    TRANSACTIONAL = "transactional"
    """All statements in one transaction, together with ledger row and event."""
    AUTOCOMMIT = "autocommit"
    """One statement that PostgreSQL refuses in a transaction block (CONCURRENTLY …)."""
    BACKFILL = "backfill"
    """Keyset batches, each a transaction that also moves the checkpoint."""


WaveName = Literal["PLAN", "EXPAND", "BACKFILL", "VALIDATE", "CONTRACT"]
WAVE_NAMES: tuple[WaveName, ...] = ("PLAN", "EXPAND", "BACKFILL", "VALIDATE", "CONTRACT")


@dataclass(frozen=True, slots=True)
class StepCheck:
    """A condition on the database: ``sql`` is one SELECT that yields one boolean; true means satisfied."""

    message: str
    """What is wrong when it is not satisfied, and what to do."""
    sql: str


@dataclass(frozen=True, slots=True)
class Backfill:
    """What a backfill step does, batch by batch.

    ``batch_sql`` takes two parameters, ``$1`` the key of the last row of the batch before (a jsonb array of the key
    columns as text, NULL at the start) and ``$2`` the number of rows to visit; it returns one row ``(last_key jsonb,
    visited bigint, changed bigint)`` where ``last_key`` is NULL when nothing was left to visit.
    """

    table: str
    """``schema.name``."""
    key: tuple[str, ...]
    """The columns that the batches walk along: a primary key or a unique key without NULLs."""
    batch_sql: str
    remaining_sql: str
    """One SELECT that yields the number of rows still to do (for progress and for the final proof)."""
    batch_rows: int = 1000
    rows_per_second: int | None = None
    """Throttle; None runs as fast as the governor lets it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens, or does not: the unit of the ledger, of retry and of skip."""

    step_sha: str
    """64 hex digits: SHA-256 over plan identity, position and canonical operation; people see the first 16."""
    ordinal: int
    """Position in the plan, from 1."""
    op: str
    """The operation, one of the DSL's words: ``add_column``, ``add_index_concurrently`` …"""
    object: str
    """What it is done to: ``schema.table``, ``schema.table.column`` …"""
    kind: StepKind
    statements: tuple[str, ...]
    """Each exactly one SQL statement, parsed by libpg_query, without a trailing semicolon. Empty for a backfill."""
    hazard: HazardClass
    locks: Mapping[str, LockMode] = field(default_factory=dict)
    """Strongest lock per relation, ``schema.table`` → mode."""
    rewrites: tuple[str, ...] = ()
    """Relations whose every row is written again."""
    scans: tuple[str, ...] = ()
    """Relations that are read from end to end."""
    depends_on: tuple[str, ...] = ()
    """``step_sha`` of the steps that must have succeeded."""
    prechecks: tuple[StepCheck, ...] = ()
    postchecks: tuple[StepCheck, ...] = ()
    undo: tuple[str, ...] = ()
    """Statements that take the step back, in order; empty with ``loses`` set when nothing can."""
    loses: str = ""
    """What is lost for good when the step runs (data, constraint …); empty: nothing."""
    breaks: str = ""
    """Which connected clients break and how; empty: none."""
    who_waits: str = ""
    """Who waits behind the locks and for how long, one sentence."""
    why: tuple[str, ...] = ()
    """Reasons for the hazard class and for the form chosen, one sentence each."""
    estimate_ms: float = 0.0
    work: Mapping[str, int] = field(default_factory=dict)
    """How much there is to do, as estimated; only what is not zero: ``scanned_bytes``, ``rewritten_bytes``,
    ``sorted_rows``, ``filled_rows``, and what that means for the disks: ``read_bytes``, ``written_bytes``,
    ``wal_bytes``."""
    lock_timeout_ms: int = 5_000
    statement_timeout_ms: int = 30_000
    """0 for builds and validations, which are watched instead."""
    leftover_check: StepCheck | None = None
    """AUTOCOMMIT: true when an earlier attempt left something half-made (an INVALID index)."""
    leftover_cleanup: tuple[str, ...] = ()
    """AUTOCOMMIT: statements, each outside a transaction, that remove it."""
    backfill: Backfill | None = None
    max_retries: int | None = None
    """How often it is tried again after the first attempt; None: as long as the executor's patience lasts."""

    @property
    def in_transaction(self) -> bool:
        return self.kind is not StepKind.AUTOCOMMIT

    @property
    def sql(self) -> str:
        """The statements as one text, for people and for the plan's JSON."""
        if self.backfill is not None:
            return self.backfill.batch_sql + ";"
        return "\n".join(statement + ";" for statement in self.statements)


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a server does one kind of work, and how that is known."""

    value: float
    unit: str
    """``ms``, ``bytes/ms`` or ``rows/ms``."""
    source: str
    """``assumed``, ``measured in 12 steps``, ``probed`` …"""


@dataclass(frozen=True, slots=True)
class Wave:
    name: WaveName
    steps: tuple[Step, ...]

    @property
    def hazard(self) -> HazardClass:
        return max((step.hazard for step in self.steps), default=HazardClass.H0)


@dataclass(frozen=True, slots=True)
class Plan:
    plan_id: str
    """64 hex digits: SHA-256 over base, target and the canonical operations."""
    base: str
    """Fingerprint of the live catalog, restricted to ``scope``, that the plan starts from."""
    target: str
    """Fingerprint of the desired catalog, restricted to ``scope``."""
    waves: tuple[Wave, ...] = ()
    """Only waves that have steps, in the order of :data:`WAVE_NAMES`; empty when there is nothing to do."""
    server_version_num: int = 180000
    profile: str = "production"
    scope: tuple[str, ...] = ()
    """The objects that plan and fingerprints speak of: ``table public.users``, ``enum public.mood``, sorted."""
    unmanaged: tuple[str, ...] = ()
    """Objects in the live schemas that are left alone, ``kind schema.name``."""
    questions: tuple[RenameQuestion, ...] = ()
    source: str = ""
    """The SDL that the plan was made from, so that its result can be verified later; empty for a DSL plan."""
    tenants: tuple[str, ...] = ()
    """The schemas that the SDL was applied to instead of ``public``."""
    ignored: tuple[str, ...] = ()
    """Patterns of objects that were left out of the comparison."""
    rates: Mapping[str, Rate] = field(default_factory=dict)
    """What the estimates were made with, by name: ``brief``, ``scan``, ``rewrite``, ``build``, ``backfill``."""
    title: str = ""
    """Of a hand-written plan."""
    reason: str = ""
    """Why its author wrote it."""

    @property
    def hazard(self) -> HazardClass:
        return max((wave.hazard for wave in self.waves), default=HazardClass.H0)

    @property
    def steps(self) -> Iterator[Step]:
        """All steps in the order of their ordinals."""
        return (step for wave in self.waves for step in wave.steps)
