"""Everything about the selected row: SQL, locks per relation, who waits, why, checks, undo, what is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from wesley_tui.executor.events import RunState, StepState, StepStatus
from wesley_tui.planner.human import work_sentence
from wesley_tui.planner.plan import HazardClass, LockMode, Plan, Step, StepKind, Wave
from wesley_tui.sdl.diagnostics import Diagnostic
from wesley_tui.tui.glyphs import UNICODE, Glyphs
from wesley_tui.tui.keymap import bindings
from wesley_tui.tui.present import (
    STATUS_STYLE,
    WAVE_PURPOSE,
    badge,
    checks_lines,
    hazard_lines,
    indented,
    labelled,
    lines_of,
    locks_lines,
    progress_text,
    sql_content,
)
from wesley_tui.tui.text import count, duration, identifier, one_line, short_sha

if TYPE_CHECKING:
    from wesley_tui.diff.changes import RenameQuestion
    from wesley_tui.planner.obstacles import Obstacle

__all__ = ["StepDetails", "describe_diagnostics", "describe_question", "describe_step", "describe_wave"]

_FORMATTED_SQL_LIMIT = 20_000
"""Characters; longer statements are shown as they are."""
_SHOWN_LINES = 400
"""Of one statement; the rest is counted, and can be copied."""

_KIND_WORDS = {
    StepKind.TRANSACTIONAL: "in one transaction",
    StepKind.AUTOCOMMIT: "outside a transaction",
    StepKind.BACKFILL: "in batches",
}


class StepDetails(VerticalScroll):
    """The details pane."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("details"))

    def __init__(self, format_sql: Callable[[str], str], *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(id=id)
        self.glyphs = glyphs
        self._format = lru_cache(maxsize=512)(_guarded(format_sql))
        self._body = Static(id="details-body", markup=False)

    def compose(self) -> Iterable[Static]:
        yield self._body

    @property
    def content(self) -> Content:
        shown = self._body.content
        return shown if isinstance(shown, Content) else Content(str(shown))

    def show_content(self, content: Content, *, keep_position: bool = False) -> None:
        """Replace what is shown; to the top, unless only a status changed."""
        if content == self._body.content:
            return
        self._body.update(content)
        if not keep_position:
            self.scroll_home(animate=False)

    def show_step(
        self,
        step: Step,
        wave: Wave,
        plan: Plan,
        run: RunState | None,
        in_the_way: Sequence[Obstacle] = (),
        *,
        keep_position: bool = False,
    ) -> None:
        state = run.step(step.step_sha) if run is not None else None
        self.show_content(
            describe_step(step, wave, plan, state, self._format, self.glyphs, in_the_way), keep_position=keep_position
        )

    def show_wave(self, wave: Wave, *, keep_position: bool = False) -> None:
        self.show_content(describe_wave(wave), keep_position=keep_position)


def _guarded(format_sql: Callable[[str], str]) -> Callable[[str], str]:
    """Formatting is a courtesy: what cannot be formatted is shown as it will be sent."""

    def formatted(sql: str) -> str:
        if len(sql) > _FORMATTED_SQL_LIMIT:
            return sql
        try:
            return format_sql(sql)
        except Exception:
            return sql

    return formatted


def describe_step(
    step: Step,
    wave: Wave,
    plan: Plan,
    state: StepState | None,
    format_sql: Callable[[str], str],
    glyphs: Glyphs,
    in_the_way: Sequence[Obstacle] = (),
) -> Content:
    """The whole of a step, in the order in which a careful person asks."""
    total = sum(len(item.steps) for item in plan.waves)
    top = [
        Content.assemble(badge(step.hazard), "  ", (identifier(step.op), "bold")),
        Content.styled(identifier(step.object), "bold"),
        Content.styled(f"{wave.name}, step {step.ordinal} of {total}, {_KIND_WORDS[step.kind]}", "$muted"),
    ]
    return lines_of(
        [
            top,
            _run_lines(state, glyphs),
            _danger_lines(step, glyphs),
            labelled("SQL", _sql_lines(step, format_sql)),
            labelled("Locks", locks_lines(step.locks) or [Content.styled("  none on a table", "$muted")]),
            labelled("Who waits", indented(step.who_waits) if step.who_waits else ()),
            labelled("In the way now", _obstacle_lines(in_the_way, glyphs)),
            labelled("Why", [line for reason in step.why for line in indented(reason, glyphs.bullet)]),
            labelled("Reads and writes", _work_lines(step)),
            labelled("Checks", checks_lines(step)),
            labelled("Undo", _undo_lines(step, format_sql)),
            labelled("Time", _time_lines(step)),
        ]
    )


def _run_lines(state: StepState | None, glyphs: Glyphs) -> list[Content]:
    if state is None or state.status is StepStatus.PENDING:
        return []
    words = [state.status.value]
    if state.duration_ms is not None:
        words.append(f"in {duration(state.duration_ms)}")
    if state.attempt > 1:
        words.append(f"attempt {state.attempt}")
    if progress := progress_text(state):
        words.append(progress)
    style = STATUS_STYLE[state.status]
    lines = [Content.styled(f"{glyphs.status[state.status]} {', '.join(words)}", style)]
    if state.message:
        lines += indented(state.message)
    return lines


def _danger_lines(step: Step, glyphs: Glyphs) -> list[Content]:
    lines: list[Content] = []
    for word, text in (("Lost for good", step.loses), ("Breaks clients", step.breaks)):
        if text:
            lines.append(Content.assemble((f"{glyphs.warning} {word}: ", "bold $error"), one_line(text)))
    return lines


def _sql_lines(step: Step, format_sql: Callable[[str], str]) -> list[Content]:
    texts = [step.backfill.batch_sql] if step.backfill is not None else list(step.statements)
    lines: list[Content] = []
    for text in texts:
        formatted = format_sql(text).rstrip().removesuffix(";") + ";"
        shown = sql_content(formatted).split("\n")
        lines += [Content("  ") + line for line in shown[:_SHOWN_LINES]]
        if len(shown) > _SHOWN_LINES:
            lines.append(Content.styled(f"  and {count(len(shown) - _SHOWN_LINES, 'line')} more", "$muted"))
    return lines


def _obstacle_lines(obstacles: Sequence[Obstacle], glyphs: Glyphs) -> list[Content]:
    lines: list[Content] = []
    for item in obstacles[:5]:
        lines.append(Content.assemble(f"  {glyphs.warning} ", (one_line(item.who), "bold $warning")))
        lines += [line for text in (*item.how, item.advice) for line in indented(text)]
    if len(obstacles) > 5:
        lines.append(Content.styled(f"  and {count(len(obstacles) - 5, 'session')} more", "$muted"))
    return lines


def _work_lines(step: Step) -> list[Content]:
    lines = [Content.assemble("  rewrites  ", (identifier(name), "bold")) for name in step.rewrites]
    lines += [Content.assemble("  scans     ", (identifier(name), "bold")) for name in step.scans]
    if step.backfill is not None:
        fill = step.backfill
        rate = f", at most {fill.rows_per_second} rows/s" if fill.rows_per_second else ""
        key = ", ".join(fill.key)
        lines.append(
            Content(f"  batches   {identifier(fill.table)} by ({identifier(key)}), {fill.batch_rows} rows each{rate}")
        )
    if disks := work_sentence(step.work):
        lines.append(Content(f"  disks     {disks}"))
    return lines


def _undo_lines(step: Step, format_sql: Callable[[str], str]) -> list[Content]:
    if step.undo:
        return [
            Content("  ") + line
            for text in step.undo
            for line in sql_content(format_sql(text).rstrip().removesuffix(";") + ";").split("\n")
        ]
    if step.loses:
        return [Content.styled("  none: what is lost cannot be brought back", "bold $error")]
    return [Content.styled("  nothing to take back", "$muted")]


def _time_lines(step: Step) -> list[Content]:
    statement = duration(step.statement_timeout_ms) if step.statement_timeout_ms else "none, watched instead"
    facts = [
        ("estimate", duration(step.estimate_ms) if step.estimate_ms else "unknown"),
        ("lock_timeout", duration(step.lock_timeout_ms)),
        ("statement_timeout", statement),
        ("step", short_sha(step.step_sha)),
    ]
    return [Content.assemble((f"  {name:<18}", "$muted"), value) for name, value in facts]


def describe_wave(wave: Wave) -> Content:
    """A wave: what it is for, its classes, its strongest locks."""
    classes = [
        Content.assemble("  ", badge(hazard, width=12), count(number, "step"))
        for hazard in reversed(HazardClass)
        if (number := sum(step.hazard is hazard for step in wave.steps))
    ]
    locks: dict[str, LockMode] = {}
    for step in wave.steps:
        for relation, mode in step.locks.items():
            locks[relation] = max(mode, locks.get(relation, mode))
    estimate = sum(step.estimate_ms for step in wave.steps)
    purpose = WAVE_PURPOSE.get(wave.name, "")
    if wave.name == "EXPAND" and any(step.breaks for step in wave.steps):  # a rename in place
        purpose = "Adds what the new schema needs. Clients of the old schema break: see below."
    return lines_of(
        [
            [
                Content.assemble((wave.name, "bold"), "  ", badge(wave.hazard)),
                Content.styled(purpose, "$muted"),
            ],
            labelled("Steps", classes),
            labelled("Strongest lock per relation", locks_lines(locks)),
            labelled("Takes about", [Content(f"  {duration(estimate)}")] if estimate else ()),
            labelled("Look at", [Content("  ") + line for line in hazard_lines(wave.steps, limit=20)]),
        ]
    )


def describe_question(question: RenameQuestion) -> Content:
    """A drop and an add that look like one rename: what is known, and what each answer does."""
    return lines_of(
        [
            [
                Content.assemble(("Is it a rename?", "bold $warning")),
                Content.styled(identifier(f"{question.kind} {question.old}, now {question.new}"), "bold"),
            ],
            labelled("What is known", indented(question.why)),
            labelled(
                "a  It is a rename",
                indented("@renamed is written into the schema; the data stays where it is, under its new name."),
            ),
            labelled(
                "n  Two different things",
                indented(
                    "The plan stays as it is: the new one starts empty. The question is not asked again before Wesley "
                    "is started anew."
                ),
            ),
        ]
    )


def describe_diagnostics(diagnostics: Iterable[Diagnostic], glyphs: Glyphs) -> Content:
    """All problems of a schema, in full."""
    blocks: list[list[Content]] = []
    for item in diagnostics:
        glyph, style = (glyphs.error, "bold $error") if item.severity == "error" else (glyphs.warning, "bold $warning")
        where = f"{item.source}:{item.line}:{item.column}" if item.line else item.source
        block = [
            Content.assemble(
                (f"{glyph} {item.severity}", style), f"  {one_line(where)}  ", (one_line(item.code), "$muted")
            ),
            *indented(item.message),
        ]
        if item.hint:
            block += indented(f"hint: {item.hint}")
        blocks.append(block)
    return lines_of(blocks)
