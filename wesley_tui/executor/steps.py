"""How a step of each kind is run on a worker, with its retries.

A transactional step is one call. A step outside a transaction is an intent, a look at what an earlier attempt left,
the statement, and a look at the result. A backfill is many short calls. Whatever fails is recorded as an attempt;
whether a step is done is never concluded from what psql said, only read from the ledger or the catalog.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import inf
from random import Random

from wesley_tui.executor import failpoints
from wesley_tui.executor.control import Blocker, Control, json_literal
from wesley_tui.executor.decisions import Decisions, Skipped
from wesley_tui.executor.errors import ConnectionLost, StatementFailed
from wesley_tui.executor.events import EventType
from wesley_tui.executor.gate import Stopped
from wesley_tui.executor.locks import in_the_way
from wesley_tui.executor.options import RunOptions
from wesley_tui.executor.pacing import CALL_S, BatchPacer
from wesley_tui.executor.retry import is_cancelled, waits_for_lock
from wesley_tui.executor.steering import Steering
from wesley_tui.executor.stored import sha256_hex, step_content
from wesley_tui.executor.worker import Worker, WorkerLost
from wesley_tui.planner.plan import LockMode, Step, StepKind

__all__ = ["StepRunner"]

_ANNOUNCE_AFTER_S = 0.05
"""A transactional step tells of its start in the transaction that ends it; one that takes longer than this is
announced earlier over the control connection."""
_LOST_TRIES = 5
_TIDY_MS = 10_000
_SHORT_MS = 30_000
_PROGRESS_EVERY_S = 0.25
_WINDOW_EVERY_S = 0.5
_NOT_TOLD = frozenset({"55P03", "57014", "WE005"})


class StepRunner:
    """Runs steps of one run. ``gate`` is awaited wherever a step may pause; it raises :class:`Stopped` when the run
    stops."""

    def __init__(
        self,
        control: Control,
        options: RunOptions,
        attempts: dict[str, int],
        gate: Callable[[], Awaitable[None]],
        stopping: Callable[[], bool],
        steering: Steering,
        decisions: Decisions,
        random: Random,
    ) -> None:
        self._control = control
        self._options = options
        self._attempts = attempts
        self._gate = gate
        self._stopping = stopping
        self._steering = steering
        self._decisions = decisions
        self._random = random

    async def run_together(
        self, worker: Worker, steps: Sequence[Step], landed: Callable[[Step], None]
    ) -> StatementFailed | ConnectionLost | None:
        """Run several transactional steps with the same statement_timeout by one call, each in a transaction of its
        own; ``landed`` is told of each that has succeeded. Returns what the first that did not has died of: those
        behind it have not run. None when all have succeeded, or those that did not are simply to be given again: the
        call has had its time, or was cancelled for the sake of another step."""
        calls = []
        for step in steps:
            attempt = self._attempts.get(step.step_sha, 0) + 1
            lock_ms = self._lock_ms(step, 1)
            calls.append(_Call(self._control, step, sha256_hex(step_content(step)), attempt, _Memory(), lock_ms))
        left = deque(calls)

        def has_landed() -> None:
            call = left.popleft()
            self._attempts[call.step.step_sha] = call.attempt
            failpoints.reached("after_ack")
            landed(call.step)

        timeout_ms = steps[0].statement_timeout_ms
        begun = time.monotonic()
        lookout = asyncio.create_task(self._look_out(left, has_landed))
        trouble: StatementFailed | ConnectionLost | None = None
        try:
            await worker.ask(_Call.text_of_several(calls), statement_timeout_ms=timeout_ms)
        except (StatementFailed, ConnectionLost) as error:
            trouble = error
        finally:
            lookout.cancel()
            await asyncio.gather(lookout, return_exceptions=True)
        done = await self._control.succeeded_among({call.step.step_sha for call in left})
        while left and left[0].step.step_sha in done:
            has_landed()
        if not left:
            return None
        # The time was up for all of them together, and each may take as long alone; or one was to be left out that had
        # just succeeded.
        timed_out = 0 < timeout_ms <= (time.monotonic() - begun) * 1000
        not_its_own = timed_out or worker.cancelled_for not in (None, left[0].step.step_sha)
        cancelled = isinstance(trouble, StatementFailed) and is_cancelled(trouble.sqlstate)
        return None if cancelled and not_its_own else trouble

    async def _look_out(self, left: deque[_Call], landed: Callable[[], None]) -> None:
        """Tell, every now and then, which of the steps of one call have succeeded, and announce one that takes long."""
        slow: _Call | None = None
        while True:
            await asyncio.sleep(_ANNOUNCE_AFTER_S)
            with contextlib.suppress(StatementFailed, ConnectionLost):
                done = await self._control.succeeded_among({call.step.step_sha for call in left})
                while left and left[0].step.step_sha in done:
                    landed()
                if left and left[0] is slow:
                    await self._control.announce(slow.step.ordinal, slow.attempt)
                slow = left[0] if left else None

    async def run(self, worker: Worker, step: Step, trouble: StatementFailed | ConnectionLost | None = None) -> None:
        """Run ``step`` until it has succeeded; raises StatementFailed or WorkerLost when it does not, and
        :class:`Skipped` when a person wants it left out. ``trouble``: what its first attempt has died of already."""
        run = {
            StepKind.TRANSACTIONAL: self._transactional,
            StepKind.AUTOCOMMIT: self._autocommit,
            StepKind.BACKFILL: self._backfill,
        }[step.kind]
        content_sha = sha256_hex(step_content(step))
        begun = time.monotonic()
        tries = lost = 0
        memory = _Memory()
        while True:
            tries += 1
            attempt = self._attempts[step.step_sha] = self._attempts.get(step.step_sha, 0) + 1
            lock_ms = self._lock_ms(step, tries)
            call = _Call(self._control, step, content_sha, attempt, memory, lock_ms)
            try:
                if trouble is not None:
                    before, trouble = trouble, None
                    raise before
                return await run(worker, call)
            except WorkerLost as error:
                lost = 1 if call.progressed else lost + 1
                final = lost >= _LOST_TRIES or self._stopping()
                await self._record(call, EventType.STEP_FAIL if final else EventType.STEP_RETRY, "08006", str(error))
                if final:
                    raise
            except StatementFailed as error:
                if call.progressed:
                    tries, begun = 1, time.monotonic()
                await self._failed(worker, call, error, begun, tries)
            if await self._decisions.pause(step.step_sha, self._options.retry.pause_s(tries, self._random)):
                tries, begun = 0, time.monotonic()
            await self._pass(step)

    def _lock_ms(self, step: Step, tries: int) -> int:
        longest_ms = self._steering.knobs.lock_wait_ms
        return self._options.retry.lock_timeout_ms(tries, step.lock_timeout_ms, longest_ms, step.max_retries)

    async def _pass(self, step: Step) -> None:
        """Wait at the gate; :class:`Skipped` when the step is wanted no more."""
        await self._gate()
        if step.step_sha in self._decisions.left_out:
            raise Skipped

    async def precheck(self, worker: Worker, step: Step) -> str | None:
        """The message of the first precheck of ``step`` that does not hold now; None also when it takes too long to
        tell: the step itself asks again."""
        call = _Call(self._control, step, sha256_hex(step_content(step)), 0, _Memory(), 0)
        try:
            return await self._look(worker, call, "prechecks")
        except StatementFailed as error:
            if error.sqlstate in _NOT_TOLD:
                return None
            raise

    async def _failed(self, worker: Worker, call: _Call, error: StatementFailed, begun: float, tries: int) -> None:
        """Record the attempt, number ``tries``; raise ``error`` unless it is worth another one."""
        blockers = worker.seen_blockers
        blocked = bool(worker.blockers)
        if error.sqlstate == "55P03" and not blockers:
            # The attempt was over before anybody looked: whoever holds such a lock right after it was probably it.
            blockers = tuple(await self._control.lock_holders(in_the_way(call.step)))
        call.memory.blockers = blockers or call.memory.blockers
        policy = self._options.retry
        skipped = call.step.step_sha in self._decisions.left_out
        again = policy.retries(error.sqlstate, was_blocked=blocked) and not self._stopping() and not skipped
        on_lock = waits_for_lock(error.sqlstate, was_blocked=blocked)
        who = "; ".join(map(str, call.memory.blockers)) or "a lock that somebody holds"
        spent = time.monotonic() - begun
        kind = EventType.STEP_FAIL
        if again and spent < policy.budget_s and tries <= _tries_again(call.step):
            kind = EventType.LOCK_TIMEOUT if on_lock else EventType.STEP_RETRY
        elif on_lock and not self._stopping():
            error.detail = f"gave up after {spent:.0f} s of waiting for {who}"
        message = f"waited for {who}" if kind is EventType.LOCK_TIMEOUT else str(error)
        if (self._stopping() or skipped) and is_cancelled(error.sqlstate):
            message = "cancelled; what it had not committed was rolled back"
        await self._record(
            call,
            kind,
            error.sqlstate,
            message,
            detail=error.detail,
            hint=error.hint,
            blockers=[blocker.metrics for blocker in blockers],
            lock_timeout_ms=call.lock_ms,
        )
        if skipped:
            raise Skipped from error
        if kind is EventType.STEP_FAIL:
            raise error

    async def _record(self, call: _Call, kind: EventType, sqlstate: str, message: str, **metrics: object) -> None:
        if kind is EventType.STEP_RETRY:
            self._steering.errors += 1
        told = {name: value for name, value in metrics.items() if value}
        await self._control.fail_step(call.step.ordinal, call.attempt, kind, sqlstate, message, told)

    async def _transactional(self, worker: Worker, call: _Call) -> None:
        async with self._announced(call):
            await worker.ask(
                call.text("apply_step", call.attempt, call.lock_ms),
                statement_timeout_ms=call.step.statement_timeout_ms,
            )
        failpoints.reached("after_ack")

    @asynccontextmanager
    async def _announced(self, call: _Call) -> AsyncIterator[None]:
        """Announce the step if it is still running a moment later."""

        announcements: list[asyncio.Task[None]] = []

        def announce() -> None:
            announcements.append(asyncio.create_task(self._control.announce(call.step.ordinal, call.attempt)))

        timer = asyncio.get_running_loop().call_later(_ANNOUNCE_AFTER_S, announce)
        try:
            yield
        finally:
            timer.cancel()
            await asyncio.gather(*announcements, return_exceptions=True)

    async def _autocommit(self, worker: Worker, call: _Call) -> None:
        step = call.step
        begun = (await worker.ask(call.text("begin_step", call.attempt), statement_timeout_ms=_SHORT_MS)).rows[-1]
        failpoints.reached("after_intent")
        if begun == "skipped":
            return
        started = await self._control.clock()
        half_made = await self._half_made(worker, call)
        if half_made:
            await self._clean_up(worker, call)
            failpoints.reached("after_cleanup")
        tried = begun == "again" or half_made
        if tried and step.postchecks and await self._look(worker, call, "postchecks") is None:
            # It had ended unheard; or what tidies up was all that was missing, as of a pending DETACH.
            await self._finish(worker, call, started, "an earlier attempt had finished it")
            return
        problem = await self._look(worker, call, "prechecks")
        if problem is not None:
            raise StatementFailed("WE002", problem, detail=f"precheck of step {step.ordinal} ({step.op} {step.object})")
        try:
            for index in range(len(step.statements)):
                await self._outside(worker, call, "statements", index)
        except StatementFailed as error:
            if await self._half_made(worker, call, tidying=True):
                try:
                    await self._clean_up(worker, call, tidying=True)
                except (StatementFailed, Stopped) as trouble:
                    error.detail += f" What it left half-made is still there ({trouble}); wesley resume removes it."
            raise
        failpoints.reached("after_run")
        await self._finish(worker, call, started, "")

    async def _outside(self, worker: Worker, call: _Call, kind: str, index: int, *, tidying: bool = False) -> None:
        """Run one statement outside a transaction. Where its locks let readers and writers go on, waiting hurts nobody,
        and a wait for old snapshots can be long: then no lock_timeout, the watch tells who holds it up."""
        strongest = max(call.step.locks.values(), default=LockMode.AccessExclusiveLock)
        await worker.ask(
            call.text("autocommit_statement", kind, index),
            generated=True,
            statement_timeout_ms=_TIDY_MS if tidying else call.step.statement_timeout_ms,
            lock_timeout_ms=call.lock_ms if strongest > LockMode.ShareUpdateExclusiveLock else 0,
            cancellable=not tidying,
        )

    async def _half_made(self, worker: Worker, call: _Call, *, tidying: bool = False) -> bool:
        if call.step.leftover_check is None:
            return False
        return await self._look(worker, call, "leftover_check", tidying=tidying) is None

    async def _clean_up(self, worker: Worker, call: _Call, *, tidying: bool = False) -> None:
        """Remove what an attempt left half-made, but never under somebody who is building it right now.

        ``tidying``: right after the attempt that left it, also when the run is being aborted, and not for long.
        """
        relations = list(call.step.locks)
        while await self._control.building_index(relations):
            await self._gate()
            await asyncio.sleep(0.2)
        if not await self._half_made(worker, call, tidying=tidying):
            return
        for index in range(len(call.step.leftover_cleanup)):
            await self._outside(worker, call, "leftover_cleanup", index, tidying=tidying)
        if await self._half_made(worker, call, tidying=tidying):
            raise StatementFailed(
                "WE003", "something half-made is still there after it was removed", context=call.step.object
            )

    async def _look(self, worker: Worker, call: _Call, kind: str, *, tidying: bool = False) -> str | None:
        """The message of the first check of this kind that does not hold."""
        own_ms = call.step.statement_timeout_ms
        # A check before the step may read a whole table, as the step itself may; the others look at the catalog.
        scans = kind == "prechecks" and not 0 < own_ms < _SHORT_MS
        answer = await worker.ask(
            call.text("look_at_step", kind),
            statement_timeout_ms=own_ms if scans else _SHORT_MS,
            cancellable=not tidying,
        )
        return "\n".join(answer.rows) or None

    async def _finish(self, worker: Worker, call: _Call, started: str, message: str) -> None:
        await worker.ask(
            call.text("finish_step", call.attempt, started, message, {}),
            statement_timeout_ms=_SHORT_MS,
            cancellable=False,
        )
        failpoints.reached("after_ack")

    async def _backfill(self, worker: Worker, call: _Call) -> None:
        step = call.step
        assert step.backfill is not None
        begun = (await worker.ask(call.text("begin_step", call.attempt), statement_timeout_ms=_SHORT_MS)).rows[-1]
        failpoints.reached("after_intent")
        if begun == "skipped":
            return
        started = await self._control.clock()
        total = await self._control.row_estimate(step.backfill.table)
        pacer = call.memory.pacer
        if pacer is None:
            pacer = BatchPacer(step.backfill.batch_rows, self._steering.batch_target_ms, step.backfill.rows_per_second)
            call.memory.pacer = pacer
        else:
            pacer.failed()
        told = 0.0
        while True:
            await self._pass(step)
            while not self._steering.in_window(step):
                await asyncio.sleep(_WINDOW_EVERY_S)
                await self._pass(step)
            pacer.steer(self._steering.batch_target_ms, self._steering.knobs.rows_per_second, self._steering.rest)
            now = time.monotonic()
            progress = None
            if now - told >= _PROGRESS_EVERY_S:
                progress, told = {"rows_total": total, "batch_rows": pacer.rows, "attempt": call.attempt}, now
            failpoints.reached("before_batch")
            several = pacer.together > 1
            if several:
                text = call.text_of_batches(pacer, progress)
            else:
                text = call.text("backfill_batch", pacer.rows, call.lock_ms, progress)
            answer = await worker.ask(text, statement_timeout_ms=_patience_ms(step, several=several))
            failpoints.reached("after_batch")
            call.progressed = True
            batch = json.loads(answer.rows[-1])
            if batch["state"] == "more":
                rest = (
                    pacer.after_several(batch["batches"])
                    if several
                    else pacer.after(batch["visited"], now, time.monotonic())
                )
                await asyncio.sleep(rest)
                continue
            if batch["state"] == "skipped":
                return
            answer = await worker.ask(call.text("finish_backfill", call.attempt, started))
            if json.loads(answer.rows[-1])["state"] != "again":
                failpoints.reached("after_ack")
                return


def _patience_ms(step: Step, *, several: bool) -> int:
    """The statement_timeout of a call that makes batches: a batch has the step's own, those before it come on top."""
    own_ms = step.statement_timeout_ms
    return own_ms + round(CALL_S * 1000) if several and own_ms else own_ms


def _tries_again(step: Step) -> float:
    """How often the step may be tried again."""
    return inf if step.max_retries is None else step.max_retries


@dataclass(slots=True)
class _Memory:
    """What the attempts of one step tell each other."""

    blockers: tuple[Blocker, ...] = ()
    """Who was seen last to hold it up; a short attempt may end before anybody looks."""
    pacer: BatchPacer | None = None


class _Call:
    """One attempt at a step, and how to write calls of the rails for it."""

    def __init__(
        self, control: Control, step: Step, content_sha: str, attempt: int, memory: _Memory, lock_ms: int
    ) -> None:
        self._control = control
        self.step = step
        self.attempt = attempt
        self.memory = memory
        self.lock_ms = lock_ms
        self._content_sha = content_sha
        self.progressed = False
        """Whether it has committed something that a next attempt need not do again."""

    def text_of_batches(self, pacer: BatchPacer, progress: Mapping[str, object] | None) -> str:
        """A call that makes several batches, with pauses."""
        how = (pacer.rows, self.lock_ms, progress, pacer.together, round(CALL_S * 1000), pacer.rest, None)
        return f"CALL {self._named('backfill_batches', how)}"

    @staticmethod
    def text_of_several(calls: Sequence[_Call]) -> str:
        """One call that makes all of them, in this order."""
        head = calls[0]._control
        ordinals = ", ".join(str(call.step.ordinal) for call in calls)
        shas = ", ".join(_literal(call._content_sha) for call in calls)
        attempts = ", ".join(str(call.attempt) for call in calls)
        locks_ms = ", ".join(str(call.lock_ms) for call in calls)
        return (
            f"CALL wesley.apply_steps({head.run_id}, {head.fence}, ARRAY[{ordinals}], ARRAY[{shas}], ARRAY[{attempts}],"
            f" ARRAY[{locks_ms}])"
        )

    def text(self, function: str, *arguments: object) -> str:
        return f"SELECT {self._named(function, arguments)}"

    def _named(self, routine: str, arguments: Sequence[object]) -> str:
        head = (self._control.run_id, self._control.fence, self.step.ordinal, self._content_sha)
        return f"wesley.{routine}({', '.join(map(_literal, (*head, *arguments)))})"


def _literal(value: object) -> str:
    """Numbers, digests, times, our own messages and metrics as SQL; nothing of a plan's text comes through here."""
    if value is None:
        return "NULL"
    if isinstance(value, dict):
        return json_literal(value)
    if isinstance(value, int | float):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
