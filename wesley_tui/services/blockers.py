"""Who is in the way of a plan that was made before, and when its database is quiet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wesley_tui.planner.explain.whole import obstacle_sentences
from wesley_tui.planner.quiet import quiet_hours
from wesley_tui.services.errors import CannotConnect, CannotRead, InputError
from wesley_tui.services.observing import NOTHING_SEEN, Observed, observe, outlook_of

if TYPE_CHECKING:
    from wesley_tui.planner.outlook import Outlook, Quiet
    from wesley_tui.planner.plan import Plan
    from wesley_tui.services.target import Target

__all__ = ["blockers_of_plan", "blockers_text", "look_now", "outlook_now", "quiet_window", "record_load"]


def blockers_of_plan(target: Target, plan: Plan) -> Outlook:
    """One look at the server, one round trip; ``CannotRead`` when it does not answer."""
    return outlook_of(plan, asyncio.run(_observe(target)))


def outlook_now(target: Target, plan: Plan) -> Outlook:
    """The same, as far as it can be told: a plan can be explained without its server."""
    return outlook_of(plan, look_now(target) or NOTHING_SEEN)


def blockers_text(outlook: Outlook) -> str:
    """One paragraph per session or slot, for people."""
    if outlook.activity is None:
        return "unknown: the server did not answer in time; try again"
    lines = [f"In the way at {outlook.activity.at:%H:%M:%S %Z}:".replace(" :", ":")]
    return "\n".join([*lines, *(f"- {text}" for text in obstacle_sentences(outlook.activity, outlook.obstacles))])


def look_now(target: Target) -> Observed | None:
    """What the server is doing; None when it cannot be asked."""
    try:
        return asyncio.run(_observe(target))
    except (CannotConnect, CannotRead):
        return None


def quiet_window(target: Target, hours: float) -> Quiet:
    """The quietest ``hours`` of the day; ``CannotRead`` when the server does not answer."""
    return quiet_hours(asyncio.run(_observe(target)).load, hours * 3_600_000)


def record_load(target: Target) -> bool:
    """Leave a sample, unless this minute has one. Raises ``InputError`` where Wesley has not been installed yet."""

    async def record() -> bool:
        import psycopg

        connection = await target.connect()
        try:
            cursor = await connection.execute("SELECT wesley.sample_load()")
            row = await cursor.fetchone()
            return bool(row is not None and row[0])
        except psycopg.Error as error:
            raise InputError(
                f"no sample could be left on {target.label}: {str(error).splitlines()[0]}. The schema wesley is "
                "installed by the first run (wesley apply); the role needs INSERT and DELETE on wesley.load_samples"
            ) from error
        finally:
            await connection.close()

    return asyncio.run(record())


async def _observe(target: Target) -> Observed:
    connection = await target.connect()
    try:
        seen = await observe(connection)
    finally:
        await connection.close()
    if seen is NOTHING_SEEN:
        raise CannotRead(f"{target.label} did not say in time what it is doing; nothing was changed, try again")
    return seen
