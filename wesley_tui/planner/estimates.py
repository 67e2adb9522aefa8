"""How long a step takes and what it costs the disks: how much there is to do, from the statistics of the server, and
how fast that goes (:mod:`wesley_tui.planner.rates`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wesley_tui.catalog.snapshot import TableSize
from wesley_tui.planner.effects import Effects
from wesley_tui.planner.plan import Backfill, Step, StepKind
from wesley_tui.planner.rates import ASSUMED, WORK_OF_RATE, Rates

__all__ = [
    "TINY_BYTES",
    "estimate_ms",
    "is_tiny",
    "table_bytes",
    "table_rows",
    "total_work",
    "work_of",
]

PAGE_BYTES = 8192
ROW_BYTES = 100
"""Assumed width of a row where only the size of the table is known."""
ENTRY_BYTES = 24
"""Assumed width of an entry of a B-tree over one short column."""
TINY_BYTES = 8 * PAGE_BYTES
"""Up to eight pages even a rewrite takes no longer than a catalog change."""


def table_bytes(size: TableSize | None) -> int:
    return max(size.relpages * PAGE_BYTES, size.main_bytes) if size is not None else 0


def table_rows(size: TableSize | None) -> float:
    """Rows by the statistics, else by the size."""
    if size is None:
        return 0.0
    return size.reltuples if size.reltuples >= 0 else table_bytes(size) / ROW_BYTES


def is_tiny(size: TableSize | None) -> bool:
    """True only when statistics exist and say so: a table that was never analyzed may be of any size."""
    return size is not None and size.reltuples >= 0 and table_bytes(size) <= TINY_BYTES


def work_of(kind: StepKind, effects: Effects, sizes: Mapping[str, TableSize]) -> dict[str, int]:
    """What there is to do, as :attr:`wesley_tui.planner.plan.Step.work` names it. ``sizes`` by ``schema.table``.

    A rewrite writes the table and its indexes, and logs both. An index that is built CONCURRENTLY reads its table
    twice. A backfill reads its table and writes every row anew: the new row and, at the first touch after a checkpoint,
    its whole page are logged, about twice the size of the table.
    """
    work = dict.fromkeys(
        (*WORK_OF_RATE.values(), "read_bytes", "written_bytes", "wal_bytes"),
        0,
    )
    for name in effects.rewrites:
        size = sizes.get(name)
        indexes = size.index_bytes if size is not None else 0
        work["rewritten_bytes"] += table_bytes(size) + indexes
        work["read_bytes"] += table_bytes(size)
        work["written_bytes"] += table_bytes(size) + indexes
        work["wal_bytes"] += table_bytes(size) + indexes
    if kind is StepKind.BACKFILL:
        for name in effects.locks:
            size = sizes.get(name)
            work["filled_rows"] += round(table_rows(size))
            work["read_bytes"] += table_bytes(size)
            work["written_bytes"] += table_bytes(size)
            work["wal_bytes"] += 2 * table_bytes(size)
    else:
        concurrent = kind is StepKind.AUTOCOMMIT
        for name in effects.scans:
            size = sizes.get(name)
            read = table_bytes(size) * (2 if concurrent else 1)
            work["scanned_bytes"] += read
            work["read_bytes"] += read
            if concurrent or effects.rebuilds:
                work["sorted_rows"] += round(table_rows(size))
                work["written_bytes"] += round(table_rows(size)) * ENTRY_BYTES
                work["wal_bytes"] += round(table_rows(size)) * ENTRY_BYTES
    return {name: amount for name, amount in work.items() if amount}


def estimate_ms(work: Mapping[str, int], rates: Rates = ASSUMED, backfill: Backfill | None = None) -> float:
    """Milliseconds, without the wait for locks; a backfill takes at least as long as its own limit makes it."""
    spent = {name: work.get(amount, 0) / rates.value(name) for name, amount in WORK_OF_RATE.items()}
    if backfill is not None and backfill.rows_per_second:
        spent["backfill"] = max(spent["backfill"], work.get("filled_rows", 0) * 1000 / backfill.rows_per_second)
    return round(rates.brief.value + sum(spent.values()), 1)


def total_work(steps: Iterable[Step]) -> dict[str, int]:
    """The amounts of all steps together."""
    total: dict[str, int] = {}
    for step in steps:
        for name, amount in step.work.items():
            total[name] = total.get(name, 0) + amount
    return total
