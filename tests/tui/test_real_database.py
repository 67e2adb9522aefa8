"""The whole way on a real PostgreSQL: type a schema, read the plan, confirm, watch it run, see the empty plan."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
from textual.events import Key

from wesley_tui.executor.events import RunStatus
from wesley_tui.services.target import Target
from wesley_tui.services.workbench import Workbench
from wesley_tui.tui.app import WesleyApp
from wesley_tui.tui.screens.main import MainScreen
from wesley_tui.tui.screens.review import ReviewScreen
from wesley_tui.tui.screens.summary import SummaryScreen

SCHEMA = """type Person @table {
  id: ID! @pk
  email: String! @unique
  born: Date
}

type Letter @table {
  id: ID! @pk
  author_id: ID! @fk(ref: "Person.id")
  body: String!
}
"""


def test_a_typed_schema_becomes_tables(database: str, tmp_path: Path) -> None:
    app = WesleyApp(Workbench(Target(database)), [(str(tmp_path / "schema.graphql"), "")], debounce=0)

    async def session() -> None:
        async with app.run_test(size=(120, 40)) as pilot:
            main = app.screen
            assert isinstance(main, MainScreen)

            async def settle() -> None:
                quiet = 0
                while quiet < 4:
                    await app.workers.wait_for_complete()
                    await pilot.pause()
                    quiet = 0 if main.replanner.busy or main.reading else quiet + 1

            async def press(*keys: str) -> None:
                for key in keys:
                    app.post_message(Key(key, key if len(key) == 1 else None))
                    await pilot.pause(0)
                await settle()

            await settle()
            assert main.plan is not None
            assert not any(main.plan.steps)
            main.editor.load_text(SCHEMA)
            await settle()
            assert main.problems == ()
            assert any(main.plan.steps)
            await press("ctrl+s")
            await press("ctrl+r")
            assert isinstance(app.screen, ReviewScreen)
            await press("ctrl+end")
            await press(*"apply", "enter")
            assert main.feed is not None
            assert await asyncio.to_thread(main.feed.wait, 60)
            main.feed.poll()
            await settle()
            assert main.feed.state.status is RunStatus.COMPLETE, main.feed.outcome
            assert isinstance(app.screen, SummaryScreen)
            await press("escape")
            assert not any(main.plan.steps)

    asyncio.run(session())
    assert (tmp_path / "schema.graphql").read_text() == SCHEMA
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE tablename IN ('person', 'letter')").fetchone()
    assert row == (2,)
