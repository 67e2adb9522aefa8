"""What a person does on the main screen, and what must follow."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.widgets import Static

from tests.tui import plans
from tests.tui.driving import Driver, drive
from tests.tui.fakes import SCHEMA, FakePlanning, FakeWorkbench
from wesley_tui.executor.events import EventType
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.tui.screens.question import QuestionScreen
from wesley_tui.tui.screens.review import ReviewScreen
from wesley_tui.tui.screens.summary import SummaryScreen
from wesley_tui.tui.widgets.banner import Banner
from wesley_tui.tui.widgets.key_bar import KeyBar


def test_the_plan_appears_without_a_key_being_pressed() -> None:
    async def scenario(driver: Driver) -> None:
        assert driver.main.plan is plans.SAFE
        assert [row.wave and row.wave.name for row in driver.main.tree_view.rows if row.step is None] == [
            "EXPAND",
            "BACKFILL",
            "VALIDATE",
        ]

    drive(scenario)


def test_typing_plans_again_and_keeps_the_cursor_on_its_step() -> None:
    bench = FakeWorkbench(plans.FULL)
    bench.by_text["less"] = plans.plan_of(("EXPAND", [plans.ADD_FOREIGN_KEY]), ("VALIDATE", [plans.SET_NOT_NULL]))

    async def scenario(driver: Driver) -> None:
        tree = driver.main.tree_view
        assert tree.select(("step", "set_not_null", "public.users.email", "1"))
        await driver.press("f2")
        await driver.type("less")
        assert driver.main.plan is bench.by_text["less"]
        assert tree.row is not None
        assert tree.row.step is not None
        assert tree.row.step.op == "set_not_null"
        assert "set_not_null" in driver.main.details.content.plain

    drive(scenario, bench)


def test_a_closed_wave_stays_closed_in_the_next_plan() -> None:
    bench = FakeWorkbench(plans.FULL)
    bench.by_text["other"] = plans.SAFE

    async def scenario(driver: Driver) -> None:
        await driver.press("f3", "space")
        rows = len(driver.main.tree_view.rows)
        assert rows == len(list(plans.FULL.steps)) - 4 + len(plans.FULL.waves)
        await driver.press("f2")
        await driver.type("other")
        assert driver.main.plan is plans.SAFE
        assert ("step", "add_column", "public.users.email", "1") not in {row.key for row in driver.main.tree_view.rows}

    drive(scenario, bench)


def test_errors_keep_the_last_good_plan_and_a_corrected_text_replaces_it() -> None:
    async def scenario(driver: Driver) -> None:
        main = driver.main
        await driver.type("BROKEN")
        assert driver.main.stale
        assert main.plan is plans.SAFE
        assert len(main.tree_view.rows) == 10
        assert main.problems[0].line == 1
        await driver.press("ctrl+r")
        assert not isinstance(driver.app.screen, ReviewScreen)
        await driver.press(*["backspace"] * 6)
        assert not driver.main.situation().stale
        assert main.problems == ()

    drive(scenario)


def test_an_answer_to_an_older_text_is_dropped() -> None:
    class Slow(FakeWorkbench):
        """Remembers the texts; a planning of ``first`` comes back after the text has changed."""

        driver: Driver | None = None
        texts: list[str] = []

        def plan(self, sources: Sequence[Source]) -> FakePlanning:
            text = sources[0].text
            self.texts.append(text)
            if text == "first" and self.driver is not None:
                self.driver.app.call_from_thread(self.driver.main.editor.load_text, "second")
            self.by_text = {"first": plans.FULL, "second": plans.EMPTY}
            return super().plan(sources)

    bench = Slow()

    async def scenario(driver: Driver) -> None:
        bench.driver = driver
        driver.main.editor.load_text("first")
        await driver.settle()
        await driver.settle()
        assert bench.texts[-2:] == ["first", "second"]
        assert driver.main.plan is plans.EMPTY

    drive(scenario, bench)


def test_without_a_database_the_editor_works_and_ctrl_l_tries_again() -> None:
    bench = FakeWorkbench(unreachable="cannot connect to shop: Connection refused. Start it.")

    async def scenario(driver: Driver) -> None:
        banner = driver.main.query_one(Banner)
        assert driver.main.query_one(Banner).display
        assert "Connection refused" in banner.message
        await driver.type("BROKEN")
        assert driver.main.problems
        await driver.press(*["backspace"] * 6)
        bench.unreachable = ""
        await driver.press("ctrl+l")
        assert not banner.display
        assert driver.main.plan is plans.SAFE

    drive(scenario, bench)


def test_a_planner_that_breaks_is_told_and_does_not_end_the_application() -> None:
    class Broken(FakeWorkbench):
        def plan(self, sources: Sequence[Source]) -> FakePlanning:
            if "boom" in sources[0].text:
                raise RuntimeError("[red]boom[/nothing]")
            return super().plan(sources)

    async def scenario(driver: Driver) -> None:
        await driver.type("boom")
        assert "boom" in driver.main.query_one(Banner).message
        assert driver.main.stale

    drive(scenario, Broken())


def test_save_writes_the_text_and_only_when_it_changed() -> None:
    bench = FakeWorkbench()

    async def scenario(driver: Driver) -> None:
        await driver.press("ctrl+s")
        assert bench.saved == []
        await driver.type("x")
        assert driver.main.editor.modified
        await driver.press("ctrl+s")
        assert bench.saved == [Source("schema.graphql", "x" + SCHEMA)]
        assert not driver.main.editor.modified

    drive(scenario, bench)


def test_go_to_source_puts_the_cursor_on_the_line_that_says_so() -> None:
    async def scenario(driver: Driver) -> None:
        driver.main.tree_view.select(("step", "set_not_null", "public.users.email", "1"))
        await driver.press("f3", "g")
        row, _ = driver.main.editor.cursor_location
        assert "email" in driver.main.editor.document.get_line(row)
        assert driver.main.editor.has_focus

    drive(scenario)


def test_next_problem_walks_through_all_and_starts_over() -> None:
    text = "type A {\n  BROKEN\n}\n\ntype B {\n  BROKEN\n}\n"

    async def scenario(driver: Driver) -> None:
        lines = []
        for _ in range(3):
            await driver.press("f8")
            lines.append(driver.main.editor.cursor_location[0])
        assert lines == [1, 5, 1]
        await driver.press("shift+f8")
        assert driver.main.editor.cursor_location[0] == 5

    drive(scenario, text=text)


def test_several_files_are_planned_together() -> None:
    bench = FakeWorkbench()
    files = [("a.graphql", "type A { id: ID! }"), ("b.graphql", "type B { BROKEN }")]

    async def scenario(driver: Driver) -> None:
        assert [item.source for item in driver.main.problems] == ["b.graphql"]
        await driver.press("f8")
        assert driver.main.editor.source_name == "b.graphql"
        await driver.press("ctrl+pagedown")
        assert driver.main.editor.source_name == "a.graphql"

    drive(scenario, bench, sources=files)


def test_copy_takes_the_sql_of_the_selected_wave() -> None:
    async def scenario(driver: Driver) -> None:
        await driver.press("f3", "y")
        assert driver.app.clipboard.count(";") == 4
        assert "CREATE INDEX CONCURRENTLY" in driver.app.clipboard

    drive(scenario)


def test_a_disabled_key_says_why() -> None:
    async def scenario(driver: Driver) -> None:
        await driver.press("ctrl+r")
        hints = {hint.label: hint.enabled for hint in driver.main.query_one(KeyBar).hints}
        assert hints["Review"] is False
        messages = [item.message for item in driver.app._notifications]
        assert messages == ["Nothing to do: the database has the declared schema."]

    drive(scenario, FakeWorkbench(plans.EMPTY))


def test_a_run_is_shown_until_its_verdict() -> None:
    bench = FakeWorkbench(plans.SAFE)

    async def scenario(driver: Driver) -> None:
        await driver.run_plan()
        run = bench.runs[0]
        run.play(steps=3)
        await driver.advance()
        first = next(iter(plans.SAFE.steps))
        assert driver.main.run_state is not None
        assert driver.main.run_state.step(first.step_sha).status.value == "succeeded"
        await driver.press("ctrl+r")
        assert not isinstance(driver.app.screen, ReviewScreen)
        run.finish()
        await driver.advance()
        assert isinstance(driver.app.screen, SummaryScreen)
        await driver.press("escape")
        assert bench.plannings >= 2

    drive(scenario, bench)


def test_the_plan_that_runs_stays_in_the_tree_until_the_database_was_read_again() -> None:
    bench = FakeWorkbench(plans.SAFE)
    bench.by_text["zz"] = plans.FULL

    async def scenario(driver: Driver) -> None:
        main = driver.main
        await driver.run_plan()
        run = bench.runs[0]
        run.play(steps=2)
        await driver.advance()
        await driver.press("f2")
        await driver.type("zz")
        assert main.plan is plans.FULL
        assert main.tree_view.plan is plans.SAFE
        assert main.tree_view.run_state is main.run_state
        subtitle = main.query_one("#plan").border_subtitle
        assert subtitle is not None
        assert "a new one waits" in subtitle
        await driver.press("f3", "down")
        assert "attempt 1" in main.details.content.plain or "succeeded" in main.details.content.plain
        bench.by_text["zz"] = plans.EMPTY
        run.finish()
        await driver.advance()
        await driver.press("escape")
        assert main.tree_view.plan is plans.EMPTY
        assert main.tree_view.run_state is None

    drive(scenario, bench)


def test_a_run_that_ended_without_a_database_gives_the_tree_back() -> None:
    bench = FakeWorkbench(plans.SAFE)

    async def scenario(driver: Driver) -> None:
        await driver.run_plan()
        bench.unreachable = "the server is gone"
        bench.runs[0].play(steps=1)
        bench.runs[0].over = True
        await driver.advance()
        assert not driver.main.holds_run

    drive(scenario, bench)


def test_the_log_names_the_step_of_an_event() -> None:
    bench = FakeWorkbench(plans.SAFE)

    async def scenario(driver: Driver) -> None:
        await driver.run_plan()
        bench.runs[0].play(steps=1)
        await driver.advance()
        log = driver.main.log_view
        lines = [log.line_at(index, 100).plain for index in range(log.line_count())]
        assert lines[-3].endswith("wave.start       EXPAND  4 steps")
        assert lines[-2].endswith("step.start       add_column users.email")
        assert lines[-1].endswith("step.ok          add_column users.email  12 ms")

    drive(scenario, bench)


@pytest.mark.parametrize(
    ("unsafe", "words"), [(False, "start again with --unsafe"), (True, "review again (^R), and include CONTRACT")]
)
def test_the_verdict_says_how_contract_can_be_run(unsafe: bool, words: str) -> None:
    bench = FakeWorkbench(plans.FULL)

    async def scenario(driver: Driver) -> None:
        await driver.run_plan()
        bench.runs[0].play()
        await driver.advance()
        assert isinstance(driver.app.screen, SummaryScreen)
        assert words in str(driver.app.screen.query_one("#summary Static", Static).content)

    drive(scenario, bench, unsafe=unsafe)


def test_pause_and_resume_reach_the_engine() -> None:
    bench = FakeWorkbench()

    async def scenario(driver: Driver) -> None:
        await driver.run_plan()
        bench.runs[0].play(steps=1)
        await driver.advance()
        await driver.press("p", "escape", "p", "enter", "escape")
        assert bench.runs[0].asked == []
        await driver.press("p", "p")
        await driver.advance()
        await driver.press("p")
        assert driver.app.screen is driver.main, "it is paused already"
        await driver.press("r", "escape", "r", "r")
        assert bench.runs[0].asked == ["pause", "resume"]

    drive(scenario, bench)


def test_abort_asks_first_and_enter_does_not_abort() -> None:
    bench = FakeWorkbench()

    async def scenario(driver: Driver) -> None:
        await driver.run_plan()
        bench.runs[0].play(steps=1)
        await driver.advance()
        await driver.press("x")
        assert isinstance(driver.app.screen, QuestionScreen)
        await driver.press("enter", "space", "escape")
        assert bench.runs[0].asked == []
        await driver.press("x")
        await driver.press("a")
        assert bench.runs[0].asked == ["abort: a person asked for it"]

    drive(scenario, bench)


def test_quitting_while_something_runs_asks_and_stops_it() -> None:
    bench = FakeWorkbench()

    async def scenario(driver: Driver) -> None:
        await driver.run_plan()
        bench.runs[0].play(steps=1)
        await driver.advance()
        await driver.press("ctrl+q")
        assert isinstance(driver.app.screen, QuestionScreen)
        await driver.press("escape")
        assert driver.app.is_running
        await driver.press("ctrl+q")
        await driver.press("s")

    drive(scenario, bench)
    assert bench.runs[0].asked == ["abort: the person quit"]


def test_quitting_with_unsaved_text_asks() -> None:
    bench = FakeWorkbench()

    async def scenario(driver: Driver) -> None:
        await driver.type("x")
        await driver.press("ctrl+q")
        assert isinstance(driver.app.screen, QuestionScreen)
        await driver.press("s")

    drive(scenario, bench)
    assert [source.text for source in bench.saved] == ["x" + SCHEMA]


def test_a_lost_event_is_counted_in_the_log() -> None:
    bench = FakeWorkbench()

    async def scenario(driver: Driver) -> None:
        await driver.run_plan()
        run = bench.runs[0]
        run.emit(EventType.PLAN_ACCEPTED, "go")
        run.dropped = 17
        await driver.advance()
        log = driver.main.log_view
        lines = [log.line_at(index, 100).plain for index in range(log.line_count())]
        assert any("17 events, too many to show" in line for line in lines)

    drive(scenario, bench)


@pytest.mark.parametrize("size", [(0, 0), (1, 1), (3, 2), (12, 5), (40, 10), (79, 23), (100, 28), (300, 100)])
def test_any_size_and_back(size: tuple[int, int]) -> None:
    async def scenario(driver: Driver) -> None:
        await driver.pilot.resize_terminal(*size)
        await driver.press("f3", "f4", "f5", "f2", "ctrl+o", "ctrl+o")
        await driver.press("ctrl+r")
        await driver.pilot.resize_terminal(80, 24)
        await driver.settle()
        assert isinstance(driver.app.screen, ReviewScreen)

    drive(scenario)


def test_ten_thousand_steps() -> None:
    bench = FakeWorkbench(plans.big_plan(10_000))

    async def scenario(driver: Driver) -> None:
        await driver.press("f3", "end")
        row = driver.main.tree_view.row
        assert row is not None
        assert row.step is not None
        assert row.step.ordinal == 10_000

    drive(scenario, bench)


def test_the_palette_finds_commands_by_group() -> None:
    async def scenario(driver: Driver) -> None:
        await driver.press("ctrl+p")
        await driver.type("details of")
        await driver.press("enter")
        assert driver.main.active == "details"

    drive(scenario)
