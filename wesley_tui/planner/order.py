"""Order: which operation goes in which wave, after which other, and on which it truly depends.

An operation moves to a later wave when what it needs is only there by then (a foreign key to a primary key that first
needs NOT NULL proven). Within a wave, the phases give the order, unless a need says otherwise.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import replace

from wesley_tui.planner.operations import Operation
from wesley_tui.planner.plan import WAVE_NAMES

__all__ = ["arranged", "needed_by"]

_RANK = {name: rank for rank, name in enumerate(WAVE_NAMES)}


def arranged(operations: Sequence[Operation]) -> list[Operation]:
    """The operations in their waves and in an order that satisfies every need. The same operations always come out in
    the same order.

    Raises ``ValueError`` when needs form a circle: that is a defect of a form, not of a schema.
    """
    needs = needed_by(operations)
    _cut_circles(operations, needs)
    dependents: list[list[int]] = [[] for _ in operations]
    for position, providers in enumerate(needs):
        for provider in providers:
            dependents[provider].append(position)
    ranks = _promoted([_RANK[item.wave] for item in operations], needs, dependents)

    missing = [len(providers) for providers in needs]
    ready = [(ranks[i], operations[i].phase, i) for i in range(len(operations)) if not missing[i]]
    heapq.heapify(ready)
    order: list[int] = []
    while ready:
        _, _, position = heapq.heappop(ready)
        order.append(position)
        for dependent in dependents[position]:
            missing[dependent] -= 1
            if not missing[dependent]:
                heapq.heappush(ready, (ranks[dependent], operations[dependent].phase, dependent))
    if len(order) != len(operations):
        stuck = sorted(item.object for item, count in zip(operations, missing, strict=True) if count)
        raise ValueError(f"operations wait for each other: {', '.join(stuck)}")
    # The heap yields a lower wave only before a higher one was begun, because waves were promoted along the needs.
    return [replace(operations[i], wave=WAVE_NAMES[ranks[i]]) for i in order]


def _cut_circles(operations: Sequence[Operation], needs: list[set[int]]) -> None:
    """Let lenient operations go first where they wait for themselves: everything that can be done without them is
    taken away, and what is left of their needs is given up."""
    lenient = {position for position, item in enumerate(operations) if item.lenient and needs[position]}
    if not lenient:
        return
    dependents: list[list[int]] = [[] for _ in operations]
    missing = [len(providers) for providers in needs]
    for position, providers in enumerate(needs):
        for provider in providers:
            dependents[provider].append(position)
    ready = [position for position, count in enumerate(missing) if not count]
    done: set[int] = set()
    waiting = sorted(lenient)
    while True:
        while ready:
            position = ready.pop()
            done.add(position)
            for dependent in dependents[position]:
                missing[dependent] -= 1
                if not missing[dependent]:
                    ready.append(dependent)
        waiting = [position for position in waiting if position not in done]
        if not waiting:
            return
        for position in waiting:
            missing[position] = -1
            needs[position] &= done
        ready = list(waiting)


def needed_by(operations: Sequence[Operation]) -> list[set[int]]:
    """For every operation, the positions of those that provide what it needs."""
    providers: dict[str, list[int]] = {}
    for position, operation in enumerate(operations):
        for resource in operation.provides:
            providers.setdefault(resource, []).append(position)
    return [
        {provider for resource in operation.needs for provider in providers.get(resource, ())} - {position}
        for position, operation in enumerate(operations)
    ]


def _promoted(ranks: list[int], needs: Sequence[set[int]], dependents: Sequence[Sequence[int]]) -> list[int]:
    pending = list(range(len(ranks)))
    while pending:
        position = pending.pop()
        wanted = max((ranks[provider] for provider in needs[position]), default=0)
        if wanted > ranks[position]:
            ranks[position] = wanted
            pending.extend(dependents[position])
    return ranks
