"""From text to plan: the editor and the database on one side, the plan and its details on the other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.content import Content
from textual.widgets import TextArea

from wesley_tui.planner.plan import Plan
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.tui.locate import location_of
from wesley_tui.tui.messages import Planned, Saved, SnapshotRead, TargetNamed, WorkFailed
from wesley_tui.tui.screens.workspace import Workspace
from wesley_tui.tui.text import count
from wesley_tui.tui.widgets.banner import Banner
from wesley_tui.tui.widgets.key_bar import KeyBar
from wesley_tui.tui.widgets.plan_tree import PlanTree
from wesley_tui.tui.widgets.problem_list import ProblemList
from wesley_tui.tui.widgets.step_details import describe_diagnostics, describe_question

if TYPE_CHECKING:
    from wesley_tui.diff.changes import RenameQuestion
    from wesley_tui.planner.obstacles import Obstacle
    from wesley_tui.planner.plan import Step

__all__ = ["PlanningScreen"]


class PlanningScreen(Workspace):
    """Plans again when the text or the database is another one, and shows what came of it."""

    _obstacles: tuple[Plan, tuple[Obstacle, ...]] | None = None
    """The plan that was asked about last, and who is in its way."""

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
        workbench = self.context.workbench
        try:
            self.post_message(TargetNamed(await asyncio.to_thread(lambda: workbench.target_label)))
            snapshot = await workbench.read()
        except Exception as error:
            self.post_message(WorkFailed("no database", error))
        else:
            self.post_message(SnapshotRead(snapshot))

    @on(TargetNamed)
    def _target_named(self, message: TargetNamed) -> None:
        self.target = message.label
        self.refresh_status()

    def do_plan_reread(self) -> None:
        self.context.repaint()
        self.read_database()

    @on(SnapshotRead)
    def _snapshot_read(self, message: SnapshotRead) -> None:
        self.reading = False
        self._let_go_of_run()
        self.snapshot = message.snapshot
        self.query_one(Banner).clear()
        tables = count(len(message.snapshot.catalog.tables), "table")
        self.note("connected", f"{self.target}: {tables}", "$success")
        self.replanner.request(now=True)
        self.refresh_status()

    @on(WorkFailed)
    def _work_failed(self, message: WorkFailed) -> None:
        text = str(message.error).strip() or type(message.error).__name__
        if message.what == "no database":
            self.reading = False
            self._let_go_of_run()
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
            self._show_plan(result.plan, result.elapsed_ms, result.locations)
        else:
            self.stale = self.plan is not None
            if self.plan is None:
                self.tree_view.show_plan(None, self._why_no_plan())
                self.details.show_content(describe_diagnostics(self.problems, self.context.glyphs))
        self.refresh_status()

    def _show_plan(self, plan: Plan, elapsed_ms: float, locations: Mapping[str, tuple[str, int, int]]) -> None:
        self.plan, self.plan_ms, self.stale = plan, elapsed_ms, False
        self._locations = locations
        if self.holds_run:
            return
        nothing = "Nothing to do: the database has the declared schema."
        self._show_tree("" if plan.waves else nothing)
        self.tree_view.show_run(self.run_state if self.shows_run() else None)
        self.show_selected()

    def _show_tree(self, placeholder: str = "") -> None:
        questions = [item for item in self.plan.questions if item not in self.kept_apart] if self.plan else []
        self.tree_view.show_plan(self.plan, placeholder, questions)

    def _let_go_of_run(self) -> None:
        """The database was asked again: when the run has ended, the tree is the newest plan's."""
        if self.feed is not None and self.feed.ended:
            self.holds_run = False

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

    # -- questions -----------------------------------------------------------------------------------------------

    def do_plan_rename(self) -> None:
        """Write the answer where it lasts: into the schema."""
        from wesley_tui.sdl.renaming import rename_insertion

        question = self._selected_question()
        if question is None:
            return
        kind, name = ("table", question.new)
        if question.kind == "column":
            kind, name = "column", f"{question.relation}.{question.new}"
        found = self._locations.get(f"{kind} {name}")
        editor = next((one for one in self.editors if found is not None and one.source_name == found[0]), None)
        if found is None or editor is None:
            self.notify(f"No line of the schema declares {kind} {name}.", severity="warning", markup=False)
            return
        insertion = rename_insertion(editor.document.lines, found[1], found[2], _old_name(question))
        if insertion is None:
            self.notify(f"{found[0]}:{found[1]} makes {kind} {name}: write @renamed there.", markup=False)
            return
        editor.insert(insertion.text, (insertion.row, insertion.column), maintain_selection_offset=True)
        self.note("renamed", f"{found[0]}:{insertion.row + 1}{insertion.text}")
        self.notify(f"Wrote{insertion.text} into line {insertion.row + 1}.", markup=False)

    def do_plan_keep_apart(self) -> None:
        question = self._selected_question()
        if question is not None:
            self.kept_apart.add(question)
            self._show_tree()

    def _selected_question(self) -> RenameQuestion | None:
        row = self.tree_view.row
        return row.question if row is not None else None

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
        row, plan = self.tree_view.row, self.tree_view.plan
        if plan is None:
            return
        if row is None:
            text = "Nothing to do.\n\nThe database has the declared schema: a plan made now is empty."
            self.details.show_content(Content(text), keep_position=keep_position)
        elif row.question is not None:
            self.details.show_content(describe_question(row.question), keep_position=keep_position)
        elif row.wave is not None and row.step is None:
            self.details.show_wave(row.wave, keep_position=keep_position)
        elif row.wave is not None and row.step is not None:
            state = self.tree_view.run_state
            self.details.show_step(
                row.step, row.wave, plan, state, self._in_the_way(plan, row.step), keep_position=keep_position
            )

    def _in_the_way(self, plan: Plan, step: Step) -> list[Obstacle]:
        """Who would hold up the step if it began now; a run knows better by itself."""
        if self.shows_run():
            return []
        known = self._obstacles
        if known is None or known[0] is not plan:
            self._obstacles = known = (plan, tuple(self.context.workbench.obstacles(plan)))
        return [item for item in known[1] if item.blocks and step.ordinal in item.steps]

    def do_plan_go_to_source(self) -> None:
        row = self.tree_view.row
        found = location_of(row.step, self._locations) if row is not None and row.step is not None else None
        if found is None:
            self.notify("No line of the schema says this: it is what the schema does not say any more.", markup=False)
        else:
            self._go_to(*found)

    def do_plan_copy_sql(self) -> None:
        row = self.tree_view.row
        if row is None or row.wave is None:
            return
        steps = [row.step] if row.step is not None else row.wave.steps
        sql = "\n".join(step.sql for step in steps)
        self.app.copy_to_clipboard(sql)
        self.notify(f"Copied {count(len(sql.splitlines()), 'line')} of SQL.", markup=False)


def _old_name(question: RenameQuestion) -> tuple[str, ...]:
    """As ``@renamed(from:)`` takes it: with its schema only where that is another one."""
    if question.kind == "column":
        return (question.old,)
    schema, _, name = question.old.partition(".")
    return (name,) if schema == question.relation.schema else (schema, name)
