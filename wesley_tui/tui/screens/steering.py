"""Steering a run that goes on, here or in another process: pause, go on, end, leave out, try again, limits.

Each asks first, and says what will be true then; what it leads to comes back as an event.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from textual import on

from wesley_tui.planner.plan import Step
from wesley_tui.tui.holdups import Holdup, holdup_text, waiting_steps
from wesley_tui.tui.messages import LimitsRead, WorkFailed
from wesley_tui.tui.screens.execution import ExecutionScreen
from wesley_tui.tui.screens.question import Answer, QuestionScreen
from wesley_tui.tui.screens.typed import TypedScreen
from wesley_tui.tui.text import identifier, one_line

__all__ = ["SteeringScreen"]


class SteeringScreen(ExecutionScreen):
    """What a person may say to a run."""

    def do_run_pause(self) -> None:
        self._ask(
            "Pause the run?",
            "What runs now ends first: a step, or a batch of a backfill. Then nothing starts, also "
            "after a restart of everything, until somebody goes on.",
            [Answer("p", "pause", "pause after the current batch or step")],
            "keep running",
        )

    def do_run_resume(self) -> None:
        feed = self.feed
        if feed is None or feed.ended:
            self.ask_to_go_on()
            return
        self._ask(
            "Go on with the run?",
            f"It was paused: {one_line(feed.state.message) or 'nobody said why'}.",
            [Answer("r", "resume", "go on")],
            "leave it paused",
        )

    def do_run_abort(self) -> None:
        elsewhere = "It is executed by another process.\n" if self.feed is not None and self.feed.attached else ""
        self._ask(
            "Abort the run?",
            f"{elsewhere}The statement that runs now is cancelled and rolled back; no further step starts. "
            "What succeeded stays. The run can be resumed (r), or taken back (u).",
            [Answer("a", "abort", "cancel, and end the run")],
            "keep running",
        )

    def _ask(self, title: str, text: str, answers: list[Answer], back: str) -> None:
        self.app.push_screen(QuestionScreen(title, text, answers, back=back), self._answered)

    def _answered(self, answer: str | None) -> None:
        feed = self.feed
        if feed is None or feed.ended or answer is None:
            return
        if answer == "pause":
            feed.pause()
            self.note("pause", "asked: after the current batch or step")
        elif answer == "resume":
            feed.resume()
            self.note("go on", "asked")
        elif answer == "abort":
            feed.abort("a person asked for it")
            self.note("abort", "asked", "bold $warning")

    # -- single steps --------------------------------------------------------------------------------------------

    def do_run_decide(self) -> None:
        """The first step that waits for a lock: wait, try again, leave it out, or end who holds it up."""
        if self.feed is None:
            return
        holdup = waiting_steps(self.feed.plan, self.feed.waiting)[0]
        oldest = holdup.oldest
        answers = [
            Answer("r", "retry", "try again now"),
            Answer("s", "skip", "leave the step out, and all that comes after it"),
        ]
        if oldest is not None:
            answers.append(Answer("t", "terminate", f"end session {oldest['pid']}; its transaction is rolled back"))
        self.app.push_screen(
            QuestionScreen("A step waits for a lock", holdup_text(holdup), answers, back="wait"),
            partial(self._decided, holdup),
        )

    def _decided(self, holdup: Holdup, answer: str | None) -> None:
        feed, oldest = self.feed, holdup.oldest
        if feed is None or answer is None:
            return
        if answer == "retry":
            feed.retry(holdup.step.step_sha)
        elif answer == "skip":
            feed.skip(holdup.step.step_sha)
        elif oldest is not None:
            self.app.push_screen(
                TypedScreen("End a session?", holdup_text(holdup), str(oldest["pid"])),
                lambda typed: feed.terminate(oldest) if typed else None,
            )

    def do_run_skip(self) -> None:
        step = self.selected_step
        if step is None:
            return
        running = self.feed is not None and step.step_sha in self.feed.state.steps
        self.app.push_screen(
            QuestionScreen(
                f"Leave step {step.ordinal} out?",
                f"{identifier(step.op)} {one_line(step.object)}\n"
                f"{'What of it runs now is cancelled. ' if running else ''}What comes after it, by dependency or on "
                "the same relations, is not run either, nor is CONTRACT; all else is. The run then ends as failed "
                "and says what is left; e takes it in again.",
                [Answer("s", "skip", "leave it out")],
                back="keep it",
            ),
            partial(self._skip_answered, step),
        )

    def _skip_answered(self, step: Step, answer: str | None) -> None:
        if answer == "skip" and self.feed is not None and not self.feed.ended:
            self.feed.skip(step.step_sha)
            self.note("skip", f"asked: step {step.ordinal}, {identifier(step.op)} {one_line(step.object)}")

    def do_run_retry(self) -> None:
        feed = self.feed
        if feed is None or feed.ended:
            self.ask_to_go_on()
            return
        step = self.selected_step
        answers = [Answer("e", "all", "every step that waits for its next attempt, or was left out")]
        if step is not None:
            name = f"{identifier(step.op)} {one_line(step.object)}"
            answers.insert(0, Answer("s", "step", f"only step {step.ordinal}, {name}"))
        self.app.push_screen(
            QuestionScreen("Try again now?", "Steps that succeeded are not touched.", answers, back="wait"),
            partial(self._retry_answered, step),
        )

    def _retry_answered(self, step: Step | None, answer: str | None) -> None:
        if answer is not None and self.feed is not None and not self.feed.ended:
            self.feed.retry(step.step_sha if answer == "step" and step is not None else "")
            self.note("retry", "asked")

    # -- limits --------------------------------------------------------------------------------------------------

    def do_run_limits(self) -> None:
        run_id = self.steered_run
        if run_id is not None:
            self.run_worker(
                partial(self._read_limits, run_id), name="limits", group="limits", thread=True, exit_on_error=False
            )

    def _read_limits(self, run_id: int) -> None:
        try:
            self.post_message(LimitsRead(run_id, self.context.workbench.desk.limits(run_id)))
        except Exception as error:
            self.post_message(WorkFailed("no limits", error))

    @on(LimitsRead)
    def _limits_read(self, message: LimitsRead) -> None:
        from wesley_tui.executor.events import RunState
        from wesley_tui.tui.screens.limits import LimitsScreen

        if self.app.screen is self:
            state = self.run_state if self.run_state is not None else RunState()
            self.app.push_screen(
                LimitsScreen(message.run_id, message.knobs, state), partial(self._limits_chosen, message.run_id)
            )

    def _limits_chosen(self, run_id: int, changes: Mapping[str, Any] | None) -> None:
        if changes:
            told = ", ".join(f"{name} = {value}" for name, value in changes.items())
            self.note("limits", f"asked: {told}")
            work = partial(self._change_limits, run_id, changes)
            self.run_worker(work, name="limits", group="limits", thread=True, exit_on_error=False)

    def _change_limits(self, run_id: int, changes: Mapping[str, Any]) -> None:
        try:
            self.context.workbench.desk.change_limits(run_id, changes)
        except Exception as error:
            self.post_message(WorkFailed("not changed", error))

    @property
    def steered_run(self) -> int | None:
        """The run whose limits are meant: the one that goes on, or else the one that was left."""
        if self.feed is not None and not self.feed.ended:
            return self.feed.run_id
        return self.last_run.run_id if self.last_run is not None and self.left is not None else None
