"""How long a plan takes as the executor would schedule it: its own frontier, played with estimates instead of psql."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING

from wesley_tui.executor.locks import relations_of
from wesley_tui.executor.scheduler import Frontier, phases_of
from wesley_tui.planner.outlook import Forecast, Wanted
from wesley_tui.planner.plan import LockMode, StepKind

if TYPE_CHECKING:
    from wesley_tui.planner.plan import Plan, Step

__all__ = ["LONG_MS", "WORKERS", "forecast", "makespan"]

WORKERS = 4
"""psql children at most."""
LONG_MS = 100.0
"""A worker that has been busy for longer is worth another psql for the next short step."""


def forecast(plan: Plan, workers: int = WORKERS) -> Forecast:
    """Of all steps, CONTRACT included."""
    steps = list(plan.steps)
    phases = [[step for _, step in phase] for phase in phases_of(plan, contract=True)]
    chain = _longest_chain(phases)
    return Forecast(
        sequential_ms=round(sum(step.estimate_ms for step in steps), 1),
        waves_ms=makespan([list(wave.steps) for wave in plan.waves], workers),
        rolling_ms=makespan(phases, workers),
        workers=workers,
        chain=tuple(step.ordinal for step in chain),
        chain_ms=round(sum(step.estimate_ms for step in chain), 1),
        wanted=_most_wanted(steps),
    )


def makespan(phases: Sequence[Sequence[Step]], workers: int) -> float:
    """Milliseconds from the first step to the end of the last, with a barrier after each phase."""
    now = 0.0
    done: set[str] = set()
    crew = 1
    for steps in phases:
        frontier = Frontier(steps, done)
        running: list[tuple[float, int, float, Step]] = []
        while not frontier.finished:
            step = frontier.peek() if frontier.ready else None
            begun = [start for _, _, start, _ in running]
            if step is not None and (len(running) < crew or _another(step, begun, now, crew, workers)):
                crew = max(crew, len(running) + 1)
                heapq.heappush(running, (now + step.estimate_ms, step.ordinal, now, frontier.take(step)))
                continue
            ends = running[0][0]
            long = max(begun) + LONG_MS
            if step is not None and crew < workers and now < long < ends:
                now = long
                continue
            now, _, _, ended = heapq.heappop(running)
            frontier.finish(ended)
        done |= {step.step_sha for step in steps}
    return round(now, 1)


def _another(step: Step, begun: Sequence[float], now: float, crew: int, workers: int) -> bool:
    """Whether the executor would start one more psql for this step."""
    if crew >= workers:
        return False
    return step.kind is not StepKind.TRANSACTIONAL or all(now - start >= LONG_MS for start in begun)


def _longest_chain(phases: Sequence[Sequence[Step]]) -> list[Step]:
    """The steps of the longest path through dependencies, shared relations and barriers."""
    ends: dict[str, float] = {}
    before: dict[str, Step | None] = {}
    by_sha: dict[str, Step] = {}
    last: Step | None = None
    for steps in phases:
        last_on: dict[str, Step] = {}
        barrier = last
        for step in sorted(steps, key=lambda step: step.ordinal):
            causes = [by_sha[sha] for sha in step.depends_on if sha in by_sha]
            for relation in relations_of(step):
                if relation in last_on:
                    causes.append(last_on[relation])
                last_on[relation] = step
            if barrier is not None:
                causes.append(barrier)
            cause = max(causes, key=lambda item: ends[item.step_sha], default=None)
            ends[step.step_sha] = step.estimate_ms + (ends[cause.step_sha] if cause is not None else 0.0)
            before[step.step_sha], by_sha[step.step_sha] = cause, step
            if last is None or ends[step.step_sha] > ends[last.step_sha]:
                last = step
    chain: list[Step] = []
    while last is not None:
        chain.append(last)
        last = before[last.step_sha]
    return chain[::-1]


def _most_wanted(steps: Sequence[Step]) -> tuple[Wanted, ...]:
    number: dict[str, int] = {}
    time: dict[str, float] = {}
    for step in steps:
        for table, mode in step.locks.items():
            if mode >= LockMode.RowExclusiveLock:
                number[table] = number.get(table, 0) + 1
                time[table] = time.get(table, 0.0) + step.estimate_ms
    order = sorted(number, key=lambda table: (-time[table], -number[table], table))
    return tuple(Wanted(table, number[table], round(time[table], 1)) for table in order[:5] if number[table] > 1)
