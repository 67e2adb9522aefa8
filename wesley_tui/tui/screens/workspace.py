"""The main screen as it looks: four panes, a line above and a line below, and what is true right now.

Wide terminals show the four panes side by side; at 80×24 the pane with the focus has most of the room and the one that
belongs with it the rest: typing in the schema, one sees the plan; walking through the plan, one sees the details.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.events import DescendantFocus, Resize
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import TextArea

from wesley_tui.executor.events import RunState, RunStatus, StepStatus
from wesley_tui.planner.plan import Plan
from wesley_tui.sdl.diagnostics import Diagnostic, Source
from wesley_tui.tui.context import Context
from wesley_tui.tui.keymap import commands_of, key_name, prints
from wesley_tui.tui.layout import PANES, PaneId, arrangement
from wesley_tui.tui.present import RUN_WORD, health_words, plan_summary, server_version, waiting_summary
from wesley_tui.tui.replanner import Replanner
from wesley_tui.tui.running import RunFeed
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
from wesley_tui.tui.widgets.step_details import StepDetails
from wesley_tui.tui.widgets.wave_progress import WaveProgress

if TYPE_CHECKING:
    from wesley_tui.catalog.snapshot import Snapshot
    from wesley_tui.diff.changes import RenameQuestion
    from wesley_tui.planner.plan import Step
    from wesley_tui.tui.ports import RunLine

__all__ = ["Workspace"]


_WHILE_RUNNING = ("run.pause", "run.abort", "run.limits")
"""What the key line offers only while something runs."""

_ANSWERS = ("plan.rename", "plan.keep_apart")
"""What the key line offers instead of what can be done with a step, while a question is selected."""


class Workspace(Screen[None]):
    """The panes and what they show; what a person can do there is in the classes that build on it."""

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
        self.target = ""
        """How the database is called; empty until libpq was loaded."""
        self.plan_ms = 0.0
        self.zoomed = False
        self.active: PaneId = "schema"
        self.file = 0
        self._locations: Mapping[str, tuple[str, int, int]] = {}
        self.kept_apart: set[RenameQuestion] = set()
        """Questions that were answered with no, for as long as the application runs."""
        self.feed: RunFeed | None = None
        self.holds_run = False
        """While a run goes on, and until the database was read after it, the tree shows the plan that runs or ran."""
        self.last_run: RunLine | None = None
        """The last run of the database, when it was last looked for."""
        self.left: RunStatus | None = None
        """How that run was left, when it has not come to its end and no process executes it."""
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
        self.set_focus(self.editor)
        self.note("wesley", count(len(self.context.sources), "schema file"))
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
        state, row = self.run_state, self.tree_view.row
        return Situation(
            connected=self.snapshot is not None,
            read_only=self.context.workbench.read_only,
            has_plan=self.plan is not None,
            empty_plan=self.plan is not None and not self.plan.waves,
            stale=self.stale,
            planning=self.replanner.busy or self.holds_run,
            problems=len(self.problems),
            errors=errors,
            modified=any(editor.modified for editor in self.editors),
            files=len(self.context.sources),
            row_selected=row is not None and row.question is None,
            question_selected=row is not None and row.question is not None,
            run=state.status if state is not None else None,
            run_ended=self.feed is None or self.feed.ended,
            waiting_steps=0 if self.feed is None else len(self.feed.waiting),
            step_open=self._step_open(),
            any_run=self.last_run is not None or self.feed is not None,
            left=self.left,
        )

    @property
    def selected_step(self) -> Step | None:
        row = self.tree_view.row
        return row.step if row is not None else None

    def _step_open(self) -> bool:
        """Whether the selected step is one of the run on the screen that is not done."""
        step, state = self.selected_step, self.run_state
        if step is None or state is None or not self.shows_run():
            return False
        return state.step(step.step_sha).status not in {StepStatus.SUCCEEDED, StepStatus.SKIPPED}

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
        # at once, not when the loop comes to it: the next key of a fast typist must not go to the old pane
        self.set_focus(self._focus_target(pane))
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
        plan.set_class(self.stale and not self.holds_run, "-stale")
        plan.border_subtitle = self._plan_subtitle()

    def _plan_subtitle(self) -> Content:
        if self.holds_run and not self.shows_newest:
            return Content.styled("this plan runs; a new one waits", "bold $warning")
        if self.stale and not self.holds_run:
            return Content.styled("STALE: the last good plan", "bold $warning")
        if self.plan is None or self.replanner.busy:
            return Content("")
        return Content(f"{count(len(list(self.plan.steps)), 'step')}, {duration(self.plan_ms)}")

    def _segments(self, now: Situation) -> list[Segment]:
        glyphs = self.context.glyphs
        version = server_version(self.snapshot.server_version_num) if self.snapshot is not None else ""
        segments = [
            Segment(label("wesley", "bold $primary"), 7),
            Segment(label(self.target, "bold"), 1),
            Segment(label(f"PostgreSQL {version}" if version else ""), 4),
            Segment(label("read-only" if now.read_only else "", "bold $warning"), 2),
        ]
        shown = self.tree_view.plan
        if shown is not None:
            segments += [
                Segment(plan_summary(shown, glyphs), 3, right=True),
                Segment(waiting_summary(shown), 4, right=True),
                Segment(Content.styled(short_sha(shown.plan_id), "$muted"), 5, right=True),
            ]
        segments.append(Segment(self._state_word(now), 0, right=True))
        return segments

    def _state_word(self, now: Situation) -> Content:
        glyphs = self.context.glyphs
        if now.running and now.run is not None and self.feed is not None:
            where = " elsewhere" if self.feed.attached else ""
            word, style = RUN_WORD[now.run]
            slow = health_words(self.feed.state) if self.feed.state.health != "healthy" else Content("")
            return Content.assemble(slow, " " if slow else "", (f"{word}{where}", style))
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
            if not item.footer or (item.id in _WHILE_RUNNING and not now.running):
                continue
            if item.id in ("run.pause", "run.resume") and why_not(item.id, now):
                continue
            if item.id == "run.decide" and not now.waiting_steps:
                continue
            if now.question_selected != (item.id in _ANSWERS) and item.group == "plan":
                continue
            own = self.context.keys.get(item.id)
            keys = tuple(own.split(",")) if own else item.keys
            key = next((key for key in keys if not (typing and prints(key))), None)
            if key is not None:
                hints.append(KeyHint(key_name(key), item.label, enabled=not why_not(item.id, now)))
        return hints

    def shows_run(self) -> bool:
        """Whether the plan in the tree is the one that runs or ran."""
        shown = self.tree_view.plan
        return self.feed is not None and shown is not None and shown.plan_id == self.feed.plan.plan_id

    @property
    def shows_newest(self) -> bool:
        """Whether the plan in the tree is that of the present text."""
        shown = self.tree_view.plan
        return shown is not None and self.plan is not None and shown.plan_id == self.plan.plan_id

    def read_database(self) -> None:
        """Read the live catalog, then plan."""
        raise NotImplementedError
