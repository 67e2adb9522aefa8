"""One phase of a plan under way: its frontier, the steps that fly, and what became of them.

A *flight* is what a worker was given: one step, or several short ones in one call (see
:meth:`~wesley_tui.executor.steps.StepRunner.run_together`). How many that may be is learned from the flights before, so
that a pause or an abort is never far away.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from wesley_tui.executor.control import Control
from wesley_tui.executor.crew import LONG_S, Crew
from wesley_tui.executor.decisions import Decisions, Skipped
from wesley_tui.executor.errors import ConnectionLost, StatementFailed
from wesley_tui.executor.events import EventType
from wesley_tui.executor.gate import Gate, Stopped
from wesley_tui.executor.scheduler import Frontier
from wesley_tui.executor.steering import Steering
from wesley_tui.executor.steps import StepRunner
from wesley_tui.executor.worker import Worker
from wesley_tui.planner.plan import Step, StepKind, WaveName

__all__ = ["Failure", "Phase", "Surroundings"]

_MOST_TOGETHER = 256
_FLIGHT_S = 0.1
"""Several steps are given together when they took no longer than this, all in all, going by the last ones."""


@dataclass(slots=True)
class Failure:
    step: Step | None
    message: str
    sqlstate: str = ""


@dataclass(slots=True)
class Surroundings:
    """What the phases of a run share."""

    control: Control
    runner: StepRunner
    crew: Crew
    steering: Steering
    gate: Gate
    decisions: Decisions
    changed: asyncio.Event
    """Set when there may be something to start or to end."""
    done: set[str]
    failures: list[Failure]
    stopping: Callable[[], bool]
    cancelling: Callable[[], bool]
    """Whether what runs is to be cancelled."""
    insistent: Callable[[], bool]


@dataclass(slots=True)
class _Flight:
    worker: Worker
    steps: list[Step]
    """Those that have not landed yet."""


class Phase:
    def __init__(self, around: Surroundings, steps: list[tuple[WaveName, Step]]) -> None:
        self._around = around
        self._steps = {step.step_sha: step for _, step in steps}
        self._waves = {step.step_sha: wave for wave, step in steps}
        self._left: dict[str, int] = {}
        for wave, step in steps:
            self._left[wave] = self._left.get(wave, 0) + (step.step_sha not in around.done)
        self._begun: set[str] = set()
        self._frontier = Frontier([step for _, step in steps], around.done)
        self._flights: dict[asyncio.Task[None], _Flight] = {}
        self._landed: list[Step] = []
        self._told_skipped: set[str] = set()

    async def run(self) -> bool:
        """Run all that can be run; whether every step has succeeded."""
        around = self._around
        around.changed.clear()
        while True:
            await self._obey_decisions()
            if self._frontier.finished and not self._flights:
                break
            await self._start_what_may()
            if not self._flights:
                if around.stopping():
                    return False
                if self._frontier.ready and await self._may_pass():
                    await self._until_something_may_start()
                continue
            await self._next_end()
            await self._book_landed()
        await self._tell_stuck()
        return not self._frontier.stuck()

    async def ground(self) -> None:
        """End the flights that nobody waits for any more, when the run ends before its phase does."""
        for task in self._flights:
            task.cancel()
        await asyncio.gather(*self._flights, return_exceptions=True)

    async def _start_what_may(self) -> None:
        around = self._around
        while self._frontier.ready and around.gate.is_open and await self._may_pass():
            ready = self._frontier.peek(around.steering.may_start)
            if ready is None:
                return
            busy = [flight.worker for flight in self._flights.values()]
            worker = around.crew.idle(ready, busy, around.steering.knobs.workers)
            if worker is None:
                return
            first = worker.step = self._frontier.take(ready)
            worker.given_at = time.monotonic()
            flight = _Flight(worker, [first, *self._more_behind(worker, first)])
            for step in flight.steps:
                wave = self._waves[step.step_sha]
                if wave not in self._begun:
                    self._begun.add(wave)
                    await around.control.event(EventType.WAVE_START, wave=wave, metrics={"steps": self._left[wave]})
            task = asyncio.create_task(self._fly(flight))
            task.add_done_callback(lambda _: around.changed.set())
            self._flights[task] = flight

    def _more_behind(self, worker: Worker, first: Step) -> list[Step]:
        """Steps to give away together with ``first``, where the last ones were short."""

        def fits(step: Step) -> bool:
            return (
                step.kind is StepKind.TRANSACTIONAL
                and step.statement_timeout_ms == first.statement_timeout_ms
                and not (step.rewrites or step.scans)
                and self._around.steering.may_start(step)
            )

        if worker.together <= 1 or not fits(first):
            return []
        return self._frontier.take_more(first, worker.together - 1, fits)

    async def _fly(self, flight: _Flight) -> None:
        """Run the steps of a flight. When one of several fails, those behind it were not run: they are given back, and
        that one goes on alone. So are all that the time of the call was not enough for."""
        worker, several, given_back = flight.worker, len(flight.steps), 0
        begun = time.monotonic()
        trouble: StatementFailed | ConnectionLost | None = None
        if several > 1:
            trouble = await self._around.runner.run_together(worker, tuple(flight.steps), lambda _: self._land(flight))
            kept = 0 if trouble is None else 1
            for step in flight.steps[kept:]:
                self._frontier.give_back(step)
            given_back = len(flight.steps) - kept
            del flight.steps[kept:]
        if flight.steps:
            worker.step = flight.steps[0]
            await self._around.runner.run(worker, flight.steps[0], trouble)
            self._land(flight)
        each = (time.monotonic() - begun) / several
        whole = trouble is None and not given_back
        worker.together = max(1, min(_MOST_TOGETHER, 4 * several, int(_FLIGHT_S / each))) if whole else 1

    def _land(self, flight: _Flight) -> None:
        """The first step of a flight has succeeded."""
        self._landed.append(flight.steps.pop(0))
        if flight.steps:
            flight.worker.step = flight.steps[0]
        self._around.changed.set()

    async def _book_landed(self) -> None:
        while self._landed:
            step = self._landed.pop(0)
            self._around.done.add(step.step_sha)
            self._frontier.finish(step)
            wave = self._waves[step.step_sha]
            self._left[wave] -= 1
            if not self._left[wave]:
                await self._around.control.event(EventType.WAVE_COMPLETE, wave=wave)

    async def _next_end(self) -> None:
        """Wait until a flight ends or something changes. On an abort, cancel what the server runs for us."""
        around = self._around
        patience = LONG_S if len(around.crew.workers) < around.steering.knobs.workers else None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await around.changed.wait()
        around.changed.clear()
        ended = {task for task in self._flights if task.done()}
        if around.cancelling() and not ended:
            await around.crew.cancel(insistent=around.insistent())
            await asyncio.sleep(0.05)
            around.changed.set()
        for task in ended:
            self._take_result(task, self._flights.pop(task))

    def _take_result(self, task: asyncio.Task[None], flight: _Flight) -> None:
        """A failure stops the run, a lost control connection ends it."""
        step = flight.steps[0] if flight.steps else None
        try:
            task.result()
        except Stopped:
            pass
        except Skipped:
            assert step is not None
            self._frontier.give_back(step)
            self._around.changed.set()
        except StatementFailed as error:
            self._around.failures.append(Failure(step, str(error), error.sqlstate))
        except ConnectionLost as error:
            self._around.failures.append(Failure(step, str(error), "08006"))

    async def _obey_decisions(self) -> None:
        """Hold the steps that people want left out, and say so once; take in again those that they want after all."""
        left_out = self._around.decisions.left_out
        flying = {step.step_sha for flight in self._flights.values() for step in flight.steps}
        for sha in self._told_skipped - left_out.keys():
            self._told_skipped.discard(sha)
            self._frontier.let_go(sha)
        for sha in left_out.keys() - self._told_skipped:
            if sha in flying:
                await self._around.crew.cancel(insistent=False, step_sha=sha)
            elif self._frontier.hold(sha):
                self._told_skipped.add(sha)
                asked = left_out[sha]
                await self._around.control.skip_step(
                    self._steps[sha].ordinal, f"left out: {asked.message}", asked.metrics
                )

    async def _tell_stuck(self) -> None:
        """Say of each step that was not run that it was not, and why."""
        stuck = self._frontier.stuck()
        causes = sorted(self._steps[sha].ordinal for sha in stuck & self._told_skipped)
        why = f"not run: it comes after step {', '.join(map(str, causes))}, which a person left out"
        for sha in sorted(stuck - self._told_skipped, key=lambda sha: self._steps[sha].ordinal):
            await self._around.control.skip_step(self._steps[sha].ordinal, why, {})

    async def _until_something_may_start(self) -> None:
        """The governor may hold back all that is ready, though the gate is open."""
        around = self._around
        while self._frontier.peek(around.steering.may_start) is None and around.gate.is_open and not around.stopping():
            around.changed.clear()
            await around.changed.wait()
            await self._obey_decisions()
            if not self._frontier.ready:
                return

    async def _may_pass(self) -> bool:
        """Wait at the gate; False when the run stops."""
        try:
            await self._around.gate.passage()
        except Stopped:
            return False
        return True
