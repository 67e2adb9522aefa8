"""Steps of a run that wait for a lock: which they are, who holds them up, and how that reads. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from textual.content import Content

from wesley_tui.executor.events import Event, EventType
from wesley_tui.planner.plan import Plan, Step
from wesley_tui.tui.text import identifier, one_line

__all__ = ["Holdup", "holdup_text", "waiting_after", "waiting_steps"]

_OVER = frozenset({EventType.STEP_OK, EventType.STEP_FAIL, EventType.STEP_SKIP})


@dataclass(frozen=True, slots=True)
class Holdup:
    """A step that waits, and who held it up when it was last looked at."""

    step: Step
    blockers: tuple[Mapping[str, Any], ...]

    @property
    def oldest(self) -> Mapping[str, Any] | None:
        """The blocker with the oldest transaction among those whose session can be ended."""
        sessions = [blocker for blocker in self.blockers if blocker.get("pid") and blocker.get("started")]
        return max(sessions, key=lambda blocker: float(blocker.get("age_s", 0)), default=None)


def waiting_after(waiting: Mapping[str, Event], events: Iterable[Event]) -> dict[str, Event]:
    """The last ``lock.timeout`` of every step that has not ended since, by ``step_sha``."""
    after = dict(waiting)
    for event in events:
        if event.step_sha is None:
            continue
        if event.type is EventType.LOCK_TIMEOUT:
            after[event.step_sha] = event
        elif event.type in _OVER:
            after.pop(event.step_sha, None)
    return after


def waiting_steps(plan: Plan, waiting: Mapping[str, Event]) -> list[Holdup]:
    """In the order of the plan."""
    return [
        Holdup(step, tuple(waiting[step.step_sha].metrics.get("blockers", ())))
        for step in plan.steps
        if step.step_sha in waiting
    ]


def holdup_text(holdup: Holdup) -> Content:
    """The step, and a line or two for each blocker; what comes from other people is plain text."""
    lines = [Content.assemble((identifier(holdup.step.op), "bold"), " ", one_line(holdup.step.object), " waits for")]
    for blocker in holdup.blockers:
        who = f"{blocker.get('user', '')} {blocker.get('application', '')}".strip()
        lines.append(
            Content.assemble(
                ("  session ", "$muted"),
                (str(blocker.get("pid", "?")), "bold"),
                f"  {one_line(who)}  ",
                (f"{blocker.get('state', '')} for {float(blocker.get('age_s', 0)):.0f} s", "$warning"),
            )
        )
        lines.append(Content.styled("    " + one_line(str(blocker.get("query", ""))), "$muted"))
    if not holdup.blockers:
        lines.append(Content("  somebody who had gone before it could be seen who it was"))
    return Content("\n").join(lines)
