"""Order: which operation goes in which wave, after which other, and on which it truly depends.

An operation moves to a later wave when what it needs is only there by then (a foreign key to a primary key that first
needs NOT NULL proven). Within a wave, the phases give the order, unless a need says otherwise.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from dataclasses import replace

from wesley_tui.planner.operations import Operation, Phase
from wesley_tui.planner.plan import WAVE_NAMES, StepCheck

__all__ = ["arranged", "needed_by"]

_RANK = {name: rank for rank, name in enumerate(WAVE_NAMES)}


def arranged(operations: Sequence[Operation]) -> list[Operation]:
    """The operations in their waves and in an order that satisfies every need. The same operations always come out in
    the same order.

    Where operations wait for each other in a circle, the one that comes first by wave, phase and position goes first:
    what is known about dependencies is sometimes more than what PostgreSQL insists on. A circle of names that are
    exchanged cannot be cut like that: the plan says so in a step that refuses, before anything is done.
    """
    needs, refused, apart = _without_circles(operations)
    while apart:
        # Where something is taken down and put up at once, and that is what closes a circle, it is done in two steps.
        operations = [
            part
            for position, operation in enumerate(operations)
            for part in (operation.apart if position in apart else (operation,))
        ]
        needs, refused, apart = _without_circles(operations)
    if refused is not None:
        operations = (*operations, refused)
        needs.append(set())
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
    # The heap yields a lower wave only before a higher one was begun, because waves were promoted along the needs.
    return [replace(operations[i], wave=WAVE_NAMES[ranks[i]]) for i in order]


def _without_circles(operations: Sequence[Operation]) -> tuple[list[set[int]], Operation | None, set[int]]:
    """What each waits for, without circles; the refusal of one that must not be cut; or operations that have to be
    taken apart before anything can be said."""
    needs = needed_by(operations)
    _cut_circles(operations, needs)
    refused, apart = _cut_the_rest(operations, needs)
    return needs, refused, apart


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


def _cut_the_rest(operations: Sequence[Operation], needs: list[set[int]]) -> tuple[Operation | None, set[int]]:
    """Give up needs until no circle is left; the answer is the refusal of a circle that must not be cut, or, of the
    first circle where that is possible, the operations that can be taken apart."""
    dependents: list[list[int]] = [[] for _ in operations]
    for position, providers in enumerate(needs):
        for provider in providers:
            dependents[provider].append(position)
    missing = [len(providers) for providers in needs]
    ready = [position for position, count in enumerate(missing) if not count]
    waiting = set(range(len(operations)))
    refused: Operation | None = None
    while True:
        while ready:
            position = ready.pop()
            waiting.discard(position)
            for dependent in dependents[position]:
                missing[dependent] -= 1
                if not missing[dependent]:
                    ready.append(dependent)
        if not waiting:
            return refused, set()
        circle = _first_circle(waiting, needs)
        if apart := {position for position in circle if operations[position].apart}:
            return None, apart
        free = [
            position for position in circle if not _waits_for_a_name(position, operations, needs[position] & circle)
        ]
        first = min(
            free or circle,
            key=lambda position: (_RANK[operations[position].wave], operations[position].phase, position),
        )
        if not free:
            refused = _refusal(sorted({operations[position].object for position in circle}))
        needs[first] -= waiting
        missing[first] = 0
        ready.append(first)


def _first_circle(waiting: Collection[int], needs: Sequence[set[int]]) -> set[int]:
    """Those that wait for each other, and for nobody else: a strongly connected component from which no need leads out
    (Tarjan's algorithm ends with such a one first), without recursion."""
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    path: list[int] = []
    on_path: set[int] = set()
    start = min(waiting)
    stack = [(start, iter(sorted(needs[start] & set(waiting))))]
    number[start] = low[start] = 0
    path.append(start)
    on_path.add(start)
    while True:
        position, rest = stack[-1]
        following = next(rest, None)
        if following is None:
            if low[position] == number[position]:
                return set(path[path.index(position) :])
            stack.pop()
            low[stack[-1][0]] = min(low[stack[-1][0]], low[position])
        elif following not in number:
            number[following] = low[following] = len(number)
            path.append(following)
            on_path.add(following)
            stack.append((following, iter(sorted(needs[following] & set(waiting)))))
        elif following in on_path:
            low[position] = min(low[position], number[following])


def _waits_for_a_name(position: int, operations: Sequence[Operation], providers: Collection[int]) -> bool:
    names = {need for need in operations[position].needs if need.startswith(("name ", "routine "))}
    return any(not names.isdisjoint(operations[provider].provides) for provider in providers)


def _refusal(objects: Sequence[str]) -> Operation:
    why = (
        f"{', '.join(objects)} wait for each other: each takes a name that another one leaves only after it. Nothing "
        "was changed; make the change in two plans, the first with names that are free"
    )
    return Operation(
        op="refuse",
        object=objects[0],
        wave="PLAN",
        phase=Phase.SCHEMA,
        prechecks=(StepCheck(why, "SELECT false"),),
        danger=why,
    )


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
