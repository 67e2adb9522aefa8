"""Which step may start now: a pure rolling frontier over one phase of a plan.

A phase ends with a barrier: PLAN, then EXPAND with BACKFILL and VALIDATE, then CONTRACT. Within a phase a step waits
for the steps it names in ``depends_on`` and, for every relation it touches, for the step before it that touches the
same relation. So no two running steps work on one relation, the order of the plan is kept where it can matter, and
since every edge points from a lower ordinal to a higher one, there is no cycle and hence no deadlock among ourselves.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Sequence

from wesley_tui.executor.errors import PlanMismatch
from wesley_tui.executor.locks import relations_of
from wesley_tui.planner.plan import Plan, Step, WaveName

__all__ = ["PHASES", "Frontier", "phases_of"]

PHASES: tuple[tuple[WaveName, ...], ...] = (("PLAN",), ("EXPAND", "BACKFILL", "VALIDATE"), ("CONTRACT",))


def phases_of(plan: Plan, *, contract: bool) -> list[list[tuple[WaveName, Step]]]:
    """The steps that would run, phase by phase, each with its wave."""
    phases = []
    for names in PHASES:
        if names == ("CONTRACT",) and not contract:
            continue
        steps = [(wave.name, step) for wave in plan.waves if wave.name in names for step in wave.steps]
        if steps:
            phases.append(steps)
    return phases


class Frontier:
    """Hands out steps as what they wait for is done."""

    def __init__(self, steps: Sequence[Step], done: Collection[str]) -> None:
        """``done``: ``step_sha`` of steps that have succeeded, in this phase or before it. Raises
        :class:`PlanMismatch` when a step waits for one that is neither done nor earlier in this phase."""
        self._waits: dict[str, int] = {}
        self._releases: dict[str, list[Step]] = {}
        self._ready: list[tuple[int, Step]] = []
        self._open: set[str] = set()
        last_on: dict[str, str] = {}
        for step in sorted(steps, key=lambda step: step.ordinal):
            if step.step_sha in done:
                continue
            causes = {sha for sha in step.depends_on if sha not in done}
            unknown = causes - self._open
            if unknown:
                raise PlanMismatch(
                    f"step {step.ordinal} ({step.op} {step.object}) depends on step {min(unknown)[:16]}, which is not "
                    "before it. Nothing was changed; make the plan again"
                )
            for relation in relations_of(step):
                if relation in last_on:
                    causes.add(last_on[relation])
                last_on[relation] = step.step_sha
            self._open.add(step.step_sha)
            self._waits[step.step_sha] = len(causes)
            for cause in causes:
                self._releases.setdefault(cause, []).append(step)
            if not causes:
                heapq.heappush(self._ready, (step.ordinal, step))

    @property
    def finished(self) -> bool:
        return not self._open

    @property
    def ready(self) -> bool:
        return bool(self._ready)

    def peek(self, allowed: Callable[[Step], bool] = lambda _: True) -> Step | None:
        """The ready step with the lowest ordinal among those that are ``allowed`` now."""
        if self._ready and allowed(self._ready[0][1]):
            return self._ready[0][1]
        return next((step for _, step in sorted(self._ready) if allowed(step)), None)

    def take(self, step: Step | None = None) -> Step:
        """Hand out a ready step, the one with the lowest ordinal by default; it counts as running until
        :meth:`finish`."""
        if step is None or step is self._ready[0][1]:
            return heapq.heappop(self._ready)[1]
        self._ready.remove((step.ordinal, step))
        heapq.heapify(self._ready)
        return step

    def finish(self, step: Step) -> None:
        """``step`` has succeeded (or was skipped): what waited for it may become ready."""
        self._open.discard(step.step_sha)
        for waiting in self._releases.pop(step.step_sha, ()):
            self._waits[waiting.step_sha] -= 1
            if self._waits[waiting.step_sha] == 0:
                heapq.heappush(self._ready, (waiting.ordinal, waiting))
