"""What others have changed between the waves that add and the one that takes away.

A run that ends with CONTRACT pending keeps what the catalog held then, object by object, in the event that ends it.
Days later somebody asks for CONTRACT: by then the columns that were to replace the old ones may be gone, and taking the
old ones away would lose what only they hold. So the catalog is read again and compared first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from wesley_tui.executor.control import Control
from wesley_tui.executor.events import EventType
from wesley_tui.executor.options import Digests, RunOptions
from wesley_tui.executor.phase import Failure
from wesley_tui.planner.plan import Plan, Step, StepKind

__all__ = ["changed_since", "differences", "kept_for_later", "named", "untouched"]

_MOST_NAMED = 10


async def kept_for_later(control: Control, options: RunOptions, plan: Plan) -> tuple[dict[str, Any], str]:
    """What the catalog holds as CONTRACT becomes pending: metrics of the event that says so, and its message when the
    catalog cannot be read. A resume that had nothing to do keeps nothing anew: it would hide what has changed since."""
    if options.digests is None or await control.catalog_left() is not None:
        return {}, ""
    try:
        return {"digests": await asyncio.to_thread(options.digests, plan)}, ""
    except Exception as error:  # the reading is the caller's: whatever it raises, the run is done
        return {}, f"CONTRACT will have its prechecks alone to go by, what the database holds now is not kept: {error}"


async def changed_since(
    control: Control, options: RunOptions, plan: Plan, contract: Collection[Step], done: Collection[str]
) -> list[Failure]:
    """Compare the catalog with what the run has left, and say in an event what others have changed. Empty when nothing
    was, when nothing was kept, and once CONTRACT has changed the catalog itself."""
    left = await control.catalog_left() if options.digests is not None else None
    if options.digests is None or left is None or not untouched(contract, done, left[1]):
        return []
    try:
        found = differences(left[0], await asyncio.to_thread(options.digests, plan))
    except Exception as error:  # the reading is the caller's: whatever it raises, CONTRACT does not begin unseen
        message = f"what others have changed since CONTRACT became pending could not be told: {error}"
        return [Failure(None, f"{message}. No step of CONTRACT was run; try again with: wesley resume --contract")]
    if not found:
        return []
    message = f"the database was changed by others since CONTRACT became pending: {named(found)}"
    await control.event(EventType.DRIFT_DETECTED, message, metrics={"changed": found})
    advice = "No step of CONTRACT was run; see what is to be done now with: wesley plan SCHEMA, and apply that anew"
    return [Failure(None, f"{message}. {advice}", "WE007")]


def differences(before: Digests, now: Digests) -> list[str]:
    """What is gone, new or changed, sorted by object: ``column w of table public.a is gone``. A table whose parts are
    known is named by those that differ."""
    return [text for name in sorted({*before, *now}) for text in _of_object(name, before.get(name), now.get(name))]


def _of_object(name: str, before: Mapping[str, str] | None, now: Mapping[str, str] | None) -> Iterator[str]:
    if before == now:
        return
    if before is None or now is None:
        yield f"{name} is {'new' if before is None else 'gone'}"
        return
    parts = [part for part in sorted({*before, *now}) if part and before.get(part) != now.get(part)]
    for part in parts:
        if part.startswith("its "):
            yield f"{name} was changed in {part}"
        else:
            became = "is gone" if part not in now else "is new" if part not in before else "was changed"
            yield f"{part} of {name} {became}"
    if not parts:
        yield f"{name} was changed"


def named(found: Sequence[str]) -> str:
    """The differences in one line; the first ten of many."""
    more = len(found) - _MOST_NAMED
    return "; ".join(found[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")


def untouched(contract: Collection[Step], done: Collection[str], begun: Collection[str]) -> bool:
    """Whether CONTRACT has left nothing in the catalog yet: none of its steps is ``done``, and of those that were
    ``begun`` each was rolled back."""
    return not any(
        step.step_sha in done or (step.step_sha in begun and step.kind is not StepKind.TRANSACTIONAL)
        for step in contract
    )
