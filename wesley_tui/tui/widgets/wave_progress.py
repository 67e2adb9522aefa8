"""How far a run is: a bar per wave, the step that is running, rows, elapsed time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from textual.content import Content
from textual.widgets import Static

from wesley_tui.executor.events import RunState, StepStatus
from wesley_tui.planner.plan import Plan, Step
from wesley_tui.tui.glyphs import UNICODE, Glyphs
from wesley_tui.tui.present import RUN_WORD, badge, bar, health_words, progress_text, wave_counts, window_words
from wesley_tui.tui.text import duration, identifier, one_line

__all__ = ["WaveProgress", "describe_progress"]


class WaveProgress(Static):
    """Shown when there is a run."""

    def __init__(self, clock: Callable[[], datetime], *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__("", markup=False, id=id)
        self.glyphs = glyphs
        self._clock = clock
        self._plan: Plan | None = None
        self._state: RunState | None = None

    def show_run(self, plan: Plan | None, state: RunState | None) -> None:
        self._plan, self._state = plan, state
        self.redraw()

    def redraw(self) -> None:
        """Draw again: the clock went on, or the width changed."""
        if self._plan is None or self._state is None:
            return
        width = max(20, self.content_size.width or 40)
        self.update(describe_progress(self._plan, self._state, self._clock(), width, self.glyphs))

    def on_resize(self) -> None:
        self.redraw()


def describe_progress(plan: Plan, state: RunState, now: datetime, width: int, glyphs: Glyphs) -> Content:
    """At most two lines more than there are waves; and one for the governor and one for the window while they hold."""
    word, style = RUN_WORD[state.status]
    elapsed = ""
    if state.started is not None:
        elapsed = duration(max(0.0, ((state.finished or now) - state.started).total_seconds() * 1000))
    done = sum(wave_counts(wave, state)[0] for wave in plan.waves)
    total = sum(len(wave.steps) for wave in plan.waves)
    lines = [Content.assemble((word, style), f"  {done} of {total} steps", (f"  {elapsed}", "$muted"))]
    if state.finished is None:
        lines += _held_lines(state)
    bar_width = max(4, min(24, width - 9 - 3 - 1 - 8))
    for wave in plan.waves:
        wave_done, wave_total = wave_counts(wave, state)
        share = wave_done + sum(_part(step, state) for step in wave.steps)
        failed = any(state.step(step.step_sha).status is StepStatus.FAILED for step in wave.steps)
        complete = wave_done == wave_total
        colour = "$error" if failed else "$success" if complete else "$primary"
        lines.append(
            Content.assemble(
                (f"{wave.name:<9}", "bold" if wave.name == state.wave else ""),
                badge(wave.hazard, word=False, width=3),
                bar(share, wave_total, bar_width, glyphs, colour),
                f" {wave_done}/{wave_total}",
                (" failed" if failed else "", "bold $error"),
            )
        )
    current = next((step for step in plan.steps if state.step(step.step_sha).status is StepStatus.RUNNING), None)
    if current is not None:
        lines += _current_lines(current, state, glyphs)
    return Content("\n").join(line.truncate(width, ellipsis=True) for line in lines)


def _held_lines(state: RunState) -> list[Content]:
    lines = []
    if state.health != "healthy":
        lines.append(Content.assemble(health_words(state), f"  {one_line(state.health_message)}"))
    if state.window and not state.window_open:
        lines.append(Content.assemble("window  ", window_words(state)))
    return lines


def _current_lines(step: Step, state: RunState, glyphs: Glyphs) -> list[Content]:
    step_state = state.step(step.step_sha)
    lines = [
        Content.assemble(
            (f"{glyphs.status[StepStatus.RUNNING]} ", "bold $primary"),
            identifier(step.op),
            " ",
            (identifier(step.object), "bold"),
        )
    ]
    words = [progress_text(step_state), f"attempt {step_state.attempt}" if step_state.attempt > 1 else ""]
    text = ", ".join(word for word in words if word) or one_line(step_state.message)
    if text:
        lines.append(Content.styled(f"  {text}", "$muted"))
    return lines


def _part(step: Step, state: RunState) -> float:
    """How much of a running step is done, 0 to 1; only rows can tell."""
    step_state = state.step(step.step_sha)
    if step_state.status is StepStatus.RUNNING and step_state.rows_total:
        return min(1.0, step_state.rows_done / step_state.rows_total)
    return 0.0
