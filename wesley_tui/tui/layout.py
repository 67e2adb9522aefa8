"""Which panes are on the screen, for a size and a focus. Pure, so that every size can be tested without a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["PANES", "Arrangement", "PaneId", "arrangement"]

PaneId = Literal["schema", "plan", "details", "activity"]

PANES: Mapping[PaneId, str] = {
    "schema": "F2 Schema",
    "plan": "F3 Plan",
    "details": "F4 Details",
    "activity": "F5 Activity",
}
"""The panes in their order, with the key that leads to each."""

_COMPANION: Mapping[PaneId, PaneId] = {
    "schema": "plan",
    "plan": "details",
    "details": "plan",
    "activity": "plan",
}
"""What is worth seeing beside a pane: while one types the plan, in the plan the details …"""

WIDE_COLUMNS, WIDE_ROWS = 100, 28
_PAIR_ROWS = 16
_BORDER_ROWS, _TABS_ROWS, _BORDER_COLUMNS = 8, 5, 16


@dataclass(frozen=True, slots=True)
class Arrangement:
    wide: bool
    """All panes side by side."""
    shown: tuple[PaneId, ...]
    primary: PaneId
    tabs: bool
    borderless: bool


def arrangement(width: int, height: int, active: PaneId, *, zoomed: bool, running: bool) -> Arrangement:
    """The panes for ``width`` × ``height`` cells. While something runs, the plan goes with its progress."""
    borderless = height < _BORDER_ROWS or width < _BORDER_COLUMNS
    wide = width >= WIDE_COLUMNS and height >= WIDE_ROWS
    if zoomed:
        return Arrangement(False, (active,), active, height >= _TABS_ROWS, borderless)
    if wide:
        return Arrangement(True, tuple(PANES), active, False, False)
    shown: tuple[PaneId, ...] = (active,)
    if height >= _PAIR_ROWS:
        companion = "activity" if running and active == "plan" else _COMPANION[active]
        shown = (active, companion)
    return Arrangement(False, shown, active, height >= _TABS_ROWS, borderless)
