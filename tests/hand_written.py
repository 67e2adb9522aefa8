"""Hand-written plans in tests."""

from __future__ import annotations

import json
from typing import Any

from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.dsl.backfill_guard import Allowed
from wesley_tui.dsl.build import build_hand_written
from wesley_tui.dsl.document import read_plan
from wesley_tui.planner.plan import Plan

__all__ = ["document", "made", "text"]


def document(*steps: dict[str, Any], wave: str = "EXPAND", **limits: int) -> dict[str, Any]:
    """A plan of one wave."""
    waves = [{"name": wave, "limits": limits, "steps": list(steps)}]
    return {"wesley_plan": 1, "title": "A test", "reason": "To see what it does.", "waves": waves}


def text(*steps: dict[str, Any], wave: str = "EXPAND", **limits: int) -> bytes:
    return json.dumps(document(*steps, wave=wave, **limits), indent=1).encode()


def made(
    snapshot: Snapshot, *steps: dict[str, Any], wave: str = "EXPAND", allowed: Allowed | None = None, **limits: int
) -> Plan:
    return build_hand_written(read_plan("plan.json", text(*steps, wave=wave, **limits)), snapshot, allowed=allowed)
