"""The way from a plan to its run, and to runs that are there already: left half-way, or executed by another process."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual import on

from wesley_tui.executor.events import Event, RunStatus
from wesley_tui.planner.plan import Plan
from wesley_tui.tui.messages import Explained, RunFound, RunStarted, SnapshotRead, UndoMade, WorkFailed
from wesley_tui.tui.present import RUN_WORD
from wesley_tui.tui.running import RunFeed
from wesley_tui.tui.screens.planning import PlanningScreen
from wesley_tui.tui.screens.question import Answer, QuestionScreen
from wesley_tui.tui.text import count, one_line, short_sha
from wesley_tui.tui.widgets.banner import Banner
from wesley_tui.tui.widgets.wave_progress import WaveProgress

if TYPE_CHECKING:
    from wesley_tui.tui.ports import UndoPlan
    from wesley_tui.tui.screens.review import Accepted

__all__ = ["ExecutionScreen"]

_MOVING = frozenset({RunStatus.RUNNING, RunStatus.PAUSED})


class ExecutionScreen(PlanningScreen):
    """Starts, finds, follows and takes back runs."""

    # -- review and start ----------------------------------------------------------------------------------------

    def do_run_review(self) -> None:
        plan, left = self.plan, self.left
        if plan is None:
            return
        if left in {*_MOVING, RunStatus.FAILED} and self.last_run is not None:
            run = self.last_run
            self.app.push_screen(
                QuestionScreen(
                    f"Run {run.run_id} was left half-way",
                    f"{self._how_left()}\nA new plan cannot know what is still owed, of a backfill for example: go on "
                    "with that run, or give it up first.",
                    [
                        Answer("r", "go_on", f"go on with run {run.run_id}"),
                        Answer("g", "give_up", "give it up; what has succeeded stays"),
                    ],
                ),
                self._left_answered,
            )
            return
        self._in_thread("no explanation", "explain", lambda: Explained(plan, self.context.workbench.explain(plan)))

    @on(Explained)
    def _explained(self, message: Explained) -> None:
        if message.plan is self.plan and not self.stale and self.app.screen is self:
            self._review(message.plan, message.text, self._start)

    def _review(self, plan: Plan, text: str, accept: Callable[[Accepted], None], undo_of: int | None = None) -> None:
        from wesley_tui.tui.screens.review import ReviewScreen

        self.app.push_screen(
            ReviewScreen(
                plan,
                text,
                self.context.workbench.review,
                target=self.target,
                unsafe=self.context.unsafe,
                glyphs=self.context.glyphs,
                undo_of=undo_of,
            ),
            lambda accepted: accept(accepted) if accepted is not None else None,
        )

    def _start(self, accepted: Accepted) -> None:
        self.note("review", f"plan {short_sha(accepted.plan.plan_id)} accepted", "bold $primary")
        start = self.context.workbench.start
        self._in_thread("not started", "start", lambda: RunStarted(accepted.plan, start(accepted.plan, accepted.token)))

    def _in_thread(
        self, what: str, group: str, work: Callable[[], Explained | RunFound | RunStarted | UndoMade | None]
    ) -> None:
        """Do what takes a round trip; the screen hears of it by a message, also of a failure (``what`` failed)."""

        def worked() -> None:
            try:
                message = work()
            except Exception as error:
                self.post_message(WorkFailed(what, error))
            else:
                if message is not None:
                    self.post_message(message)

        self.run_worker(worked, name=group, group=group, thread=True, exit_on_error=False)

    # -- a run on the screen -------------------------------------------------------------------------------------

    @on(RunStarted)
    def _run_started(self, message: RunStarted) -> None:
        self.feed = RunFeed(self, message.plan, message.run, self._run_advanced, leave=message.leave)
        self.left = None
        self.context.feeds.append(self.feed)
        self.query_one(WaveProgress).display = True
        self.query_one(Banner).clear()
        self.log_view.learn(message.plan)
        self.holds_run = True
        if self.feed.attached:
            self.note("attached", f"run {self.feed.run_id}: another process executes it", "bold $primary")
        if self.tree_view.plan is not message.plan:
            self.tree_view.show_plan(message.plan)
        self.show_pane("activity" if self.zoomed else "plan")
        self.feed.poll()

    def _run_advanced(self, events: Sequence[Event], dropped: int) -> None:
        feed = self.feed
        if feed is None:
            return
        self.tree_view.show_run(feed.state if self.shows_run() else None)
        self.query_one(WaveProgress).show_run(feed.plan, feed.state)
        if dropped:
            self.note("skipped", f"{count(dropped, 'event')}, too many to show: they are in wesley.migration_events")
        if events:
            self.log_view.append(events)
            self.show_selected(keep_position=True)
        if feed.ended:
            self._run_ended()
        self.refresh_status()

    def _run_ended(self) -> None:
        feed = self.feed
        if feed is not None:
            self.note("ended", RUN_WORD[feed.state.status][0], RUN_WORD[feed.state.status][1])
            self.do_run_summary()
            self.read_database()

    def do_run_summary(self) -> None:
        from wesley_tui.tui.screens.summary import SummaryScreen

        if self.feed is not None:
            feed = self.feed
            self.app.push_screen(
                SummaryScreen(
                    feed.plan,
                    feed.state,
                    feed.certificate,
                    feed.outcome,
                    unsafe=self.context.unsafe,
                    glyphs=self.context.glyphs,
                )
            )

    # -- runs that are there already -----------------------------------------------------------------------------

    @on(SnapshotRead)
    def _look_for_run(self) -> None:
        if self.feed is None or self.feed.ended:
            self.look_for_run()

    def look_for_run(self) -> None:
        """Ask the database for its last run: it may be under way elsewhere, or have been left."""
        runs = self.context.workbench.desk
        self._in_thread("no runs", "look", lambda: RunFound(runs.last()))

    @on(RunFound)
    def _run_found(self, message: RunFound) -> None:
        run = self.last_run = message.run
        self.left = None
        if run is None or (self.feed is not None and not self.feed.ended):
            self.refresh_status()
            return
        if run.owned:
            if run.status in _MOVING:
                self._attach_to(run.run_id)
        elif run.status in {*_MOVING, RunStatus.FAILED, RunStatus.CANCELLED}:
            self.left = run.status
            self.note("run left", self._how_left(), "bold $warning")
            if run.status is not RunStatus.CANCELLED:
                self.query_one(Banner).tell(
                    f"run {run.run_id}", f"{self._how_left()}\nr goes on with it; u shows what takes it back."
                )
        self.refresh_status()

    def _how_left(self) -> str:
        run = self.last_run
        if run is None:
            return ""
        how = "was left: its process is gone" if run.status in _MOVING else f"{run.status.value}"
        why = f" ({one_line(run.message)})" if run.message else ""
        return f"Run {run.run_id} by {one_line(run.actor)} {how}{why}."

    def _attach_to(self, run_id: int) -> None:
        def work() -> RunStarted:
            plan, handle = self.context.workbench.desk.attach(run_id, self._refused)
            return RunStarted(plan, handle, handle.leave)

        self._in_thread("not attached", "start", work)

    def _refused(self, reason: str) -> None:
        """From another thread: something that was asked of a run is not done. The screen may be gone."""
        with contextlib.suppress(RuntimeError):
            self.post_message(WorkFailed("not done", RuntimeError(reason)))

    def do_run_watch(self) -> None:
        self.note("looking", "for a run that another process executes")
        self.look_for_run()

    def ask_to_go_on(self) -> None:
        """The run that was left: what happens when it is gone on with here."""
        run = self.last_run
        if run is None:
            return
        self.app.push_screen(
            QuestionScreen(
                f"Go on with run {run.run_id}?",
                f"{self._how_left()}\nLedger and catalog tell what is true; what was left half-made is removed, then "
                "the rest is done here. Nothing that succeeded runs twice.",
                [
                    Answer("r", "go_on", "go on"),
                    Answer("e", "retry", "go on, and take in again what a person had left out"),
                ],
            ),
            self._left_answered,
        )

    def _left_answered(self, answer: str | None) -> None:
        run, runs = self.last_run, self.context.workbench.desk
        if run is None or answer is None:
            return
        if answer == "give_up":

            def give_up() -> RunFound:
                runs.give_up(run.run_id)
                return RunFound(runs.last())

            self.query_one(Banner).clear()
            self._in_thread("not given up", "start", give_up)
            return
        self.note("resume", f"run {run.run_id}", "bold $primary")

        def go_on() -> RunStarted:
            return RunStarted(*runs.resume(run.run_id, left_out=answer == "retry"))

        self._in_thread("not resumed", "start", go_on)

    # -- the way back --------------------------------------------------------------------------------------------

    def do_run_rollback(self) -> None:
        self._in_thread("no rollback", "explain", lambda: UndoMade(self.context.workbench.desk.undo()))

    @on(UndoMade)
    def _undo_made(self, message: UndoMade) -> None:
        if self.app.screen is self:
            undo = message.undo
            self._review(undo.plan, undo.text(), partial(self._start_undo, undo), undo.run_id)

    def _start_undo(self, undo: UndoPlan, accepted: Accepted) -> None:
        self.note("rollback", f"of run {undo.run_id} accepted", "bold $primary")
        runs = self.context.workbench.desk
        self._in_thread("not taken back", "start", lambda: RunStarted(undo.plan, runs.start_undo(undo, accepted.token)))
