"""The review: the whole explanation, what can hurt, and the words that have to be typed before anything runs."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from wesley_tui.planner.plan import HazardClass, Plan
from wesley_tui.tui.glyphs import Glyphs
from wesley_tui.tui.keymap import bindings, commands_of, key_name
from wesley_tui.tui.present import badge, hazard_lines, plan_summary, risk_words, waiting_summary
from wesley_tui.tui.review import CONFIRM_WORD, UNDO_WORD, Confirmation
from wesley_tui.tui.text import count, identifier, one_line, short_sha
from wesley_tui.tui.widgets.explanation import Explanation
from wesley_tui.tui.widgets.key_bar import KeyBar, KeyHint

__all__ = ["Accepted", "ReviewScreen"]

Reviewer = Callable[..., Any]
"""``WorkbenchPort.review``."""

_HAZARD_LINES = 5


class Accepted:
    """What the screen returns: the plan as it was shown, and the token that lets it run."""

    def __init__(self, plan: Plan, token: Any) -> None:
        self.plan = plan
        self.token = token


class ReviewScreen(ModalScreen[Accepted | None]):
    """Returns None when nothing is to run."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("review"))

    def __init__(
        self,
        plan: Plan,
        explanation: str,
        review: Reviewer,
        *,
        target: str,
        unsafe: bool,
        glyphs: Glyphs,
        undo_of: int | None = None,
    ) -> None:
        """``undo_of``: the run that the plan takes back, as a whole."""
        super().__init__()
        undo = undo_of is not None
        word = UNDO_WORD if undo else CONFIRM_WORD
        self.confirmation = Confirmation(plan, unsafe=unsafe, contract=undo, word=word, undo=undo)
        self._undo_of = undo_of
        self._explanation = explanation
        self._review = review
        self._target = target
        self.glyphs = glyphs

    def compose(self) -> ComposeResult:
        with Vertical(id="review"):
            yield Static(id="review-summary", markup=False)
            yield Static(id="review-hazards", markup=False)
            yield Explanation(self._explanation, id="explanation")
            with Vertical(id="review-confirm"):
                yield Static(id="review-prompt", markup=False)
                yield Input(id="review-input", select_on_focus=False)
                yield Static(id="review-problem", markup=False)
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        self.query_one("#explanation").border_title = "What will happen"
        field = self.query_one(Input)
        field.cursor_blink = False
        self.set_focus(field)
        self._show()

    def _show(self) -> None:
        state = self.confirmation
        plan = state.plan
        before = "execute" if self._undo_of is None else f"taking run {self._undo_of} back"
        self.query_one("#review").border_title = Content.assemble(f"Review before {before}, ", risk_words(state.steps))
        self.query_one("#review-summary", Static).update(
            Content("\n").join(
                [
                    Content.assemble(
                        plan_summary(plan, self.glyphs, contract=state.contract),
                        ("  on ", "$muted"),
                        (one_line(self._target), "bold"),
                    ),
                    Content.assemble(("plan ", "$muted"), short_sha(plan.plan_id), *self._scope_words()),
                ]
            )
        )
        shown = hazard_lines(state.steps, limit=_HAZARD_LINES)
        box = self.query_one("#review-hazards", Static)
        box.display = bool(shown)
        box.update(Content("\n").join(shown))
        self._show_prompt()
        self.query_one(KeyBar).hints = tuple(self._hints())

    def _scope_words(self) -> list[str | Content | tuple[str, str]]:
        contract = next((wave for wave in self.confirmation.plan.waves if wave.name == "CONTRACT"), None)
        if contract is None or self._undo_of is not None:
            return []
        steps = count(len(contract.steps), "step")
        if self.confirmation.contract:
            return ["  ", (f"CONTRACT runs too: {steps} ", "bold $error"), badge(contract.hazard)]
        waiting = waiting_summary(self.confirmation.plan)
        return ["  ", waiting, f": {steps}", ("  ^T includes it", "$muted")]

    def _show_prompt(self) -> None:
        state = self.confirmation
        prompt = self.query_one("#review-prompt", Static)
        field = self.query_one(Input)
        if state.blocked:
            prompt.update(Content.assemble((" blocked ", "bold reverse $error"), f" {state.blocked}"))
            field.display = False
        else:
            field.display = True
            prompt.update(self._prompt())
        problem = self.query_one("#review-problem", Static)
        problem.update(Content.styled(state.problem, "bold $error") if state.problem and not state.blocked else "")
        problem.display = bool(state.problem) and not state.blocked

    def _prompt(self) -> Content:
        state = self.confirmation
        if state.next_name is not None:
            done, total = len(set(state.typed)), len({step.object for step in state.dangerous})
            step = next(step for step in state.dangerous if step.object == state.next_name)
            return Content.assemble(
                badge(HazardClass.H3),
                (f" {done + 1} of {total}  {identifier(step.op)}: type ", ""),
                (state.wanted, "bold"),
                " to accept",
                (f"  {one_line(step.loses or step.breaks)}", "$muted"),
            )
        return Content.assemble(
            "Type ",
            (state.wanted, "bold"),
            f" and press Enter to run {count(len(state.steps), 'step')} on {one_line(self._target)}",
        )

    def _hints(self) -> list[KeyHint]:
        return [
            KeyHint(
                key_name(item.keys[0]), item.label, enabled=self._may_leave_contract or item.id != "review.contract"
            )
            for item in commands_of("review")
            if item.footer
        ]

    @property
    def _may_leave_contract(self) -> bool:
        waves = self.confirmation.plan.waves
        return self._undo_of is None and any(wave.name == "CONTRACT" for wave in waves)

    @on(Explanation.EndSeen)
    def _end_seen(self) -> None:
        self.confirmation = self.confirmation.with_end_seen()
        self._show_prompt()

    @on(Input.Changed)
    def _typing(self) -> None:
        if self.confirmation.problem:
            self.query_one("#review-problem", Static).display = False

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        before = self.confirmation
        self.confirmation = before.submit(event.value)
        if self.confirmation.confirmed:
            self._accept()
            return
        if self.confirmation.typed != before.typed:
            event.input.clear()
        self._show_prompt()

    def _accept(self) -> None:
        state = self.confirmation
        try:
            token = self._review(
                state.plan,
                self._explanation,
                unsafe=state.unsafe,
                contract=state.contract,
                typed_names=state.typed,
                actor=_actor(),
            )
        except Exception as error:
            self.confirmation = replace(state, confirmed=False, problem=one_line(str(error)))
            self.query_one(Input).clear()
            self._show_prompt()
            return
        self.dismiss(Accepted(state.plan, token))

    def action_contract(self) -> None:
        if not self._may_leave_contract:
            self.notify("This plan has no CONTRACT wave to leave for later.", markup=False)
            return
        self.confirmation = self.confirmation.with_contract(not self.confirmation.contract)
        self.query_one(Input).clear()
        self._show()

    def action_close(self) -> None:
        self.dismiss(None)

    @property
    def explanation(self) -> Explanation:
        return self.query_one(Explanation)

    def action_line_up(self) -> None:
        self.explanation.action_line_up()

    def action_line_down(self) -> None:
        self.explanation.action_line_down()

    def action_page_up(self) -> None:
        self.explanation.action_page_up()

    def action_page_down(self) -> None:
        self.explanation.action_page_down()

    def action_first(self) -> None:
        self.explanation.action_first()

    def action_last(self) -> None:
        self.explanation.action_last()


def _actor() -> str:
    """Who is recorded as the reviewer: the name of the operating system's user."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"
