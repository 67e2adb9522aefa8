"""A likely rename is a question in the plan, and each answer does what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection

from tests.tui.driving import Driver
from tests.tui.fakes import FakeWorkbench
from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.services.target import Target
from wesley_tui.services.workbench import Workbench
from wesley_tui.tui.app import WesleyApp
from wesley_tui.tui.widgets.key_bar import KeyBar

_LIVE = """type User @table(name: "users") {
  id: ID! @pk
  mail: String!
}
type Bill @table { id: ID! @pk  amount: Int!  due: Date  paid: Boolean! }
"""
_WANTED = """type User @table(name: "users") {
  id: ID! @pk
  email: String! @unique
}
type Invoice @table { id: ID! @pk  amount: Int!  due: Date  paid: Boolean! }
"""


class Offline(Workbench):
    """The real compiler and planner; the live catalog is that of another text."""

    async def read(self, schemas: Collection[str] | None = None) -> Snapshot:  # noqa: ARG002 - there is no database
        self.snapshot = Snapshot(self.compile([Source("live", _LIVE)]).catalog, database="shop")
        return self.snapshot


def _drive(scenario: Callable[[Driver], Awaitable[None]]) -> None:
    app = WesleyApp(Offline(Target("dbname=shop")), [("schema.graphql", _WANTED)], debounce=0)

    async def session() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            driver = Driver(app, FakeWorkbench(), pilot)
            await driver.settle()
            await scenario(driver)

    asyncio.run(session())


def _questions(driver: Driver) -> list[str]:
    rows = driver.main.tree_view.rows
    return [f"{row.question.kind} {row.question.old}" for row in rows if row.question is not None]


def _key_line(driver: Driver) -> list[str]:
    return [hint.label for hint in driver.main.query_one(KeyBar).hints]


def _operations(driver: Driver) -> set[str]:
    assert driver.main.plan is not None
    return {step.op for step in driver.main.plan.steps}


def test_yes_is_written_into_the_schema_and_can_be_undone() -> None:
    async def scenario(driver: Driver) -> None:
        assert _questions(driver) == ["column mail", "table public.bill"]
        assert {"create_table", "add_column"} <= _operations(driver)
        await driver.press("f3", "home")
        assert "It is a rename" in driver.main.details.content.plain
        await driver.press("a")
        assert '  email: String! @renamed(from: "mail") @unique\n' in driver.main.editor.text
        assert _questions(driver) == ["table public.bill"]
        assert "rename_column" in _operations(driver)
        assert "add_column" not in _operations(driver)
        await driver.press("home", "a")
        assert 'type Invoice @renamed(from: "bill") @table' in driver.main.editor.text
        assert _questions(driver) == []
        assert "create_table" not in _operations(driver)
        await driver.press("f2", "ctrl+z", "ctrl+z")
        assert driver.main.editor.text == _WANTED
        assert _questions(driver) == ["column mail", "table public.bill"]

    _drive(scenario)


def test_no_leaves_text_and_plan_and_is_not_asked_again() -> None:
    async def scenario(driver: Driver) -> None:
        plan = driver.main.plan
        await driver.press("f3", "home", "n")
        assert driver.main.plan is plan
        assert driver.main.editor.text == _WANTED
        assert _questions(driver) == ["table public.bill"]
        await driver.press("f2", "ctrl+end", "enter")
        assert driver.main.plan is not plan
        assert _questions(driver) == ["table public.bill"]

    _drive(scenario)


def test_the_keys_of_answers_are_offered_on_a_question_only() -> None:
    async def scenario(driver: Driver) -> None:
        await driver.press("f3", "home")
        assert driver.main.situation().question_selected
        assert "Two things" in _key_line(driver)
        assert "Source" not in _key_line(driver)
        await driver.press("down", "down")
        assert not driver.main.situation().question_selected
        assert "Two things" not in _key_line(driver)
        assert "Source" in _key_line(driver)
        before = driver.main.editor.text
        await driver.press("a", "n")
        assert driver.main.editor.text == before
        assert len(_questions(driver)) == 2

    _drive(scenario)
