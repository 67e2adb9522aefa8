"""What a person may say to a run, wherever it is executed: leave out, try again, limits, go on, take back, watch."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from textual.widgets import Input, Static

from tests.tui import plans
from tests.tui.driving import Driver, drive
from tests.tui.fakes import FakeLine, FakeWorkbench
from wesley_tui.executor.events import EventType, RunState, RunStatus
from wesley_tui.executor.governor import Knobs
from wesley_tui.planner.plan import Plan
from wesley_tui.tui.glyphs import UNICODE
from wesley_tui.tui.screens.limits import MEANING, LimitsScreen, changes_of
from wesley_tui.tui.screens.question import QuestionScreen
from wesley_tui.tui.screens.review import ReviewScreen
from wesley_tui.tui.screens.summary import describe_run
from wesley_tui.tui.widgets.banner import Banner
from wesley_tui.tui.widgets.key_bar import KeyBar
from wesley_tui.tui.widgets.status_line import StatusLine
from wesley_tui.tui.widgets.wave_progress import describe_progress


def left(status: RunStatus = RunStatus.FAILED, *, owned: bool = False) -> FakeWorkbench:
    bench = FakeWorkbench()
    bench.desk.line = FakeLine(status=status, owned=owned, message="disk full [red]")
    return bench


def hints(driver: Driver) -> list[str]:
    return [hint.label for hint in driver.main.query_one(KeyBar).hints]


def question(driver: Driver) -> str:
    assert isinstance(driver.app.screen, QuestionScreen)
    return "\n".join(str(part.render()) for part in driver.app.screen.query(Static))


def test_a_run_that_another_process_executes_is_followed_and_steered_and_left() -> None:
    bench = left(RunStatus.RUNNING, owned=True)

    async def scenario(driver: Driver) -> None:
        assert bench.desk.asked == ["attach 7"]
        run = bench.runs[0]
        run.play(steps=1)
        await driver.advance()
        shown = "".join(str(segment.content) for segment in driver.main.query_one(StatusLine).segments)
        assert "running elsewhere" in shown
        await driver.press("p", "p")
        await driver.advance()
        await driver.press("r", "r", "x")
        assert "another process" in question(driver)
        await driver.press("escape")
        run.refused("this role may not INSERT into wesley.migration_commands")
        await driver.settle()
        assert "may not INSERT" in str(driver.main.query_one(Banner).render())
        assert run.asked == ["pause", "resume"]
        await driver.press("q")
        assert run.asked == ["pause", "resume", "leave"]

    app = drive(scenario, bench)
    assert app.return_code == 0


def test_a_signal_leaves_the_run_of_another_process_alone() -> None:
    bench = left(RunStatus.PAUSED, owned=True)

    async def scenario(driver: Driver) -> None:
        driver.app.last_resort.over()
        driver.app._end_on_signal(15, "SIGTERM")  # what the signal handler calls

    app = drive(scenario, bench)
    assert app.return_code == 128 + 15
    assert bench.runs[0].asked == ["leave"]
    app.wait_for_runs()  # returns at once


def test_a_process_that_has_ended_its_run_is_not_followed() -> None:
    async def scenario(driver: Driver) -> None:
        assert driver.main.feed is None

    drive(scenario, left(RunStatus.COMPLETE, owned=True))


@pytest.mark.parametrize(("key", "asked"), [("r", "resume 7"), ("e", "resume 7 with what was left out")])
def test_a_run_that_was_left_is_gone_on_with(key: str, asked: str) -> None:
    bench = left()

    async def scenario(driver: Driver) -> None:
        assert "disk full [red]" in str(driver.main.query_one(Banner).render())
        await driver.press("f3")
        assert "Go on" in hints(driver)
        await driver.press("f3", "r", "escape")
        assert bench.desk.asked == []
        await driver.press("r")
        assert "Nothing that succeeded runs twice" in question(driver)
        await driver.press(key)
        assert bench.desk.asked == [asked]
        assert driver.main.situation().running
        assert "Go on" not in hints(driver)

    drive(scenario, bench)


def test_a_review_beside_a_run_that_was_left_asks_what_becomes_of_that() -> None:
    bench = left(RunStatus.RUNNING)

    async def scenario(driver: Driver) -> None:
        await driver.press("ctrl+r")
        assert "its process is gone" in question(driver)
        await driver.press("g")
        assert bench.desk.asked == ["give up 7"]
        await driver.press("ctrl+r")
        assert isinstance(driver.app.screen, ReviewScreen), "it is over: a new plan may be reviewed"

    drive(scenario, bench)


def test_the_undo_is_shown_before_it_is_typed_for() -> None:
    bench = left(RunStatus.COMPLETE)
    undo = replace(plans.SAFE, waves=(replace(plans.SAFE.waves[0], name="CONTRACT"),))

    async def scenario(driver: Driver) -> None:
        await driver.press("f3", "u")
        assert "rolled back already" in str(driver.main.query_one(Banner).render())
        bench.desk.undo_plan = undo
        await driver.press("u")
        assert isinstance(driver.app.screen, ReviewScreen)
        assert "taking run 7 back" in str(driver.app.screen.query_one("#review").border_title)
        await driver.press("ctrl+t", "ctrl+end")
        await driver.type("apply")
        await driver.press("enter")
        assert bench.desk.asked == []
        driver.app.screen.query_one(Input).clear()
        await driver.type("rollback")
        await driver.press("enter")
        assert bench.desk.asked == ["undo 7"]
        assert bench.started[0][0] is undo
        assert bench.started[0][1]["contract"] is True

    drive(scenario, bench)


def test_an_undo_that_loses_something_needs_unsafe_and_one_without_steps_says_so() -> None:
    bench = left(RunStatus.COMPLETE)

    async def scenario(driver: Driver) -> None:
        for plan, words in ((plans.FULL, "nothing is taken back"), (Plan("p", "b", "t", ()), "Nothing to take")):
            bench.desk.undo_plan = plan
            await driver.press("f3", "u")
            prompt = str(driver.app.screen.query_one("#review-prompt", Static).render())
            assert words in prompt
            await driver.press("escape")
        assert bench.started == []

    drive(scenario, bench)


def test_the_selected_step_is_left_out_and_taken_in_again() -> None:
    bench = FakeWorkbench()

    async def scenario(driver: Driver) -> None:
        await driver.press("f3", "s", "e")
        assert driver.app.screen is driver.main, "nothing runs"
        await driver.run_plan()
        run = bench.runs[0]
        first, second = list(run.plan.steps)[:2]
        run.play(steps=1)
        await driver.advance()
        await driver.press("home", "down", "s")
        assert driver.app.screen is driver.main, "that step is done"
        await driver.press("down", "s")
        assert f"Leave step {second.ordinal} out?" == driver.app.screen.query_one("#question").border_title
        await driver.press("enter", "escape", "s", "s")
        await driver.press("e", "s", "e", "e")
        words = "left out in the terminal application"
        assert run.asked == [f"skip {second.step_sha}: {words}", f"retry {second.step_sha}", "retry "]
        assert first.step_sha != second.step_sha

    drive(scenario, bench)


def test_every_limit_is_shown_with_its_value_and_a_change_is_asked_for() -> None:
    bench = FakeWorkbench()
    bench.desk.knobs = Knobs(rows_per_second=500, window="daily 02:00-03:00 UTC")

    async def scenario(driver: Driver) -> None:
        await driver.press("f3", "t")
        assert driver.app.screen is driver.main, "nothing runs"
        await driver.run_plan()
        await driver.press("t")
        screen = driver.app.screen
        assert isinstance(screen, LimitsScreen)
        shown = {str(item.id).removeprefix("limit-"): item.value for item in screen.query(Input)}
        assert set(shown) == {field.name for field in fields(Knobs)} == set(MEANING)
        assert (shown["rows_per_second"], shown["batch_ms"]) == ("500", "30")
        assert shown["window"] == "daily 02:00-03:00 UTC"
        await driver.press("enter", "t", "escape", "t")
        assert bench.desk.asked == [], "nothing was changed"
        driver.app.screen.query(Input).first().value = "-1"
        await driver.press("enter")
        problem = str(driver.app.screen.query_one("#limits-problem", Static).render())
        assert "must be a number from 0" in problem
        driver.app.screen.query(Input).first().value = "2000"
        await driver.press("down", "enter")
        assert bench.desk.asked == [(7, {"rows_per_second": 2000.0})]

    drive(scenario, bench)


def test_limits_that_are_text_stay_text() -> None:
    knobs = Knobs()
    assert changes_of(knobs, {"window": " daily 02:00-03:00 UTC ", "workers": "2"}) == {
        "window": "daily 02:00-03:00 UTC", "workers": 2.0,
    }  # fmt: skip
    for name, text in (("window", "sometimes"), ("workers", "5"), ("busy_share", "101"), ("calm_s", "")):
        with pytest.raises(ValueError, match=r"must be|sometimes"):
            changes_of(knobs, {name: text})


def test_the_governor_and_the_window_are_on_the_screen_while_they_hold_something() -> None:
    bench = FakeWorkbench()

    async def scenario(driver: Driver) -> None:
        def shown() -> str:
            assert driver.main.feed is not None
            state = driver.main.feed.state
            return str(describe_progress(plans.SAFE, state, driver.app.context.clock(), 90, UNICODE))

        await driver.run_plan()
        run = bench.runs[0]
        run.play(steps=1)
        run.emit(EventType.GOVERNOR_CHANGED, "dba: rows_per_second = 5", rows_per_second=5)
        await driver.advance()
        assert "slowed down" not in shown()
        run.emit(
            EventType.GOVERNOR_BACKPRESSURE, "smaller batches: active connections: 62, bound 50", health="degraded"
        )
        run.emit(EventType.GOVERNOR_CHANGED, "VALIDATE waits", window="daily 02:00-03:00 UTC", open=False)
        await driver.advance()
        assert "slowed down  smaller batches: active connections: 62, bound 50" in shown()
        assert "daily 02:00-03:00 UTC  closed" in shown()
        segments = "".join(str(segment.content) for segment in driver.main.query_one(StatusLine).segments)
        assert "slowed down running" in segments
        run.emit(EventType.GOVERNOR_RECOVERED, "full speed again", health="healthy")
        run.emit(EventType.GOVERNOR_CHANGED, "the window is open", window="daily 02:00-03:00 UTC", open=True)
        await driver.advance()
        assert "slowed down" not in shown()
        assert "closed" not in shown()

    drive(scenario, bench)


def test_the_verdict_says_how_long_it_took_beside_the_other_ways() -> None:
    bench = FakeWorkbench()

    async def scenario(driver: Driver) -> None:
        await driver.run_plan()
        bench.runs[0].play()
        await driver.advance()
        feed = driver.main.feed
        assert feed is not None
        text = str(describe_run(feed.plan, feed.state, feed.certificate, feed.outcome, UNICODE, unsafe=False))
        assert "; wave by wave " in text
        assert ", one after the other " in text

    drive(scenario, bench)


def test_the_verdict_of_a_run_that_was_cut_calls_nothing_running() -> None:
    run = FakeWorkbench().start(plans.SAFE, None)
    run.play(steps=2)
    third = list(plans.SAFE.steps)[2]
    run.emit(EventType.STEP_START, step=third.step_sha, attempt=1)
    run.abort("a person asked for it")
    text = str(describe_run(plans.SAFE, run.state, None, None, UNICODE, unsafe=False))
    assert "1 interrupted" in text
    assert "running" not in text
    assert "one after the other" not in text


def test_a_process_that_takes_a_run_up_begins_with_a_healthy_governor() -> None:
    bench = FakeWorkbench()
    run = bench.start(plans.SAFE, None)
    run.emit(EventType.GOVERNOR_CIRCUIT_OPEN, "nothing starts: 90 active", health="open")
    assert (run.state.health, run.state.health_message) == ("open", "nothing starts: 90 active")
    run.emit(EventType.LOCK_ACQUIRED)
    assert (run.state.health, run.state.health_message) == (RunState().health, "")
