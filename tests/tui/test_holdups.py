"""A step waits for a lock: the person waits, tries again, leaves it out, or ends who holds it up."""

from __future__ import annotations

from typing import Any

from tests.tui.driving import Driver, drive
from tests.tui.fakes import FakeRun, FakeWorkbench
from wesley_tui.executor.events import EventType
from wesley_tui.tui.screens.question import QuestionScreen
from wesley_tui.tui.screens.typed import TypedScreen
from wesley_tui.tui.widgets.key_bar import KeyBar

OLD = {
    "pid": 4711, "user": "report", "application": "nightly [red]", "state": "idle in transaction", "age_s": 7200.0,
    "query": "SELECT [b]1", "started": "2026-01-01 02:00:00+00",
}  # fmt: skip
YOUNG = {**OLD, "pid": 12, "age_s": 3.0}


def waiting(driver: Driver, *blockers: dict[str, Any]) -> FakeRun:
    run = driver.workbench.runs[0]
    step = next(iter(run.plan.steps))
    run.emit(EventType.PLAN_ACCEPTED, "go")
    run.emit(EventType.STEP_START, wave="EXPAND", step=step.step_sha, attempt=1)
    run.emit(EventType.LOCK_TIMEOUT, "waited for pid 4711", wave="EXPAND", step=step.step_sha, blockers=list(blockers))
    return run


def hints(driver: Driver) -> list[str]:
    return [hint.label for hint in driver.main.query_one(KeyBar).hints]


def test_the_blocker_is_ended_after_its_pid_was_typed() -> None:
    bench = FakeWorkbench()

    async def scenario(driver: Driver) -> None:
        await driver.run_plan()
        run = waiting(driver, YOUNG, OLD)
        assert "Blockers" not in hints(driver)
        await driver.advance()
        assert "Blockers" in hints(driver)
        await driver.press("b")
        assert isinstance(driver.app.screen, QuestionScreen)
        await driver.press("t")
        assert isinstance(driver.app.screen, TypedScreen)
        await driver.type("12")
        await driver.press("enter")
        assert run.asked == []
        await driver.press("b", "t", "escape")
        assert run.asked == []
        await driver.press("b", "t")
        await driver.type("4711")
        await driver.press("enter")
        assert run.asked == ["terminate 4711 of 2026-01-01 02:00:00+00: ended in the terminal application"]

    drive(scenario, bench)


def test_the_step_is_tried_again_or_left_out() -> None:
    bench = FakeWorkbench()

    async def scenario(driver: Driver) -> None:
        await driver.run_plan()
        run = waiting(driver)
        step = next(iter(run.plan.steps))
        await driver.advance()
        await driver.press("b", "t")
        assert isinstance(driver.app.screen, QuestionScreen), "nobody to end"
        await driver.press("r", "b", "escape")
        assert run.asked == [f"retry {step.step_sha}"]
        await driver.press("b", "s")
        assert run.asked[1:] == [f"skip {step.step_sha}: left out in the terminal application"]
        await driver.advance()
        await driver.press("b")
        assert not isinstance(driver.app.screen, QuestionScreen), "it waits no more"

    drive(scenario, bench)
