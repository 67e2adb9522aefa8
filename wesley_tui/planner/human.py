"""Amounts as people say them."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["about", "human_bytes", "human_duration", "work_sentence"]


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


def about(milliseconds: float) -> str:
    """``about 12 s``; short times are vague enough by themselves."""
    return human_duration(milliseconds) if milliseconds < 50 else f"about {human_duration(milliseconds)}"


def human_bytes(number: float) -> str:
    """``640 kB``, ``12 MB``, ``3.4 GB``; units of 1,000."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if number >= size:
            return f"{number / size:.1f} {unit}" if number < 10 * size else f"{number / size:.0f} {unit}"
    return f"{number / 1000:.0f} kB" if number >= 1000 else f"{number:.0f} bytes"


def work_sentence(work: Mapping[str, int]) -> str:
    """``12 GB read, 3 GB written, 3 GB of WAL``; empty when no rows are touched."""
    words = (("read_bytes", "read"), ("written_bytes", "written"), ("wal_bytes", "of WAL"))
    return ", ".join(f"{human_bytes(work[name])} {word}" for name, word in words if work.get(name))
