"""What a run may take from the database: every limit with its present value, to be changed while the run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from wesley_tui.executor.events import RunState
from wesley_tui.tui.present import health_words, window_words

if TYPE_CHECKING:
    from wesley_tui.executor.governor import Knobs

__all__ = ["MEANING", "LimitsScreen", "changes_of"]

MEANING: Mapping[str, str] = {
    "rows_per_second": "rows of each backfill a second; 0: the plan's",
    "batch_ms": "ms that a batch should take",
    "busy_batch_ms": "ms of a batch while clients work",
    "busy_share": "% of the time, while clients work",
    "lock_wait_ms": "ms of an attempt to get a lock",
    "workers": "steps at the same time, 1 to 4",
    "window": "Sun 02:00-05:00 Europe/Berlin; empty: always",
    "window_waves": "waves that wait for the window",
    "active_degraded": "clients at work: slower above",
    "active_open": "clients at work: nothing starts above",
    "waiting_degraded": "clients waiting for a lock: slower above",
    "waiting_open": "clients waiting: nothing starts above",
    "errors_degraded": "recent errors: slower above",
    "errors_open": "recent errors: nothing starts above",
    "error_window_s": "s that an error counts",
    "lag_degraded_s": "s of replica lag: slower above",
    "lag_open_s": "s of replica lag: nothing starts above",
    "oldest_degraded_s": "s of the oldest transaction: slower above",
    "checkpoints_degraded": "forced in a minute: slower above",
    "latency_degraded": "times the usual latency: slower above",
    "disk_degraded": "% of the disk: slower above",
    "disk_open": "% of the disk: nothing starts above",
    "calm_s": "s of calm before it goes faster again",
    "blind_s": "s without an answer before nothing starts",
}
"""Every field of :class:`~wesley_tui.executor.governor.Knobs` in a few words, in the order of the screen."""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def changes_of(knobs: Knobs, texts: Mapping[str, str]) -> dict[str, Any]:
    """The limits whose text is not that of the present value; ValueError says which cannot be what."""
    changes: dict[str, Any] = {}
    for name, text in texts.items():
        before = getattr(knobs, name)
        if text.strip() == _text(before):
            continue
        if isinstance(before, str):
            changes[name] = text.strip()
            continue
        try:
            changes[name] = float(text)
        except ValueError as error:
            raise ValueError(f"{name} must be a number, not {text.strip()!r}") from error
    knobs.changed(changes)
    return changes


class LimitsScreen(ModalScreen[dict[str, Any] | None]):
    """Returns what is to change; None, or nothing in it, when all is to stay."""

    def __init__(self, run_id: int, knobs: Knobs, state: RunState) -> None:
        super().__init__()
        self._run_id = run_id
        self._knobs = knobs
        self._state = state

    def compose(self) -> ComposeResult:
        known = {field.name for field in fields(self._knobs)}
        with Vertical(id="limits"):
            yield Static(Content("\n").join(self._heading()), markup=False, id="limits-state")
            with VerticalScroll(id="limits-rows", can_focus=False):
                for name in (*(name for name in MEANING if name in known), *sorted(known - set(MEANING))):
                    with Horizontal(classes="limit"):
                        yield Static(name, markup=False, classes="limit-name")
                        field = Input(_text(getattr(self._knobs, name)), id=f"limit-{name}", select_on_focus=True)
                        field.cursor_blink = False
                        yield field
                        yield Static(Content.styled(MEANING.get(name, ""), "$muted"), markup=False)
            yield Static("", markup=False, id="limits-problem")

    def _heading(self) -> list[Content]:
        return [
            Content.assemble("governor  ", health_words(self._state), f"  {self._state.health_message}"),
            Content.assemble("window    ", window_words(self._state) or Content("none: steps begin at any time")),
        ]

    def on_mount(self) -> None:
        frame = self.query_one("#limits")
        frame.border_title = f"Limits of run {self._run_id}"
        frame.border_subtitle = "Tab next  Enter changes them, as an event  Esc leaves all as it is"
        self.query_one("#limits-problem").display = False
        self.set_focus(self.query(Input).first())

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        texts = {str(field.id).removeprefix("limit-"): field.value for field in self.query(Input)}
        try:
            self.dismiss(changes_of(self._knobs, texts))
        except ValueError as error:
            problem = self.query_one("#limits-problem", Static)
            problem.display = True
            problem.update(Content.styled(f"{error}. Nothing was changed.", "bold $error"))

    def on_key(self, event: Key) -> None:
        if event.key == "escape":
            event.stop()
            self.dismiss(None)
        elif event.key in ("down", "up"):
            event.stop()
            if event.key == "down":
                self.focus_next(Input)
            else:
                self.focus_previous(Input)
