"""How long a step takes: sizes from the statistics of the server, rates measured on a small machine.

The rates are those of one core and warm caches on the machine that builds this project, rounded down; a production
server is seldom slower. They say whether a step takes a second or an hour, not more.
"""

from __future__ import annotations

from wesley_tui.catalog.snapshot import TableSize
from wesley_tui.planner.effects import Effects
from wesley_tui.planner.plan import StepKind

__all__ = ["BRIEF_MS", "TINY_BYTES", "estimate_ms", "human_duration", "is_tiny", "table_bytes", "table_rows"]

PAGE_BYTES = 8192
BRIEF_MS = 5.0
"""A statement that changes catalogs only, with its round trip and commit."""
SCAN_BYTES_PER_MS = 200_000
"""VALIDATE and other sequential reads: 200 MB/s."""
REWRITE_BYTES_PER_MS = 40_000
"""Reading, writing and logging every row: 40 MB/s."""
BUILD_ROWS_PER_MS = 500
"""Index build: half a million rows a second, read twice when CONCURRENTLY."""
BACKFILL_ROWS_PER_MS = 15
"""Batches with their commits and checkpoints: 15,000 rows a second."""
ROW_BYTES = 100
"""Assumed width of a row where only the size of the table is known."""
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


def estimate_ms(kind: StepKind, effects: Effects, sizes: dict[str, TableSize], *, concurrent: bool) -> float:
    """Milliseconds, without the wait for locks. ``sizes`` by ``schema.table``."""
    total = BRIEF_MS
    total += sum(table_bytes(sizes.get(name)) / REWRITE_BYTES_PER_MS for name in effects.rewrites)
    if kind is StepKind.BACKFILL:
        return total + sum(table_rows(sizes.get(name)) / BACKFILL_ROWS_PER_MS for name in effects.locks)
    for name in effects.scans:
        size = sizes.get(name)
        if concurrent or effects.rebuilds:
            total += table_rows(size) / BUILD_ROWS_PER_MS
        total += table_bytes(size) / SCAN_BYTES_PER_MS * (2 if concurrent else 1)
    return round(total, 1)


def human_duration(milliseconds: float) -> str:
    """``a few ms``, ``0.4 s``, ``12 s``, ``3 min``, ``2.5 h``."""
    if milliseconds < 50:
        return "a few ms"
    seconds = milliseconds / 1000
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
