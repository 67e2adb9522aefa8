"""What a caller of the services may choose about planning."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PlanningOptions"]


@dataclass(frozen=True, slots=True)
class PlanningOptions:
    """What the flags of ``plan`` and ``apply`` say."""

    profile: str = "production"
    purge: bool = False
    adopt_all: bool = False
    schemas: tuple[str, ...] = ()
    """Apply what the SDL declares in ``public`` to each of these schemas instead: names, made when they are absent,
    or patterns (``tenant_*``) of schemas that are there."""
    ignore: tuple[str, ...] = ()
    """Patterns of objects that are neither compared nor listed, see :mod:`wesley_tui.diff.ignoring`."""
    accept_renames: tuple[str, ...] = ()
    """Answers to rename questions, see :mod:`wesley_tui.diff.accepting`."""
    calibrate: bool = False
    """Measure how fast the server is where it has no history, see :mod:`wesley_tui.services.probing`."""
