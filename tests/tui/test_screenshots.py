"""The screens as people see them, at 80×24 and 120×40. ``make screenshots`` draws them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.tui import plans
from tests.tui.driving import Driver
from tests.tui.fakes import FakeWorkbench
from wesley_tui.catalog.model import QName
from wesley_tui.diff.changes import RenameQuestion
from wesley_tui.executor.events import EventType, RunStatus

Picture = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])


async def nothing(_driver: Driver) -> None:
    pass


async def with_error(driver: Driver) -> None:
    driver.main.editor.move_cursor((1, 10))
    driver.main.editor.insert(" @BROKEN")


async def select_foreign_key(driver: Driver) -> None:
    await driver.press("f3", "down", "down", "down", "down")


async def open_review(driver: Driver) -> None:
    await driver.press("ctrl+r")


async def name_the_column(driver: Driver) -> None:
    await driver.press("ctrl+r")
    await driver.press("ctrl+t", "ctrl+end")
    await driver.type("users")
    await driver.press("enter")


async def half_way(driver: Driver) -> None:
    await driver.run_plan()
    run = driver.workbench.runs[0]
    run.play(steps=4)
    fill = next(step for step in run.plan.steps if step.op == "backfill")
    run.emit(EventType.WAVE_START, wave="BACKFILL", steps=1)
    run.emit(EventType.STEP_START, "backfill public.users.email", wave="BACKFILL", step=fill.step_sha)
    run.emit(
        EventType.BACKFILL_PROGRESS,
        wave="BACKFILL",
        step=fill.step_sha,
        rows_done=41_200,
        rows_total=100_000,
    )
    await driver.advance()
    driver.main.tree_view.select(("step", "backfill", "public.users.email", "1"))


async def finished(driver: Driver) -> None:
    await driver.run_plan()
    driver.workbench.runs[0].play()
    await driver.advance()


async def failed(driver: Driver) -> None:
    await driver.run_plan()
    run = driver.workbench.runs[0]
    run.play(steps=2)
    index = next(step for step in run.plan.steps if step.op == "add_index_concurrently")
    message = "55P03: could not obtain lock on public.users: pid 4711 (pg_dump, idle for 12 m) holds AccessShareLock"
    run.emit(EventType.STEP_START, "add_index_concurrently", wave="EXPAND", step=index.step_sha)
    run.emit(EventType.STEP_FAIL, message, wave="EXPAND", step=index.step_sha, duration_ms=5003)
    run.emit(EventType.ABORT_REASON, "step 3 failed")
    run.end_message = "Step 3 did not get its lock in 5 s. Nothing of it was done. End pg_dump, then run again."
    run.over = True
    await driver.advance()


async def open_help(driver: Driver) -> None:
    await driver.press("f1")


@SIZES
def test_main(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(nothing, size=size)


@SIZES
def test_errors_leave_the_last_good_plan_marked_as_stale(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(with_error, size=size)


@SIZES
def test_details_of_a_step(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(select_foreign_key, size=size)


@SIZES
def test_review(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(open_review, FakeWorkbench(plans.FULL), size=size)


@SIZES
def test_review_of_danger_asks_for_the_name(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(name_the_column, FakeWorkbench(plans.FULL), size=size, unsafe=True)


@SIZES
def test_review_of_danger_is_blocked_without_unsafe(picture: Picture, size: tuple[int, int]) -> None:
    async def scenario(driver: Driver) -> None:
        await driver.press("ctrl+r")
        await driver.press("ctrl+t")

    assert picture(scenario, FakeWorkbench(plans.FULL), size=size)


@SIZES
def test_a_likely_rename_is_a_question(picture: Picture, size: tuple[int, int]) -> None:
    async def scenario(driver: Driver) -> None:
        await driver.press("f3", "home")

    asked = replace(
        plans.SAFE,
        questions=(
            RenameQuestion(
                "column",
                QName("public", "users"),
                "mail",
                "email",
                "column mail would be dropped and column email added, both text, and the names are alike",
            ),
        ),
    )
    assert picture(scenario, FakeWorkbench(asked), size=size)


@SIZES
def test_running(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(half_way, FakeWorkbench(plans.FULL), size=size)


@SIZES
def test_finished(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(finished, FakeWorkbench(plans.FULL), size=size)


@SIZES
def test_failed(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(failed, size=size)


@SIZES
def test_limits_of_a_run_that_is_slowed_down(picture: Picture, size: tuple[int, int]) -> None:
    async def scenario(driver: Driver) -> None:
        await half_way(driver)
        reasons = "smaller batches, pauses, no new index builds: active connections: 62, bound 50"
        driver.workbench.runs[0].emit(EventType.GOVERNOR_BACKPRESSURE, reasons, health="degraded")
        await driver.advance()
        await driver.press("t")

    assert picture(scenario, FakeWorkbench(plans.FULL), size=size)


@SIZES
def test_help(picture: Picture, size: tuple[int, int]) -> None:
    assert picture(open_help, size=size)


@SIZES
def test_no_database(picture: Picture, size: tuple[int, int]) -> None:
    message = (
        "cannot connect to shop @ db1:5432: Connection refused\n"
        "  Nothing was read or changed. Is the server running, and is this its host and port?"
    )
    assert picture(nothing, FakeWorkbench(unreachable=message), size=size)


@pytest.mark.parametrize("theme", ["light", "ansi"])
def test_other_themes(picture: Picture, theme: str) -> None:
    assert picture(select_foreign_key, size=(120, 40), environment={"WESLEY_THEME": theme})


def test_ascii_for_terminals_without_unicode(picture: Picture) -> None:
    assert picture(half_way, FakeWorkbench(plans.FULL), environment={"WESLEY_ASCII": "1"})


def test_hostile_names_are_shown_and_not_obeyed(picture: Picture) -> None:
    async def scenario(driver: Driver) -> None:
        await driver.press("f3", "down", "down")

    assert picture(scenario, FakeWorkbench(plans.hostile_plan()))


def test_picture_of_a_failed_run_says_so() -> None:
    """A guard for the pictures above: the scenario really ends in a failed run."""
    from tests.tui.driving import drive

    states: list[RunStatus] = []

    async def scenario(driver: Driver) -> None:
        await failed(driver)
        assert driver.main.feed is not None
        states.append(driver.main.feed.state.status)

    drive(scenario)
    assert states == [RunStatus.FAILED]
