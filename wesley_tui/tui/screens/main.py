"""The main screen: schema, plan, details, activity. Routes messages between them and owns what is true.

Wide terminals show the four panes side by side; at 80×24 the pane with the focus has most of the room and the one that
belongs with it the rest: typing in the schema, one sees the plan; walking through the plan, one sees the details.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.content import Content
from textual.events import DescendantFocus, Resize
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import TextArea

from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.executor.events import Event, RunState
from wesley_tui.planner.plan import Plan
from wesley_tui.sdl.diagnostics import Diagnostic, Source
from wesley_tui.tui.context import Context
from wesley_tui.tui.keymap import bindings, command, commands_of, key_name, prints
from wesley_tui.tui.layout import PANES, PaneId, arrangement
from wesley_tui.tui.locate import location_of
from wesley_tui.tui.messages import Explained, Planned, RunStarted, Saved, SnapshotRead, WorkFailed
from wesley_tui.tui.present import RUN_WORD, plan_summary, server_version
from wesley_tui.tui.replanner import Replanner
from wesley_tui.tui.running import RunFeed
from wesley_tui.tui.screens.question import Answer, QuestionScreen
from wesley_tui.tui.situation import Situation, why_not
from wesley_tui.tui.text import count, duration, one_line, short_sha
from wesley_tui.tui.widgets.banner import Banner
from wesley_tui.tui.widgets.event_log import EventLog, Note
from wesley_tui.tui.widgets.key_bar import KeyBar, KeyHint
from wesley_tui.tui.widgets.pane_tabs import PaneTabs
from wesley_tui.tui.widgets.plan_tree import PlanTree
from wesley_tui.tui.widgets.problem_list import ProblemList
from wesley_tui.tui.widgets.schema_editor import SchemaEditor
from wesley_tui.tui.widgets.status_line import Segment, StatusLine, label
from wesley_tui.tui.widgets.step_details import StepDetails, describe_diagnostics
from wesley_tui.tui.widgets.wave_progress import WaveProgress

if TYPE_CHECKING:
    from wesley_tui.tui.screens.review import Accepted

__all__ = ["MainScreen"]


class MainScreen(Screen[None]):
    """Everything but the dialogs."""

    BINDINGS: ClassVar[list[BindingType]] = list(bindings("main"))
    AUTO_FOCUS = ""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.snapshot: Snapshot | None = None
        self.plan: Plan | None = None
        """The last good plan; it stays on the screen while the text does not compile."""
        self.stale = False
        self.problems: tuple[Diagnostic, ...] = ()
        self.reading = False
        self.plan_ms = 0.0
        self.zoomed = False
        self.active: PaneId = "schema"
        self.file = 0
        self._locations: dict[str, tuple[str, int, int]] = {}
        self.feed: RunFeed | None = None
        self.replanner = Replanner(self, context.workbench.plan, self.current_sources, delay=context.debounce)

    # -- what is on the screen -----------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        glyphs = self.context.glyphs
        yield StatusLine(id="status")
        yield PaneTabs([(identifier, title) for identifier, title in PANES.items()], id="tabs")
        yield Banner(id="banner")
        with Container(id="panes"):
            with Vertical(id="schema", classes="pane"):
                for index, (name, text) in enumerate(self.context.sources):
                    editor = SchemaEditor(name, text, glyphs=glyphs, id=f"editor-{index}")
                    editor.display = index == 0
                    yield editor
                yield ProblemList(glyphs=glyphs, id="problems")
            with Vertical(id="plan", classes="pane"):
                yield PlanTree(glyphs=glyphs, id="tree")
            with Vertical(id="details", classes="pane"):
                yield StepDetails(self.context.workbench.format_sql, glyphs=glyphs, id="step")
            with Container(id="activity", classes="pane"):
                yield WaveProgress(self.context.clock, glyphs=glyphs, id="progress")
                yield EventLog(glyphs=glyphs, id="log")
        yield KeyBar(id="keys")

    def on_mount(self) -> None:
        for identifier, title in PANES.items():
            self.query_one(f"#{identifier}").border_title = title
        self.query_one(WaveProgress).display = False
        self.tree_view.show_plan(None, "Reading the database")
        self.editor.focus()
        self.note("wesley", f"{count(len(self.context.sources), 'schema file')}, {self.context.workbench.target_label}")
        self.refresh_status()
        self.call_after_refresh(self.read_database)

    @property
    def editor(self) -> SchemaEditor:
        return self.query_one(f"#editor-{self.file}", SchemaEditor)

    @property
    def editors(self) -> list[SchemaEditor]:
        return list(self.query(SchemaEditor))

    @property
    def tree_view(self) -> PlanTree:
        return self.query_one("#tree", PlanTree)

    @property
    def details(self) -> StepDetails:
        return self.query_one("#step", StepDetails)

    @property
    def log_view(self) -> EventLog:
        return self.query_one("#log", EventLog)

    @property
    def run_state(self) -> RunState | None:
        return self.feed.state if self.feed is not None else None

    def current_sources(self) -> tuple[Source, ...]:
        return tuple(Source(editor.source_name, editor.text) for editor in self.editors)

    def situation(self) -> Situation:
        errors = sum(item.severity == "error" for item in self.problems)
        state = self.run_state
        return Situation(
            connected=self.snapshot is not None,
            read_only=self.context.workbench.read_only,
            has_plan=self.plan is not None,
            empty_plan=self.plan is not None and not self.plan.waves,
            stale=self.stale,
            planning=self.replanner.busy,
            problems=len(self.problems),
            errors=errors,
            modified=any(editor.modified for editor in self.editors),
            files=len(self.context.sources),
            row_selected=self.tree_view.row is not None,
            run=state.status if state is not None else None,
            run_ended=self.feed is None or self.feed.ended,
        )

    def note(self, word: str, text: str, style: str = "$muted") -> None:
        """A line in the activity log that is not an event of the database."""
        self.log_view.append([Note(self.context.clock(), word, text, style)])

    # -- layout --------------------------------------------------------------------------------------------------

    def on_resize(self, event: Resize) -> None:
        self.arrange_panes(event.size.width, event.size.height)

    def arrange_panes(self, width: int, height: int) -> None:
        """Which panes are shown, and how high, for this size and this focus."""
        layout = arrangement(width, height, self.active, zoomed=self.zoomed, running=self.feed is not None)
        panes = self.query_one("#panes")
        panes.set_class(layout.wide, "-wide")
        self.set_class(not layout.wide, "-compact")
        self.query_one("#tabs").display = layout.tabs
        for identifier in PANES:
            pane = self.query_one(f"#{identifier}")
            pane.display = identifier in layout.shown
            pane.set_class(identifier == layout.primary, "-primary")
            pane.set_class(layout.borderless, "-borderless")
        self.query_one(PaneTabs).active = self.active

    def show_pane(self, pane: PaneId) -> None:
        """Bring a pane forward and put the focus into it."""
        self.active = pane
        self.arrange_panes(self.size.width, self.size.height)
        self._focus_target(pane).focus()
        self.refresh_status()

    def _focus_target(self, pane: PaneId) -> Widget:
        targets: dict[PaneId, Widget] = {
            "schema": self.editor,
            "plan": self.tree_view,
            "details": self.details,
            "activity": self.log_view,
        }
        return targets[pane]

    @on(DescendantFocus)
    def _focus_moved(self, event: DescendantFocus) -> None:
        pane = next((item for item in event.widget.ancestors if item.id in PANES), None)
        for identifier in PANES:
            if pane is not None and pane.id == identifier and identifier != self.active:
                self.active = identifier
                self.arrange_panes(self.size.width, self.size.height)
        self.refresh_status()

    # -- the two lines at top and bottom -------------------------------------------------------------------------

    def refresh_status(self) -> None:
        """Header, footer and titles, from what is true now."""
        now = self.situation()
        self.query_one(StatusLine).segments = tuple(self._segments(now))
        self.query_one(KeyBar).hints = tuple(self._hints(now))
        editor = self.editor
        name = one_line(editor.source_name)
        number = f" {self.file + 1}/{now.files}" if now.files > 1 else ""
        schema = self.query_one("#schema")
        schema.border_subtitle = Content(f"{name}{number}{' *' if editor.modified else ''}")
        plan = self.query_one("#plan")
        plan.set_class(self.stale, "-stale")
        plan.border_subtitle = self._plan_subtitle(now)

    def _plan_subtitle(self, now: Situation) -> Content:
        if self.stale:
            return Content.styled("STALE: the last good plan", "bold $warning")
        if self.plan is None or now.planning:
            return Content("")
        return Content(f"{count(len(list(self.plan.steps)), 'step')}, {duration(self.plan_ms)}")

    def _segments(self, now: Situation) -> list[Segment]:
        glyphs = self.context.glyphs
        workbench = self.context.workbench
        version = server_version(self.snapshot.server_version_num) if self.snapshot is not None else ""
        segments = [
            Segment(label("wesley", "bold $primary"), 7),
            Segment(label(workbench.target_label, "bold"), 1),
            Segment(label(f"PostgreSQL {version}" if version else ""), 4),
            Segment(label("read-only" if now.read_only else "", "bold $warning"), 2),
        ]
        if self.plan is not None:
            segments += [
                Segment(plan_summary(self.plan, glyphs), 3, right=True),
                Segment(Content.styled(short_sha(self.plan.plan_id), "$muted"), 5, right=True),
            ]
        segments.append(Segment(self._state_word(now), 0, right=True))
        return segments

    def _state_word(self, now: Situation) -> Content:
        glyphs = self.context.glyphs
        if now.running and now.run is not None:
            return Content.styled(*RUN_WORD[now.run])
        if self.reading:
            return Content.styled(f"{glyphs.offline} reading", "$warning")
        if now.errors:
            return Content.styled(f"{glyphs.error} {count(now.errors, 'error')}", "bold $error")
        if not now.connected:
            return Content.styled(f"{glyphs.offline} no database", "bold $error")
        return Content.styled(f"{glyphs.connected} connected", "$success")

    def _hints(self, now: Situation) -> list[KeyHint]:
        typing = isinstance(self.focused, TextArea)
        hints: list[KeyHint] = []
        for item in commands_of("main"):
            if not item.footer or (item.id in ("run.pause", "run.resume", "run.abort") and not now.running):
                continue
            own = self.context.keys.get(item.id)
            keys = tuple(own.split(",")) if own else item.keys
            key = next((key for key in keys if not (typing and prints(key))), None)
            if key is not None:
                hints.append(KeyHint(key_name(key), item.label, enabled=not why_not(item.id, now)))
        return hints

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

    # -- schema --------------------------------------------------------------------------------------------------

    @on(TextArea.Changed)
    def _text_changed(self) -> None:
        self.replanner.request()
        self.refresh_status()

    @on(ProblemList.Chosen)
    def _problem_chosen(self, event: ProblemList.Chosen) -> None:
        self._go_to(event.problem.source, event.problem.line, event.problem.column)

    def do_schema_save(self) -> None:
        for editor in self.editors:
            if editor.modified:
                source = Source(editor.source_name, editor.text)
                self.run_worker(
                    partial(self._save, source), name="save", group="save", thread=True, exit_on_error=False
                )

    def _save(self, source: Source) -> None:
        try:
            self.context.workbench.save(source)
        except Exception as error:
            self.post_message(WorkFailed("not saved", error))
        else:
            self.post_message(Saved(source.name, source.text))

    @on(Saved)
    def _saved(self, message: Saved) -> None:
        for editor in self.editors:
            if editor.source_name == message.name:
                editor.saved_text = message.text
        self.note("saved", message.name)
        self.refresh_status()

    def do_schema_next_problem(self) -> None:
        self._walk_problems(backwards=False)

    def do_schema_previous_problem(self) -> None:
        self._walk_problems(backwards=True)

    def _walk_problems(self, *, backwards: bool) -> None:
        problem = self.editor.problem_after(self.editor.cursor_location[0], backwards=backwards)
        problem = problem or next(iter(self.problems), None)
        if problem is not None:
            self._go_to(problem.source, problem.line, problem.column)
            self.details.show_content(describe_diagnostics([problem], self.context.glyphs))

    def do_schema_next_file(self) -> None:
        self._show_file((self.file + 1) % len(self.context.sources))

    def do_schema_previous_file(self) -> None:
        self._show_file((self.file - 1) % len(self.context.sources))

    def _show_file(self, index: int) -> None:
        self.file = index
        for position, editor in enumerate(self.editors):
            editor.display = position == index
        self.show_pane("schema")

    def _go_to(self, source: str, line: int, column: int) -> None:
        for index, editor in enumerate(self.editors):
            if editor.source_name == source:
                self._show_file(index)
                editor.go_to_location(max(1, line), max(1, column))
                return

    # -- database and plan ---------------------------------------------------------------------------------------

    def read_database(self) -> None:
        """Read the live catalog, then plan."""
        self.reading = True
        self.refresh_status()
        self.run_worker(self._read(), name="read", group="read", exclusive=True, exit_on_error=False)

    async def _read(self) -> None:
        try:
            snapshot = await self.context.workbench.read()
        except Exception as error:
            self.post_message(WorkFailed("no database", error))
        else:
            self.post_message(SnapshotRead(snapshot))

    def do_plan_reread(self) -> None:
        self.read_database()

    @on(SnapshotRead)
    def _snapshot_read(self, message: SnapshotRead) -> None:
        self.reading = False
        self.snapshot = message.snapshot
        self.query_one(Banner).clear()
        tables = count(len(message.snapshot.catalog.tables), "table")
        self.note("connected", f"{self.context.workbench.target_label}: {tables}", "$success")
        self.replanner.request(now=True)
        self.refresh_status()

    @on(WorkFailed)
    def _work_failed(self, message: WorkFailed) -> None:
        text = str(message.error).strip() or type(message.error).__name__
        if message.what == "no database":
            self.reading = False
            text += "\n^L tries again; the editor works without a database."
            self.replanner.request(now=True)
        self.query_one(Banner).tell(message.what, text)
        self.note(message.what, text, "bold $error")
        self.refresh_status()

    @on(Planned)
    def _planned(self, message: Planned) -> None:
        if not self.replanner.settle(message):
            return
        if message.error is not None or message.result is None:
            self.stale = self.plan is not None
            self._plan_broke(message.error)
            self.refresh_status()
            return
        result = message.result
        self.problems = tuple(result.diagnostics)
        self._mark_problems()
        if result.plan is not None:
            self._show_plan(result.plan, result.elapsed_ms, dict(result.locations))
        else:
            self.stale = self.plan is not None
            if self.plan is None:
                self.tree_view.show_plan(None, self._why_no_plan())
                self.details.show_content(describe_diagnostics(self.problems, self.context.glyphs))
        self.refresh_status()

    def _show_plan(self, plan: Plan, elapsed_ms: float, locations: dict[str, tuple[str, int, int]]) -> None:
        self.plan, self.plan_ms, self.stale = plan, elapsed_ms, False
        self._locations = locations
        nothing = "Nothing to do: the database has the declared schema."
        self.tree_view.show_plan(plan, "" if plan.waves else nothing)
        self.show_selected()

    def _why_no_plan(self) -> str:
        if any(item.severity == "error" for item in self.problems):
            return "No plan: the schema does not compile."
        return "No plan: no database was read."

    def _plan_broke(self, error: Exception | None) -> None:
        text = f"Planning failed: {error}. Nothing was sent to the database; the text is untouched."
        self.query_one(Banner).tell("no plan", text)
        self.note("no plan", text, "bold $error")

    def _mark_problems(self) -> None:
        for editor in self.editors:
            editor.show_problems(self.problems)
        room = 4 if self.size.height >= 30 else 2
        self.query_one(ProblemList).show_problems(self.problems, room)

    # -- the selected row ----------------------------------------------------------------------------------------

    @on(PlanTree.Selected)
    def _row_selected(self) -> None:
        self.show_selected()
        self.query_one(KeyBar).hints = tuple(self._hints(self.situation()))

    @on(PlanTree.Opened)
    def _row_opened(self) -> None:
        self.show_pane("details")

    def show_selected(self, *, keep_position: bool = False) -> None:
        """The row under the cursor, in the details pane."""
        row, plan = self.tree_view.row, self.plan
        if plan is None:
            return
        if row is None:
            text = "Nothing to do.\n\nThe database has the declared schema: a plan made now is empty."
            self.details.show_content(Content(text), keep_position=keep_position)
        elif row.step is None:
            self.details.show_wave(row.wave, keep_position=keep_position)
        else:
            state = self.tree_view.run_state
            self.details.show_step(row.step, row.wave, plan, state, keep_position=keep_position)

    def do_plan_go_to_source(self) -> None:
        row = self.tree_view.row
        found = location_of(row.step, self._locations) if row is not None and row.step is not None else None
        if found is None:
            self.notify("No line of the schema says this: it is what the schema does not say any more.", markup=False)
        else:
            self._go_to(*found)

    def do_plan_copy_sql(self) -> None:
        row = self.tree_view.row
        if row is None:
            return
        steps = [row.step] if row.step is not None else row.wave.steps
        sql = "\n".join(step.sql for step in steps)
        self.app.copy_to_clipboard(sql)
        self.notify(f"Copied {count(len(sql.splitlines()), 'line')} of SQL.", markup=False)

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
                target=self.context.workbench.target_label,
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
        if self.plan is not message.plan:
            self.tree_view.show_plan(message.plan)
        self.show_pane("activity" if self.zoomed else "plan")
        self.feed.poll()

    def _run_advanced(self, events: Sequence[Event], dropped: int) -> None:
        feed = self.feed
        if feed is None:
            return
        self.tree_view.show_run(feed.state if self._shows_run() else None)
        self.query_one(WaveProgress).show_run(feed.plan, feed.state)
        if dropped:
            self.note("skipped", f"{count(dropped, 'event')}, too many to show: they are in wesley.migration_events")
        if events:
            self.log_view.append(events)
            self.show_selected(keep_position=True)
        if feed.ended:
            self._run_ended()
        self.refresh_status()

    def _shows_run(self) -> bool:
        """Whether the plan on the screen is the one that runs or ran."""
        return self.feed is not None and self.plan is not None and self.plan.plan_id == self.feed.plan.plan_id

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
                SummaryScreen(feed.plan, feed.state, feed.certificate, feed.outcome, glyphs=self.context.glyphs)
            )

    def do_run_pause(self) -> None:
        if self.feed is not None:
            self.feed.pause()
            self.note("pause", "asked: after the current batch or step")

    def do_run_resume(self) -> None:
        if self.feed is not None:
            self.feed.resume()

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
