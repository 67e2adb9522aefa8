"""The engine: one thread, one event loop, one run.

:func:`start_run` and :func:`resume_run` begin a run and return when it is under way; whatever forbids it is raised from
them, before anything was changed. From then on the thread needs nobody: it does not wait for whoever shows its events.

Three kinds of connections: one holds the run lock and is otherwise idle, one controls (events, cancels, looks at
blockers), and up to four psql children run steps.
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import replace
from random import Random
from typing import Any

import psycopg

from wesley_tui.executor.certificate import issue_certificate
from wesley_tui.executor.control import PATIENCE_S, Command, translated
from wesley_tui.executor.crew import Crew
from wesley_tui.executor.decisions import Decisions
from wesley_tui.executor.drift import changed_since, kept_for_later
from wesley_tui.executor.errors import ConnectionLost, ExecutorError, StatementFailed
from wesley_tui.executor.events import EventType, RunStatus
from wesley_tui.executor.gate import Asked, Gate
from wesley_tui.executor.locks import relations_of, unlock_all
from wesley_tui.executor.opening import Opened, open_again, open_new
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.phase import Failure, Phase, Surroundings
from wesley_tui.executor.psql_binary import find_psql
from wesley_tui.executor.retry import is_cancelled
from wesley_tui.executor.review import ReviewToken
from wesley_tui.executor.run import Outbox, Run, RunOutcome
from wesley_tui.executor.scheduler import phases_of
from wesley_tui.executor.steering import Sampler, Steering
from wesley_tui.executor.steps import StepRunner
from wesley_tui.executor.target import PsqlAccess, answering_within
from wesley_tui.executor.watch import watch
from wesley_tui.planner.plan import Plan, Step

__all__ = ["resume_run", "start_run"]

_FOLLOW_EVERY_S = 0.02
_LISTEN_EVERY_S = 0.2
_LOCK_CHECK_EVERY_S = 1.0
_FAREWELL_S = 2.0
_AT_ONCE = frozenset({"pause", "resume", "cancel"})


def start_run(conninfo: str, plan: Plan, token: ReviewToken, options: RunOptions | None = None) -> Run:
    """Begin to execute ``plan``.

    Raises an :class:`ExecutorError` when the run may not begin: the review is of another plan, the database has
    drifted, another run holds the lock or was left unfinished, the server is read-only, behind a pooler, too old, or
    the role lacks a privilege. Nothing was changed then.
    """
    chosen = options or RunOptions()
    return _spawn(conninfo, chosen, open_new(conninfo, plan, token, chosen))


def resume_run(conninfo: str, options: RunOptions | None = None, run_id: int | None = None) -> Run:
    """Go on with run ``run_id`` (None: the last one): its plan is read from the database, what is done is skipped, what
    was left half-made is finished or removed first. Raises as :func:`start_run` does."""
    chosen = options or RunOptions()
    return _spawn(conninfo, chosen, open_again(conninfo, run_id, chosen))


def _spawn(conninfo: str, options: RunOptions, opening: Coroutine[Any, Any, Opened]) -> Run:
    outbox = Outbox()
    engine = _Engine(conninfo, options, outbox)
    thread = threading.Thread(target=lambda: asyncio.run(engine.main(opening)), name="wesley-engine", daemon=True)
    run = Run(outbox, engine.send, thread)
    engine.ended = run.ended
    thread.start()
    run.run_id, run.plan_id = engine.opened.result()
    return run


class _Engine:
    """State of a run under way; everything but :meth:`send` happens in the engine's own loop."""

    def __init__(self, conninfo: str, options: RunOptions, outbox: Outbox) -> None:
        self.opened: Future[tuple[int, str]] = Future()
        self.ended: Future[RunOutcome] = Future()
        self._conninfo = conninfo
        self._options = options
        self._outbox = outbox
        self._random = Random(options.seed)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed = asyncio.Event()
        self._abort: Asked | None = None
        self._insistent = False
        """Aborted twice: what tidies up after the first abort is cancelled too."""
        self._failures: list[Failure] = []
        self._lock_lost = False
        self._decisions = Decisions()
        self._done: set[str] = set()
        self._last_event = 0

    def send(self, verb: str, argument: str, knobs: Mapping[str, Any]) -> None:
        """From any thread: ``pause``, ``resume`` and ``cancel`` at once; what has to be remembered goes through the
        database, as if another process had asked."""
        loop = self._loop
        if loop is None:
            return
        with contextlib.suppress(RuntimeError):
            if verb in _AT_ONCE:
                loop.call_soon_threadsafe(self._obey, verb, argument)
            else:
                asyncio.run_coroutine_threadsafe(self._control.ask(verb, argument, knobs, getpass.getuser()), loop)

    async def main(self, opening: Coroutine[Any, Any, Opened]) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            opened = await opening
        except BaseException as error:
            self.opened.set_exception(translated(error) if isinstance(error, psycopg.Error) else error)
            return
        self._plan, self._control, self._lock = opened.plan, opened.control, opened.lock
        self._gate = Gate(self._control, lambda: self._stopping)
        self._steering = Steering(
            self._options.knobs,
            {step.step_sha: wave.name for wave in self._plan.waves for step in wave.steps},
            self._gate,
            self._changed.set,
        )
        self.opened.set_result((self._control.run_id, self._plan.plan_id))
        outcome = RunOutcome(self._control.run_id, self._plan.plan_id, RunStatus.FAILED, "the engine failed", lost=True)
        try:
            outcome = await self._live(opened)
        except ExecutorError as error:
            outcome = self._lost(str(error))
        except Exception as error:  # the run's end must reach whoever waits for it, whatever it is
            outcome = self._lost(f"{type(error).__name__}: {error}")
            raise
        finally:
            with answering_within(self._lock, _FAREWELL_S):
                await unlock_all(self._lock)
            for connection in (self._control.connection, self._lock):
                with contextlib.suppress(psycopg.Error):
                    await connection.close()
            self.ended.set_result(outcome)

    def _lost(self, message: str) -> RunOutcome:
        return RunOutcome(
            self._control.run_id,
            self._plan.plan_id,
            RunStatus.FAILED,
            f"{message}. What was committed is recorded, the rest was rolled back; go on with: wesley resume",
            lost=True,
        )

    async def _live(self, opened: Opened) -> RunOutcome:
        """Run all phases with the helpers beside them, then say how it ended."""
        with PsqlAccess.like(self._control.connection) as access:
            self._crew = Crew(find_psql(), access, self._control, opened.server_version)
            self._done = await self._control.succeeded(self._plan.plan_id)
            self._runner = StepRunner(
                self._control,
                self._options,
                await self._control.attempts(self._plan.plan_id),
                self._gate.passage,
                lambda: self._stopping,
                self._steering,
                self._decisions,
                self._random,
            )
            self._sampler = Sampler(self._conninfo, opened.server_version)
            if self._options.knobs.window:
                window = {"window": self._options.knobs.window, "window_waves": self._options.knobs.window_waves}
                await self._control.keep_knobs(window, getpass.getuser())
            for knobs in await self._control.knobs():
                with contextlib.suppress(ValueError):
                    self._steering.turn(knobs)
            for command in await self._control.decisions():
                self._decide(command)
            await self._steering.look(self._sampler, self._control)
            try:
                outcome = await self._helped(opened)
                with contextlib.suppress(ConnectionLost, StatementFailed):
                    await self._forward()
                if outcome.status in {RunStatus.COMPLETE, RunStatus.CONTRACT_PENDING}:
                    outcome = await self._certified(await self._verified(outcome))
                return outcome
            finally:
                await self._sampler.close()
                await self._crew.close()
                with contextlib.suppress(ConnectionLost, StatementFailed):
                    await self._forward()

    async def _helped(self, opened: Opened) -> RunOutcome:
        """Run the phases with the helpers beside them. A helper that fails ends the run: without it nobody would obey,
        or notice that nothing moves any more."""
        try:
            async with asyncio.TaskGroup() as group:
                helpers = [group.create_task(helper) for helper in self._helpers()]
                outcome = await self._work(opened)
                for helper in helpers:
                    helper.cancel()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return outcome

    async def _work(self, opened: Opened) -> RunOutcome:
        await self._tell_skipped(opened.fresh)
        whole = True
        for steps in phases_of(self._plan, contract=opened.contract):
            if steps[0][0] == "CONTRACT":
                await self._refuse_drift([step for _, step in steps])
            phase = Phase(self._surroundings(), steps)
            try:
                whole = await phase.run()
            finally:
                await phase.ground()
            if self._stopping or not whole:
                break
        return await self._conclude(opened.contract, whole=whole)

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            self._control, self._runner, self._crew, self._steering, self._gate, self._decisions, self._changed,
            self._done, self._failures,
            stopping=lambda: self._stopping,
            cancelling=lambda: self._abort is not None or self._lock_lost,
            insistent=lambda: self._insistent,
        )  # fmt: skip

    @property
    def _stopping(self) -> bool:
        return self._abort is not None or bool(self._failures) or self._lock_lost

    def _obey(self, verb: str, argument: str, metrics: Mapping[str, Any] | None = None) -> None:
        asked = Asked(argument, metrics or {})
        if verb == "pause":
            self._gate.pause(asked)
        elif verb == "resume":
            self._gate.resume(asked)
        else:
            self._insistent = self._abort is not None
            self._abort = self._abort or asked
            self._gate.refresh()
        self._changed.set()

    async def _obey_command(self, command: Command) -> None:
        """What another process asks for; an event says what came of it."""
        if command.verb == "set":
            await self._turn(command)
        elif command.verb == "terminate":
            await self._terminate(command)
        elif command.verb in {"skip", "retry"}:
            self._decide(command)
        else:
            self._obey(command.verb, str(command), command.metrics)

    def _decide(self, command: Command) -> None:
        step_sha = str(command.knobs.get("step", ""))
        if command.verb == "skip":
            self._decisions.leave_out(step_sha, Asked(str(command), command.metrics))
        else:
            self._decisions.try_again(step_sha)
        self._changed.set()

    async def _terminate(self, command: Command) -> None:
        """End the session of somebody who holds a lock that a step waits for."""
        pid, started = int(command.knobs["pid"]), str(command.knobs["started"])
        who = f"session {pid}, as {command.person} asked"
        try:
            ended = await self._control.terminate_client(pid, started)
        except StatementFailed as error:
            message = f"could not end {who}: {error}"
        else:
            message = f"ended {who}" if ended else f"did not end {who}: it is gone, or no client's"
            if ended:
                await self._control.event(EventType.BLOCKER_TERMINATED, message, metrics=command.metrics)
                self._decisions.hurry()
                return
        await self._control.event(EventType.COMMAND_REFUSED, message, metrics=command.metrics)

    def _helpers(self) -> list[Coroutine[Any, Any, None]]:
        """What goes on beside the steps until the run ends."""
        return [
            self._follow(),
            self._listen(),
            self._guard_lock(),
            watch(self._control, self._crew.workers),
            self._steering.govern(self._sampler, self._control),
        ]

    async def _listen(self) -> None:
        """Obey what other processes ask for; a person is named in the event."""
        while True:
            with contextlib.suppress(StatementFailed):
                for command in await self._control.commands():
                    await self._obey_command(command)
            await asyncio.sleep(_LISTEN_EVERY_S)

    async def _tell_skipped(self, fresh: bool) -> None:
        """A new run of a plan that has run before says what it skips. A resumed run has told of its steps, but may have
        died before it said that a wave was complete."""
        if fresh:
            for step in self._plan.steps:
                if step.step_sha in self._done:
                    await self._control.skip_step(step.ordinal, "an earlier run has applied it")
            return
        told = await self._control.waves_complete()
        for wave in self._plan.waves:
            if wave.name not in told and all(step.step_sha in self._done for step in wave.steps):
                await self._control.event(EventType.WAVE_COMPLETE, wave=wave.name)

    async def _refuse_drift(self, steps: list[Step]) -> None:
        """Before anything is taken away: nobody may have changed the catalog since the run left CONTRACT for later, and
        what the first steps on each relation expect must hold, for all of them, or none of them runs. A run that goes
        on to CONTRACT at once has kept nothing to compare with: what others change while it works cannot be told from
        what it does itself."""
        if not self._stopping:
            self._failures += await changed_since(self._control, self._options, self._plan, steps, self._done)
        seen: set[str] = set()
        for step in steps:
            first = not relations_of(step) & seen
            seen |= relations_of(step)
            if not first or step.step_sha in self._done or not step.prechecks or self._stopping:
                continue
            worker = self._crew.idle(step, [], 1)
            problem = await self._runner.precheck(worker, step) if worker is not None else None
            if problem is not None:
                message = f"the database is not what the CONTRACT wave was planned for: {problem}"
                await self._control.event(EventType.DRIFT_DETECTED, message, step_sha=step.step_sha)
                self._failures.append(Failure(step, f"{message}. No step of CONTRACT was run; plan again", "WE007"))

    async def _conclude(self, contract: bool, *, whole: bool) -> RunOutcome:
        run_id, plan_id = self._control.run_id, self._plan.plan_id
        failure = self._failures[0] if self._failures else None
        if self._lock_lost:
            message = (
                "the connection that held the run lock was lost; no further step was started. Go on with: wesley resume"
            )
            await self._control.event(EventType.LOCK_LOST, message)
            await self._control.move_run("failed", EventType.ABORT_REASON, message)
            return RunOutcome(run_id, plan_id, RunStatus.FAILED, message, sqlstate="08006", lost=True)
        if self._abort is not None:
            why = self._abort.message or "no reason given"
            if failure is not None and failure.step is not None and not is_cancelled(failure.sqlstate):
                why += f"; before that, step {failure.step.ordinal} had failed: {failure.message}"
            await self._control.move_run("cancelled", EventType.PLAN_CANCELLED, why, self._abort.metrics)
            outcome = RunOutcome(run_id, plan_id, RunStatus.CANCELLED, why)
        elif failure is not None:
            where = f"step {failure.step.ordinal} ({failure.step.op} {failure.step.object}): " if failure.step else ""
            message = where + failure.message
            metrics = {"sqlstate": failure.sqlstate} if failure.sqlstate else {}
            await self._control.move_run("failed", EventType.ABORT_REASON, message, metrics)
            sha = failure.step.step_sha if failure.step else None
            outcome = RunOutcome(run_id, plan_id, RunStatus.FAILED, message, sha, failure.sqlstate)
        elif not whole:
            message = self._left_undone(contract)
            await self._control.move_run("failed", EventType.ABORT_REASON, message, {"left_out": True})
            outcome = RunOutcome(run_id, plan_id, RunStatus.FAILED, message)
        else:
            pending = not contract and any(wave.name == "CONTRACT" for wave in self._plan.waves)
            status = RunStatus.CONTRACT_PENDING if pending else RunStatus.COMPLETE
            kept, message = await kept_for_later(self._control, self._options, self._plan) if pending else ({}, "")
            counted = {"contract_pending": pending, "steps": len(self._done)}
            await self._control.move_run(status.value, EventType.PLAN_COMPLETE, message, {**counted, **kept})
            outcome = RunOutcome(run_id, plan_id, status)
        await self._control.event(EventType.LOCK_RELEASED)
        return outcome

    def _left_undone(self, contract: bool) -> str:
        """What a run did not do because a person left steps out."""
        left_out = self._decisions.left_out
        undone = [
            step
            for wave in self._plan.waves
            if contract or wave.name != "CONTRACT"
            for step in wave.steps
            if step.step_sha not in self._done
        ]
        named = ", ".join(f"{step.ordinal} ({step.op} {step.object})" for step in undone if step.step_sha in left_out)
        behind = sum(step.step_sha not in left_out for step in undone)
        more = f", and {behind} that come after were not run" if behind else ""
        next_ = "wesley retry, then wesley resume --contract" if contract else "wesley retry"
        return f"left out: step {named}{more}. All else is done; take up what is left with: {next_}"

    async def _verified(self, outcome: RunOutcome) -> RunOutcome:
        if self._options.verify is None:
            return outcome
        try:
            verified = await asyncio.to_thread(self._options.verify, self._plan, frozenset(self._done))
        except Exception as error:  # the check is the caller's: whatever it raises, the run is done and says so
            return replace(outcome, message=f"the result could not be verified: {error}")
        return replace(outcome, verified=verified)

    async def _certified(self, outcome: RunOutcome) -> RunOutcome:
        """Sign what has happened. A run is not less done because it could not be signed: then the outcome says why."""
        try:
            certificate = await asyncio.to_thread(issue_certificate, self._conninfo, outcome.run_id)
        except (ExecutorError, OSError) as error:
            return replace(outcome, message=f"the run has no certificate: {error}")
        return replace(outcome, certificate=certificate)

    async def _turn(self, command: Command) -> None:
        try:
            self._steering.turn(command.knobs)
            message = f"{command.person}: " + ", ".join(f"{name} = {value}" for name, value in command.knobs.items())
        except ValueError as error:
            message = f"{command.person}: nothing was changed: {error}"
        await self._control.event(EventType.GOVERNOR_CHANGED, message, metrics=command.metrics)

    async def _follow(self) -> None:
        """Bring committed events to the outbox."""
        while True:
            with contextlib.suppress(StatementFailed):
                await self._forward()
            await asyncio.sleep(_FOLLOW_EVERY_S)

    async def _forward(self) -> None:
        while events := await self._control.events_after(self._last_event):
            self._last_event = events[-1].id
            self._outbox.put(events)

    async def _guard_lock(self) -> None:
        """Notice when the connection that holds the run lock is gone."""
        while True:
            await asyncio.sleep(_LOCK_CHECK_EVERY_S)
            try:
                with answering_within(self._lock, PATIENCE_S):
                    await self._lock.execute("SELECT 1")
            except psycopg.Error:
                self._lock_lost = True
                self._gate.refresh()
                self._changed.set()
                return
