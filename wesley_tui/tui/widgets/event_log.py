"""What was committed to ``wesley.migration_events``, newest at the bottom, and what Wesley itself says in between.

Events are kept as records in a ring and become text when they are drawn: an engine that speaks fast costs nothing but
the memory of the ring. Scrolling up stops following; ``end`` follows again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Size
from textual.reactive import var

from wesley_tui.executor.events import Event, EventType
from wesley_tui.planner.plan import Plan
from wesley_tui.tui.glyphs import UNICODE, Glyphs
from wesley_tui.tui.keymap import bindings
from wesley_tui.tui.present import common_schema, short_object
from wesley_tui.tui.text import count, duration, identifier, one_line, rows
from wesley_tui.tui.widgets.line_view import LineView

__all__ = ["EventLog", "Note", "Ring", "event_words"]

KEPT_LINES = 200_000
"""Lines that are kept by default; older ones are in the database."""

_STYLES: Mapping[EventType, str] = {
    EventType.STEP_OK: "$success",
    EventType.PLAN_COMPLETE: "bold $success",
    EventType.CERTIFICATE_ISSUED: "bold $success",
    EventType.STEP_FAIL: "bold $error",
    EventType.ABORT_REASON: "bold $error",
    EventType.DRIFT_DETECTED: "bold $error",
    EventType.LOCK_LOST: "bold $error",
    EventType.STEP_RETRY: "$warning",
    EventType.LOCK_TIMEOUT: "$warning",
    EventType.BLOCKER_TERMINATED: "$warning",
    EventType.COMMAND_REFUSED: "$warning",
    EventType.STEP_SKIP: "$warning",
    EventType.GOVERNOR_BACKPRESSURE: "$warning",
    EventType.GOVERNOR_CIRCUIT_OPEN: "bold $warning",
    EventType.PLAN_PAUSED: "$warning",
    EventType.PLAN_CANCELLED: "$warning",
    EventType.WAVE_START: "bold $primary",
    EventType.WAVE_COMPLETE: "$primary",
    EventType.PLAN_ACCEPTED: "bold $primary",
}


_REASONED = frozenset({EventType.STEP_FAIL, EventType.STEP_RETRY, EventType.LOCK_TIMEOUT})
"""Events whose message matters more than the name of the operation, which ``step.start`` has told."""


@dataclass(frozen=True, slots=True)
class Note:
    """A line that is not an event: what the application itself did or could not do."""

    time: datetime
    word: str
    text: str
    style: str = "$muted"


class Ring:
    """The last ``capacity`` items, by position; appending is O(1), memory is bounded."""

    def __init__(self, capacity: int) -> None:
        self.capacity = max(1, capacity)
        self.dropped = 0
        """How many were pushed out."""
        self._items: list[Event | Note] = []
        self._start = 0

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> Event | Note:
        return self._items[(self._start + index) % len(self._items)]

    def extend(self, items: Iterable[Event | Note]) -> int:
        """Append, pushing out the oldest; returns how many were pushed out."""
        before = self.dropped
        for item in items:
            if len(self._items) < self.capacity:
                self._items.append(item)
            else:
                self._items[self._start] = item
                self._start = (self._start + 1) % self.capacity
                self.dropped += 1
        return self.dropped - before


class EventLog(LineView):
    """Events and notes in the order in which they came."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("log"))

    following: var[bool] = var(True)

    def __init__(self, *, glyphs: Glyphs = UNICODE, kept: int = KEPT_LINES, id: str | None = None) -> None:
        super().__init__(id=id)
        self.glyphs = glyphs
        self._ring = Ring(kept)
        self._subjects: dict[str, tuple[str, str]] = {}
        """Operation and object by ``step_sha``."""

    def learn(self, plan: Plan) -> None:
        """The steps of a plan that runs: their events are then told with operation and object."""
        schema = common_schema(plan.steps)
        self._subjects.update((step.step_sha, (step.op, short_object(step.object, schema))) for step in plan.steps)

    def append(self, items: Iterable[Event | Note]) -> None:
        """Add lines at the end; the view follows unless the person scrolled up."""
        pushed_out = self._ring.extend(items)
        count = len(self._ring)
        if self.virtual_size.height != count:
            self.virtual_size = Size(0, count)
        if self.following:
            self.go_to(self.last_top)
        elif pushed_out:
            self.go_to(self.scroll_offset.y - pushed_out)
        self.refresh()

    def line_count(self) -> int:
        return len(self._ring)

    def line_at(self, index: int, width: int) -> Content:  # noqa: ARG002 - every line is cut alike
        item = self._ring[index]
        time = item.time.strftime("%H:%M:%S")
        if isinstance(item, Note):
            return Content.assemble((f"{time} ", "$faint"), (f"{item.word:<16} ", item.style), one_line(item.text))
        return Content.assemble(
            (f"{time} ", "$faint"),
            (f"{item.type.value:<16} ", _STYLES.get(item.type, "$muted")),
            *event_words(item, self._subjects.get(item.step_sha or "")),
        )

    def on_resize(self) -> None:
        if self.following:
            self.go_to(self.last_top)

    def action_line_up(self) -> None:
        self.following = False
        super().action_line_up()

    def action_page_up(self) -> None:
        self.following = False
        super().action_page_up()

    def action_first(self) -> None:
        self.following = False
        super().action_first()

    def action_page_down(self) -> None:
        super().action_page_down()
        self.following = self.scroll_offset.y + self.page >= self.last_top

    def action_follow(self) -> None:
        self.following = True
        self.go_to(self.last_top)


def event_words(event: Event, subject: tuple[str, str] | None) -> list[str | tuple[str, str]]:
    """What an event is about, what it says, and its numbers; ``subject`` is operation and object of its step."""
    message = one_line(event.message)
    parts: list[str | tuple[str, str]] = []
    if subject is not None:
        operation, name = map(identifier, subject)
        if event.type is EventType.BACKFILL_PROGRESS:
            return [f"{_metrics(event).strip()}  ", (name, "bold"), f"  {message}"]
        if event.type not in _REASONED:
            parts.append((f"{operation} ", "$muted"))
        parts.append((name, "bold"))
        if message.startswith(f"{operation} ") and message.endswith(one_line(name)):
            message = ""
    elif event.wave is not None and event.wave not in message:
        parts.append((event.wave, "bold"))
    if message:
        parts.append(f"  {message}" if parts else message)
    return [*parts, (_metrics(event), "$muted")]


def _metrics(event: Event) -> str:
    """The numbers of an event that people want on its line."""
    words: list[str] = []
    metrics = event.metrics
    if event.type is EventType.WAVE_START and isinstance(metrics.get("steps"), int):
        words.append(count(metrics["steps"], "step"))
    done, total = metrics.get("rows_done"), metrics.get("rows_total")
    if isinstance(done, int):
        words.append(f"{rows(done)} of {rows(total)} rows" if isinstance(total, int) else f"{rows(done)} rows")
    if isinstance(metrics.get("duration_ms"), (int, float)):
        words.append(duration(float(metrics["duration_ms"])))
    if isinstance(metrics.get("attempt"), int) and metrics["attempt"] > 1:
        words.append(f"attempt {metrics['attempt']}")
    return "  " + ", ".join(words) if words else ""
