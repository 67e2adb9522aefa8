"""The verdict of a run: what is true in the database now, how long it took, and the certificate."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from wesley_tui.executor.events import Event, EventType, RunState, RunStatus, StepStatus
from wesley_tui.planner.plan import HazardClass, Plan
from wesley_tui.tui.glyphs import Glyphs
from wesley_tui.tui.ports import RunEnd
from wesley_tui.tui.present import RUN_WORD, STATUS_STYLE, bar, indented, labelled, lines_of, wave_counts
from wesley_tui.tui.text import count, duration, identifier, one_line, rows, short_sha

__all__ = ["SummaryScreen", "describe_run"]

_VERDICT = {
    RunStatus.COMPLETE: "The database has the declared schema.",
    RunStatus.CONTRACT_PENDING: "Everything but CONTRACT is done. Old and new clients work.",
    RunStatus.FAILED: "The run stopped. Steps that succeeded stay; a failed transaction left nothing behind.",
    RunStatus.CANCELLED: "The run was stopped. Steps that succeeded stay. r goes on from there, u takes it back.",
    RunStatus.ROLLED_BACK: "The undo plan ran.",
}


class SummaryScreen(ModalScreen[None]):
    """Closed with Escape, Enter or ``q``."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,v", "dismiss", "Close"),
        Binding("up,k", "scroll('up')", "Up", show=False),
        Binding("down,j", "scroll('down')", "Down", show=False),
    ]

    def __init__(
        self,
        plan: Plan,
        state: RunState,
        certificate: Event | None,
        outcome: RunEnd | None,
        *,
        unsafe: bool,
        glyphs: Glyphs,
    ) -> None:
        super().__init__()
        self._content = describe_run(plan, state, certificate, outcome, glyphs, unsafe=unsafe)

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="summary"):
            yield Static(self._content, markup=False)

    def on_mount(self) -> None:
        frame = self.query_one("#summary")
        frame.border_title = "Verdict"
        frame.border_subtitle = "Esc closes"
        frame.focus()

    def action_scroll(self, direction: str) -> None:
        frame = self.query_one("#summary", VerticalScroll)
        if direction == "up":
            frame.scroll_up(animate=False)
        else:
            frame.scroll_down(animate=False)


def describe_run(
    plan: Plan, state: RunState, certificate: Event | None, outcome: RunEnd | None, glyphs: Glyphs, *, unsafe: bool
) -> Content:
    """Verdict first; then waves, failures and the certificate. ``unsafe`` is whether H3 could be confirmed here."""
    word, style = RUN_WORD[state.status]
    took = ""
    if state.started is not None and state.finished is not None:
        took = f"  in {duration(state.finished - state.started)}"
    verdict = _VERDICT.get(state.status, "The run has not ended.")
    return lines_of(
        [
            [
                Content.assemble(
                    (f" {word} ", style),
                    (took, "bold"),
                    (f"  plan {short_sha(plan.plan_id)}, run {state.run_id}", "$muted"),
                ),
                Content(verdict),
                *(_contract_next(plan, unsafe=unsafe) if state.status is RunStatus.CONTRACT_PENDING else ()),
            ],
            labelled("Failed", _failures(plan, state, glyphs)),
            labelled("What happened", _outcome(outcome)),
            labelled("Waves", _waves(plan, state, glyphs)),
            labelled("Time", _times(plan, state)),
            labelled("Steps", [_step_counts(plan, state, glyphs)]),
            labelled("Certificate", _certificate(certificate)),
        ]
    )


def _contract_next(plan: Plan, *, unsafe: bool) -> list[Content]:
    """What has to be done to run the CONTRACT wave, which waits."""
    wave = next((wave for wave in plan.waves if wave.name == "CONTRACT"), None)
    if wave is None:
        return []
    dangerous = sum(step.hazard is HazardClass.H3 for step in wave.steps)
    if dangerous and plan.profile == "chaos":
        return [Content(f"CONTRACT has {count(dangerous, 'step')} of class H3, which the profile chaos never runs.")]
    if dangerous and not unsafe:
        return [
            Content(f"CONTRACT has {count(dangerous, 'step')} of class H3, and Wesley was started without --unsafe."),
            Content("To take the old things away: start again with --unsafe, review with ^T."),
        ]
    return [Content("To take the old things away: review again (^R), and include CONTRACT with ^T.")]


def _failures(plan: Plan, state: RunState, glyphs: Glyphs) -> list[Content]:
    lines: list[Content] = []
    for step in plan.steps:
        step_state = state.step(step.step_sha)
        if step_state.status is StepStatus.FAILED:
            head = f"{glyphs.status[StepStatus.FAILED]} {identifier(step.op)} {identifier(step.object)}"
            lines += [Content.styled(f"  {head}", "bold $error"), *indented(step_state.message)]
    if state.status is RunStatus.FAILED:
        lines.append(
            Content(
                "  Read the event log (F5), correct the cause, then r goes on: done steps are skipped. u takes it back."
            )
        )
    return lines


def _outcome(outcome: RunEnd | None) -> list[Content]:
    lines = indented(outcome.message) if outcome is not None and outcome.message else []
    if outcome is not None and outcome.lost:
        lines.append(Content("  The connection was lost: r finds out what is true, and goes on (or `wesley resume`)."))
    return lines


def _waves(plan: Plan, state: RunState, glyphs: Glyphs) -> list[Content]:
    lines: list[Content] = []
    for wave in plan.waves:
        done, total = wave_counts(wave, state)
        spent = sum(state.step(step.step_sha).duration_ms or 0.0 for step in wave.steps)
        changed = sum(state.step(step.step_sha).rows_done for step in wave.steps)
        tail = f"  {done}/{total}"
        if spent:
            tail += f"  {duration(spent)}"
        if changed:
            tail += f"  {rows(changed)} rows"
        if not done and wave.name == "CONTRACT":
            tail += "  waits for a person"
        lines.append(
            Content.assemble("  ", (f"{wave.name:<9} ", "bold"), bar(done, total, 16, glyphs, "$success"), tail)
        )
    return lines


def _times(plan: Plan, state: RunState) -> list[Content]:
    """How long the steps took together, beside how long they would have taken otherwise; of a whole run."""
    from wesley_tui.services.runs import schedule_of

    whole = state.status in {RunStatus.COMPLETE, RunStatus.CONTRACT_PENDING}
    schedule = schedule_of(plan, state) if whole else None
    if schedule is None:
        return []
    return [
        Content.assemble(
            "  ", (duration(schedule.makespan_ms), "bold"), f"; wave by wave {duration(schedule.waves_ms)}, one after "
            f"the other {duration(schedule.sequential_ms)}",
        )
    ]  # fmt: skip


def _step_counts(plan: Plan, state: RunState, glyphs: Glyphs) -> Content:
    counts = Counter(state.step(step.step_sha).status for step in plan.steps)
    parts: list[str | tuple[str, str]] = ["  "]
    for status in StepStatus:
        if counts[status]:
            word = "interrupted" if status is StepStatus.RUNNING and state.finished is not None else status.value
            parts.append((f"{glyphs.status[status]} {counts[status]} {word}   ", STATUS_STYLE[status]))
    return Content.assemble(*parts)


_CERTIFICATE_LINES = 12
_SHA_DIGITS = 64


def _certificate(event: Event | None) -> list[Content]:
    if event is None:
        return []
    lines = indented(event.message or EventType.CERTIFICATE_ISSUED.value)
    for key, value in event.metrics.items():
        name = identifier(key).replace("_", " ")
        lines.append(Content.assemble((f"  {name:<16}", "$muted"), f" {_value(value)}"))
    return lines[:_CERTIFICATE_LINES]


def _value(value: object) -> str:
    """A fact of the certificate in at most 48 characters; a SHA-256 as people see it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = one_line(str(value))
    return short_sha(text) if len(text) == _SHA_DIGITS else text[:48]
