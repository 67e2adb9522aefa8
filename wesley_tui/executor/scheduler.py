"""Which step may start now: a pure rolling frontier over one phase of a plan.

A phase ends with a barrier: PLAN, then EXPAND with BACKFILL and VALIDATE, then CONTRACT. Within a phase a step waits
for the steps it names in ``depends_on`` and, for every relation it touches, for the step before it that touches the
same relation. So no two running steps work on one relation, the order of the plan is kept where it can matter, and
since every edge points from a lower ordinal to a higher one, there is no cycle and hence no deadlock among ourselves.

A step may be *held*: somebody wants it left out. Then all that comes after it by those same edges stays undone too.
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
        self._away: set[str] = set()
        """Handed out and neither finished nor given back."""
        self._held: set[str] = set()
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
        """Whether nothing is left but what is held and what comes after that."""
        return not self._open or self._open <= self.stuck()

    @property
    def ready(self) -> bool:
        return any(step.step_sha not in self._held for _, step in self._ready)

    def peek(self, allowed: Callable[[Step], bool] = lambda _: True) -> Step | None:
        """The ready step with the lowest ordinal among those that are ``allowed`` now."""
        if self._ready and self._may(self._ready[0][1], allowed):
            return self._ready[0][1]
        return next((step for _, step in sorted(self._ready) if self._may(step, allowed)), None)

    def _may(self, step: Step, allowed: Callable[[Step], bool]) -> bool:
        return step.step_sha not in self._held and allowed(step)

    def take(self, step: Step | None = None) -> Step:
        """Hand out a ready step, the one with the lowest ordinal by default; it counts as running until
        :meth:`finish` or :meth:`give_back`."""
        step = step or self.peek()
        assert step is not None, "nothing is ready"
        if step is self._ready[0][1]:
            heapq.heappop(self._ready)
        else:
            self._ready.remove((step.ordinal, step))
            heapq.heapify(self._ready)
        self._away.add(step.step_sha)
        return step

    def take_more(self, first: Step, limit: int, fits: Callable[[Step], bool]) -> list[Step]:
        """Hand out up to ``limit`` steps to be run one after the other behind ``first``, which was taken: each is
        ready, or will be when those before it have succeeded. Ends at the first that does not fit."""
        chain: list[Step] = []
        waits: dict[str, int] = {}
        behind: list[tuple[int, Step]] = []
        last = first
        while True:
            for waiting in self._releases.get(last.step_sha, ()):
                left = waits[waiting.step_sha] = waits.get(waiting.step_sha, self._waits[waiting.step_sha]) - 1
                if left == 0:
                    heapq.heappush(behind, (waiting.ordinal, waiting))
            if len(chain) >= limit:
                return chain
            source = min((heap for heap in (self._ready, behind) if heap), key=lambda heap: heap[0][0], default=None)
            if source is None or not self._may(source[0][1], fits):
                return chain
            last = heapq.heappop(source)[1]
            self._away.add(last.step_sha)
            chain.append(last)

    def give_back(self, step: Step) -> None:
        """``step`` was handed out and not run: it is to be run later."""
        self._away.discard(step.step_sha)
        if self._waits[step.step_sha] == 0:
            heapq.heappush(self._ready, (step.ordinal, step))

    def finish(self, step: Step) -> None:
        """``step`` has succeeded: what waited for it may become ready."""
        self._open.discard(step.step_sha)
        self._away.discard(step.step_sha)
        for waiting in self._releases.pop(step.step_sha, ()):
            self._waits[waiting.step_sha] -= 1
            if self._waits[waiting.step_sha] == 0 and waiting.step_sha not in self._away:
                heapq.heappush(self._ready, (waiting.ordinal, waiting))

    def hold(self, step_sha: str) -> bool:
        """Hand out this step no more; False when it is not one of those that are left."""
        if step_sha in self._open:
            self._held.add(step_sha)
        return step_sha in self._held

    def let_go(self, step_sha: str) -> None:
        """The opposite of :meth:`hold`."""
        self._held.discard(step_sha)

    def stuck(self) -> set[str]:
        """``step_sha`` of the steps that are held, and of all that come after them."""
        found: set[str] = set()
        left = [sha for sha in self._held if sha in self._open]
        while left:
            sha = left.pop()
            if sha not in found:
                found.add(sha)
                left += [step.step_sha for step in self._releases.get(sha, ())]
        return found
