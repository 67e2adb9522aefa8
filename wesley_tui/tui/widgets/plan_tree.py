"""The plan as a tree: questions first, then waves, and under each its steps, with badge, lock and what is happening to
it.

Nothing is rebuilt when the text changes: the rows are read off the plan when they are drawn, and the cursor and the
closed waves are remembered by what they stand for (operation and object), not by where they were.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.events import Blur, Click, Focus
from textual.message import Message
from textual.reactive import reactive

from wesley_tui.executor.events import RunState, StepStatus
from wesley_tui.planner.plan import Plan, Step, Wave
from wesley_tui.tui.glyphs import UNICODE, Glyphs
from wesley_tui.tui.keymap import bindings
from wesley_tui.tui.present import (
    BADGE_WIDTH,
    LOCK_SHORT,
    STATUS_STYLE,
    badge,
    common_schema,
    short_object,
    status_text,
    strongest_lock,
    wave_counts,
)
from wesley_tui.tui.text import count, duration, identifier
from wesley_tui.tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from wesley_tui.diff.changes import RenameQuestion

__all__ = ["PlanRow", "PlanTree"]


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One row: a wave, a step of it, or a question."""

    key: tuple[str, ...]
    """The same in every plan that has this wave, this operation on this object, or this question."""
    wave: Wave | None = None
    """None for a question."""
    step: Step | None = None
    question: RenameQuestion | None = None


class PlanTree(LineView):
    """Waves and steps of the last good plan."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("plan"))

    cursor: reactive[int] = reactive(0, repaint=False)

    class Selected(Message):
        """The cursor is on another row, or the row under it is another one; ``row`` is None in an empty plan."""

        def __init__(self, tree: PlanTree, row: PlanRow | None) -> None:
            super().__init__()
            self.tree = tree
            self.row = row

        @property
        def control(self) -> PlanTree:
            return self.tree

    class Opened(Message):
        """Enter was pressed on a step."""

        def __init__(self, tree: PlanTree, row: PlanRow) -> None:
            super().__init__()
            self.tree = tree
            self.row = row

        @property
        def control(self) -> PlanTree:
            return self.tree

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(id=id)
        self.glyphs = glyphs
        self.plan: Plan | None = None
        self.placeholder = ""
        self.run_state: RunState | None = None
        self._rows: tuple[PlanRow, ...] = ()
        self._folded: set[tuple[str, ...]] = set()
        self._questions: tuple[RenameQuestion, ...] = ()
        self._schema = ""
        self._op_width = 0

    @property
    def row(self) -> PlanRow | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if 0 <= self.cursor < len(self._rows) else None

    @property
    def rows(self) -> tuple[PlanRow, ...]:
        return self._rows

    def show_plan(self, plan: Plan | None, placeholder: str = "", questions: Sequence[RenameQuestion] = ()) -> None:
        """Another plan, or none and a sentence that says why; cursor and closed waves stay with what they stood for.
        ``questions`` are those of the plan that nobody has answered."""
        self.plan = plan
        self._questions = tuple(questions)
        self.placeholder = placeholder
        steps = list(plan.steps) if plan is not None else []
        self._schema = common_schema(steps)
        self._op_width = min(28, max((len(step.op) for step in steps), default=0))
        self._lay_out()

    def show_run(self, state: RunState | None) -> None:
        """Another state of the run; only rows that look different are drawn."""
        before, self.run_state = self.run_state, state
        if before is None or state is None:
            self.refresh()
            return
        for index, row in enumerate(self._rows):
            if row.step is None or before.step(row.step.step_sha) != state.step(row.step.step_sha):
                self.line_changed(index)

    def select(self, key: tuple[str, ...]) -> bool:
        """Put the cursor on the row with this key, opening its wave; False when there is none."""
        for row in self._all_rows():
            if row.key == key:
                if row.wave is not None:
                    self._folded.discard(("wave", row.wave.name))
                self._lay_out()
                self._move(next(index for index, shown in enumerate(self._rows) if shown.key == key))
                return True
        return False

    def _lay_out(self) -> None:
        before = self.row
        old_index = self.cursor
        self._rows = tuple(
            row
            for row in self._all_rows()
            if row.step is None or row.wave is None or ("wave", row.wave.name) not in self._folded
        )
        self.lines_changed()
        index = self._find(before, old_index)
        changed = index == old_index
        self._move(index)
        if changed and self.row != before:
            self.post_message(self.Selected(self, self.row))

    def _find(self, row: PlanRow | None, index: int) -> int:
        if row is not None:
            for position, candidate in enumerate(self._rows):
                if candidate.key == row.key:
                    return position
            if row.step is not None:
                same_object = (p for p, c in enumerate(self._rows) if c.step and c.step.object == row.step.object)
                found = next(same_object, None)
                if found is not None:
                    return found
        return max(0, min(index, len(self._rows) - 1))

    def _move(self, index: int) -> None:
        index = max(0, min(index, len(self._rows) - 1))
        if index != self.cursor:
            old, self.cursor = self.cursor, index
            self.line_changed(old)
            self.line_changed(index)
            self.post_message(self.Selected(self, self.row))
        self.show_line(index)

    def line_count(self) -> int:
        return len(self._rows) or (1 if self.placeholder else 0)

    def line_style(self, index: int) -> str:
        if index != self.cursor or not self._rows:
            return ""
        if self.app.native_ansi_color:
            return "reverse" if self.has_focus else "underline"
        return "bold on $cursor-line" if self.has_focus else "on $cursor-line-blurred"

    def line_at(self, index: int, width: int) -> Content:
        if not self._rows:
            return Content.styled(f" {self.placeholder}", "$muted")
        row = self._rows[index]
        if row.question is not None:
            return _question_line(row.question, width)
        if row.step is not None:
            return self._step_line(row.step, width)
        return self._wave_line(row, row.wave, width) if row.wave is not None else Content("")

    def _wave_line(self, row: PlanRow, wave: Wave, width: int) -> Content:
        glyph = self.glyphs.closed if row.key in self._folded else self.glyphs.opened
        if self.run_state is not None:
            done, total = wave_counts(wave, self.run_state)
            tail = f"{done}/{total}"
        else:
            estimate = sum(step.estimate_ms for step in wave.steps)
            tail = count(len(wave.steps), "step") + (f", {duration(estimate)}" if estimate else "")
        left = Content.assemble(f"{glyph} ", (f"{wave.name:<9}", "bold"), badge(wave.hazard, width=BADGE_WIDTH))
        return _justify(left, Content.styled(tail, "$muted"), width)

    def _step_line(self, step: Step, width: int) -> Content:
        wide = width >= 64
        parts: list[Content | str] = ["  "]
        right = Content("")
        lock = strongest_lock(step)
        if self.run_state is not None:
            state = self.run_state.step(step.step_sha)
            style = STATUS_STYLE[state.status]
            parts.append(Content.styled(f"{self.glyphs.status[state.status]} ", style))
            if state.status is not StepStatus.PENDING:
                right = Content.styled(status_text(state), style)
        if not right and lock is not None:
            right = Content.styled(LOCK_SHORT[lock[1]], "$muted")
        parts.append(badge(step.hazard, word=wide, width=(BADGE_WIDTH if wide else 2) + 1))
        operation = identifier(step.op)
        name = identifier(short_object(step.object, self._schema))
        room = width - sum(len(part) for part in parts) - len(right) - 2
        if self._op_width + 1 + len(name) <= room:
            operation = f"{operation:<{self._op_width}}"
        parts.append(Content.assemble((operation, "$muted"), " ", (name, "bold")))
        return _justify(Content("").join(map(_content, parts)), right, width)

    def on_focus(self, _event: Focus) -> None:
        self.line_changed(self.cursor)

    def on_blur(self, _event: Blur) -> None:
        self.line_changed(self.cursor)

    @on(Click)
    def _point(self, event: Click) -> None:
        index = event.y + self.scroll_offset.y
        if index < len(self._rows):
            self._move(index)

    def action_cursor_up(self) -> None:
        self._move(self.cursor - 1)

    def action_cursor_down(self) -> None:
        self._move(self.cursor + 1)

    def action_page_up(self) -> None:
        self._move(self.cursor - self.page)

    def action_page_down(self) -> None:
        self._move(self.cursor + self.page)

    def action_first(self) -> None:
        self._move(0)

    def action_last(self) -> None:
        self._move(len(self._rows) - 1)

    def action_fold(self) -> None:
        row = self.row
        if row is None:
            return
        if row.step is not None:
            self._move(next(i for i, other in enumerate(self._rows) if other.step is None and other.wave is row.wave))
        elif row.wave is not None and row.key not in self._folded:
            self._folded.add(row.key)
            self._lay_out()

    def action_unfold(self) -> None:
        row = self.row
        if row is not None and row.key in self._folded:
            self._folded.discard(row.key)
            self._lay_out()

    def action_toggle_wave(self) -> None:
        row = self.row
        if row is None or row.wave is None:
            return
        key = ("wave", row.wave.name)
        if key in self._folded:
            self.action_unfold()
        else:
            self.action_fold()
            self.action_fold()

    def action_open(self) -> None:
        row = self.row
        if row is not None and row.key[0] != "wave":
            self.post_message(self.Opened(self, row))
        else:
            self.action_toggle_wave()

    def _all_rows(self) -> list[PlanRow]:
        rows = [PlanRow(("question", q.kind, str(q.relation), q.old, q.new), question=q) for q in self._questions]
        seen: Counter[tuple[str, str]] = Counter()
        for wave in self.plan.waves if self.plan is not None else ():
            rows.append(PlanRow(("wave", wave.name), wave))
            for step in wave.steps:
                seen[step.op, step.object] += 1
                rows.append(PlanRow(("step", step.op, step.object, str(seen[step.op, step.object])), wave, step))
        return rows


def _question_line(question: RenameQuestion, width: int) -> Content:
    if question.kind == "table":
        text = f"table {question.old}, now {question.new}"
    else:
        text = f"{question.relation}: column {question.old}, now {question.new}"
    left = Content.assemble(("? ", "bold $warning"), (identifier(text), "bold"))
    return _justify(left, Content.styled("a rename?", "$warning"), width)


def _justify(left: Content, right: Content, width: int) -> Content:
    """``left`` and ``right`` at the two ends of a line; ``left`` is cut when both do not fit."""
    room = width - right.cell_length - 1
    if room < 8:
        return left
    return Content.assemble(left.truncate(room - 1, ellipsis=True, pad=True), " ", right, " ")


def _content(part: Content | str) -> Content:
    return part if isinstance(part, Content) else Content(part)
