"""The main screen, complete: commands, and the way from a plan to its run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType

from wesley_tui.executor.events import Event
from wesley_tui.planner.plan import Plan
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.tui.holdups import Holdup, holdup_text, waiting_steps
from wesley_tui.tui.keymap import bindings, command
from wesley_tui.tui.layout import PANES
from wesley_tui.tui.messages import Explained, RunStarted, WorkFailed
from wesley_tui.tui.present import RUN_WORD
from wesley_tui.tui.running import RunFeed
from wesley_tui.tui.screens.planning import PlanningScreen
from wesley_tui.tui.screens.question import Answer, QuestionScreen
from wesley_tui.tui.screens.typed import TypedScreen
from wesley_tui.tui.situation import why_not
from wesley_tui.tui.text import count, short_sha
from wesley_tui.tui.widgets.banner import Banner
from wesley_tui.tui.widgets.wave_progress import WaveProgress

if TYPE_CHECKING:
    from wesley_tui.tui.screens.review import Accepted

__all__ = ["MainScreen"]


class MainScreen(PlanningScreen):
    """Everything but the dialogs."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("main"))
    AUTO_FOCUS = ""

    # -- commands ------------------------------------------------------------------------------------------------

    def action_command(self, identifier: str) -> None:
        """Run a command of the key map, or say why not."""
        reason = why_not(identifier, self.situation())
        if reason:
            self.notify(reason, title=command(identifier).help, severity="warning", timeout=4, markup=False)
            return
        group, _, verb = identifier.partition(".")
        getattr(self, f"do_{group}_{verb}")()

    def do_view_schema(self) -> None:
        self.show_pane("schema")

    def do_view_plan(self) -> None:
        self.show_pane("plan")

    def do_view_details(self) -> None:
        self.show_pane("details")

    def do_view_activity(self) -> None:
        self.show_pane("activity")

    def do_view_next_pane(self) -> None:
        self._step_pane(1)

    def do_view_previous_pane(self) -> None:
        self._step_pane(-1)

    def _step_pane(self, direction: int) -> None:
        names = list(PANES)
        self.show_pane(names[(names.index(self.active) + direction) % len(names)])

    def do_view_leave(self) -> None:
        if self.zoomed:
            self.do_view_zoom()
        elif self.active == "plan":
            self.show_pane("schema")
        else:
            self.show_pane("plan")

    def do_view_zoom(self) -> None:
        self.zoomed = not self.zoomed
        self.arrange_panes(self.size.width, self.size.height)

    def do_view_theme(self) -> None:
        self.context.next_theme()

    def do_app_help(self) -> None:
        from wesley_tui.tui.screens.help import HelpScreen

        self.app.push_screen(HelpScreen())

    def do_app_quit(self) -> None:
        now = self.situation()
        if now.running:
            self.app.push_screen(
                QuestionScreen(
                    "A run is going on",
                    "Wesley executes the plan in this process. Quitting cancels the statement that runs now;\n"
                    "what succeeded stays, and `wesley resume` goes on from there.",
                    [Answer("s", "stop", "stop the run, and quit")],
                    back="keep running",
                ),
                self._quit_answered,
            )
        elif now.modified:
            self.app.push_screen(
                QuestionScreen(
                    "The schema is not saved",
                    "There are changes that are not on disk.",
                    [Answer("s", "save", "save, then quit"), Answer("d", "discard", "quit without saving")],
                    back="keep editing",
                ),
                self._quit_answered,
            )
        else:
            self.app.exit()

    def _quit_answered(self, answer: str | None) -> None:
        match answer:
            case "stop":
                if self.feed is not None:
                    self.feed.stop("the person quit")
                self.app.exit()
            case "discard":
                self.app.exit()
            case "save":
                try:
                    for editor in self.editors:
                        if editor.modified:
                            self.context.workbench.save(Source(editor.source_name, editor.text))
                except Exception as error:
                    self.query_one(Banner).tell("not saved", str(error))
                    return
                self.app.exit()

    # -- review and run ------------------------------------------------------------------------------------------

    def do_run_review(self) -> None:
        plan = self.plan
        if plan is not None:
            self.run_worker(
                partial(self._explain, plan), name="explain", group="explain", thread=True, exit_on_error=False
            )

    def _explain(self, plan: Plan) -> None:
        try:
            self.post_message(Explained(plan, self.context.workbench.explain(plan)))
        except Exception as error:
            self.post_message(WorkFailed("no explanation", error))

    @on(Explained)
    def _explained(self, message: Explained) -> None:
        from wesley_tui.tui.screens.review import ReviewScreen

        if message.plan is not self.plan or self.stale or self.app.screen is not self:
            return

        def decided(accepted: Accepted | None) -> None:
            if accepted is not None:
                self._start(accepted)

        self.app.push_screen(
            ReviewScreen(
                message.plan,
                message.text,
                self.context.workbench.review,
                target=self.target,
                unsafe=self.context.unsafe,
                glyphs=self.context.glyphs,
            ),
            decided,
        )

    def _start(self, accepted: Accepted) -> None:
        self.note("review", f"plan {short_sha(accepted.plan.plan_id)} accepted", "bold $primary")
        work = partial(self._start_engine, accepted)
        self.run_worker(work, name="start", group="start", thread=True, exit_on_error=False)

    def _start_engine(self, accepted: Accepted) -> None:
        try:
            run = self.context.workbench.start(accepted.plan, accepted.token)
        except Exception as error:
            self.post_message(WorkFailed("not started", error))
        else:
            self.post_message(RunStarted(accepted.plan, run))

    @on(RunStarted)
    def _run_started(self, message: RunStarted) -> None:
        self.feed = RunFeed(self, message.plan, message.run, self._run_advanced)
        self.context.feeds.append(self.feed)
        self.query_one(WaveProgress).display = True
        self.log_view.learn(message.plan)
        self.holds_run = True
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

    def do_run_pause(self) -> None:
        if self.feed is not None:
            self.feed.pause()
            self.note("pause", "asked: after the current batch or step")

    def do_run_resume(self) -> None:
        if self.feed is not None:
            self.feed.resume()

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

    def do_run_abort(self) -> None:
        def answered(answer: str | None) -> None:
            if answer == "abort" and self.feed is not None:
                self.feed.stop("a person asked for it")
                self.note("abort", "asked", "bold $warning")

        self.app.push_screen(
            QuestionScreen(
                "Abort the run?",
                "The statement that runs now is cancelled and rolled back; no further step starts.\n"
                "What succeeded stays. The run can be resumed, or undone by a plan of its own.",
                [Answer("a", "abort", "cancel, and end the run")],
                back="keep running",
            ),
            answered,
        )
