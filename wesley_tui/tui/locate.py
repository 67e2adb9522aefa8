"""From a step back to the line of the schema that asked for it."""

from __future__ import annotations

from collections.abc import Mapping

from wesley_tui.planner.plan import Step

__all__ = ["location_of"]


def location_of(step: Step, locations: Mapping[str, tuple[str, int, int]]) -> tuple[str, int, int] | None:
    """Source, line and column (from 1) of what the step is about.

    ``locations`` is keyed by kind and name (``column public.users.email``). The longest name that the object starts
    with wins: an index on a table that has no line of its own leads to the table.
    """
    by_name: dict[str, str] = {}
    for key in locations:
        by_name.setdefault(key.partition(" ")[2], key)
    candidates = [step.object, *step.locks]
    for candidate in candidates:
        parts = candidate.split(".")
        for length in range(len(parts), 1, -1):
            name = ".".join(parts[:length])
            if name in by_name:
                return locations[by_name[name]]
    return None
