"""Events are what happened, as committed in ``wesley.migration_events``; a run's state is a pure fold over them.

The live run, a second terminal that attaches, a replay and the tests all call :func:`reduce` on the same records, so
they cannot disagree.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

__all__ = ["Event", "EventType", "RunState", "RunStatus", "StepState", "StepStatus", "reduce", "reduce_all"]


class EventType(enum.StrEnum):
    """The wire names, as in the ``type`` column."""

    PLAN_ACCEPTED = "plan.accepted"
    WAVE_START = "wave.start"
    STEP_START = "step.start"
    STEP_OK = "step.ok"
    STEP_SKIP = "step.skip"
    STEP_FAIL = "step.fail"
    STEP_RETRY = "step.retry"
    WAVE_COMPLETE = "wave.complete"
    PLAN_COMPLETE = "plan.complete"
    PLAN_PAUSED = "plan.paused"
    PLAN_RESUMED = "plan.resumed"
    PLAN_CANCELLED = "plan.cancelled"
    PLAN_ROLLED_BACK = "plan.rolled_back"
    ABORT_REASON = "abort.reason"
    LOCK_ACQUIRED = "lock.acquired"
    LOCK_TIMEOUT = "lock.timeout"
    LOCK_RELEASED = "lock.released"
    LOCK_LOST = "lock.lost"
    BLOCKER_TERMINATED = "blocker.terminated"
    COMMAND_REFUSED = "command.refused"
    GOVERNOR_BACKPRESSURE = "governor.backpressure"
    GOVERNOR_CIRCUIT_OPEN = "governor.circuit_open"
    GOVERNOR_RECOVERED = "governor.recovered"
    GOVERNOR_CHANGED = "governor.changed"
    BACKFILL_PROGRESS = "backfill.progress"
    CHECKPOINT_SAVED = "checkpoint.saved"
    DRIFT_DETECTED = "drift.detected"
    CERTIFICATE_ISSUED = "certificate.issued"


@dataclass(frozen=True, slots=True)
class Event:
    id: int
    """Position in the chain of this database, from 1, without gaps."""
    run_id: int
    plan_id: str
    type: EventType
    time: datetime
    """The server's clock."""
    actor: str
    message: str
    wave: str | None = None
    step_sha: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    """JSON; which keys depends on the type: ``duration_ms``, ``attempt``, ``rows_done``, ``rows_total`` …"""
    previous_sha: str = ""
    sha: str = ""


class StepStatus(enum.StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"
    FAILED = "failed"


class RunStatus(enum.StrEnum):
    """``contract_pending``: all but the CONTRACT wave is done, and nobody asked for that yet."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ROLLED_BACK = "rolled_back"
    CONTRACT_PENDING = "contract_pending"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class StepState:
    status: StepStatus = StepStatus.PENDING
    attempt: int = 0
    started: datetime | None = None
    duration_ms: float | None = None
    rows_done: int = 0
    rows_total: int | None = None
    message: str = ""
    """The last thing said about it: an error, who blocks it, the reason of a skip."""


@dataclass(frozen=True, slots=True)
class RunState:
    """What is known about a run after some of its events."""

    plan_id: str = ""
    run_id: int = 0
    status: RunStatus = RunStatus.PENDING
    wave: str | None = None
    """The wave that started last."""
    waves_complete: frozenset[str] = frozenset()
    steps: Mapping[str, StepState] = field(default_factory=dict)
    """By ``step_sha``; a step that no event has named yet is absent and pending."""
    started: datetime | None = None
    finished: datetime | None = None
    last_event_id: int = 0
    message: str = ""
    health: str = "healthy"
    """What the governor said last: ``healthy``, ``degraded`` or ``open``."""
    health_message: str = ""
    """With its reasons; empty while healthy."""
    window: str = ""
    """The window that some steps wait for; empty: none."""
    window_open: bool = True

    def step(self, step_sha: str) -> StepState:
        return self.steps.get(step_sha, _PENDING)


_PENDING = StepState()


_RUN_STATUS: Mapping[EventType, RunStatus] = {
    EventType.PLAN_ACCEPTED: RunStatus.RUNNING,
    EventType.PLAN_RESUMED: RunStatus.RUNNING,
    EventType.PLAN_PAUSED: RunStatus.PAUSED,
    EventType.PLAN_CANCELLED: RunStatus.CANCELLED,
    EventType.PLAN_ROLLED_BACK: RunStatus.ROLLED_BACK,
    EventType.ABORT_REASON: RunStatus.FAILED,
}

_STEP_STATUS: Mapping[EventType, StepStatus] = {
    EventType.STEP_START: StepStatus.RUNNING,
    EventType.STEP_RETRY: StepStatus.RUNNING,
    EventType.STEP_OK: StepStatus.SUCCEEDED,
    EventType.STEP_SKIP: StepStatus.SKIPPED,
    EventType.STEP_FAIL: StepStatus.FAILED,
    EventType.BACKFILL_PROGRESS: StepStatus.RUNNING,
}

_GOVERNING = frozenset(
    {
        EventType.LOCK_ACQUIRED,
        EventType.GOVERNOR_BACKPRESSURE,
        EventType.GOVERNOR_CIRCUIT_OPEN,
        EventType.GOVERNOR_RECOVERED,
        EventType.GOVERNOR_CHANGED,
    }
)

_FINAL = frozenset(
    {
        RunStatus.FAILED,
        RunStatus.CANCELLED,
        RunStatus.ROLLED_BACK,
        RunStatus.CONTRACT_PENDING,
        RunStatus.COMPLETE,
    }
)


def reduce(state: RunState, event: Event) -> RunState:
    """The state after ``event``. Events at or before ``state.last_event_id`` change nothing, so a replay that overlaps
    with a live stream is harmless."""
    return reduce_all(state, (event,))


def reduce_all(state: RunState, events: Iterable[Event]) -> RunState:
    """The state after all ``events``, in order: what :func:`reduce` gives one by one, with one copy of the steps."""
    steps: dict[str, StepState] | None = None
    last, message = state.last_event_id, state.message
    for event in events:
        if event.id <= last:
            continue
        last, message = event.id, event.message or message
        of_step = event.step_sha is not None and event.type in _STEP_STATUS
        if of_step and event.step_sha is not None:
            if steps is None:
                steps = dict(state.steps)
            steps[event.step_sha] = _advance(steps.get(event.step_sha, _PENDING), event)
        if not of_step or state.status is not RunStatus.RUNNING:
            state = _moved(state, event)
    return replace(state, last_event_id=last, message=message, steps=state.steps if steps is None else steps)


def _moved(state: RunState, event: Event) -> RunState:
    """What the event says of the run as a whole."""
    status = _RUN_STATUS.get(event.type, state.status)
    if event.type is EventType.PLAN_COMPLETE:
        pending = bool(event.metrics.get("contract_pending"))
        status = RunStatus.CONTRACT_PENDING if pending else RunStatus.COMPLETE
    complete = state.waves_complete
    if event.type is EventType.WAVE_COMPLETE and event.wave is not None:
        complete |= {event.wave}
    state = replace(
        state,
        plan_id=event.plan_id,
        run_id=event.run_id,
        status=status,
        wave=event.wave if event.type is EventType.WAVE_START else state.wave,
        waves_complete=complete,
        started=state.started or event.time,
        finished=event.time if status in _FINAL else None,
    )
    return _governed(state, event) if event.type in _GOVERNING else state


def _governed(state: RunState, event: Event) -> RunState:
    """What the governor and the window let the run do from now on."""
    metrics = event.metrics
    if event.type is EventType.LOCK_ACQUIRED:  # a process has taken the run up: its governor has seen nothing yet
        return replace(state, health="healthy", health_message="", window="", window_open=True)
    if event.type is EventType.GOVERNOR_CHANGED:
        if "open" not in metrics:
            return state
        return replace(state, window=str(metrics.get("window", "")), window_open=bool(metrics["open"]))
    health = str(metrics.get("health", state.health))
    return replace(state, health=health, health_message="" if health == "healthy" else event.message)


def _advance(step: StepState, event: Event) -> StepState:
    metrics = event.metrics
    return replace(
        step,
        status=_STEP_STATUS[event.type],
        attempt=int(metrics.get("attempt", step.attempt)),
        started=event.time if event.type is EventType.STEP_START else step.started,
        duration_ms=float(metrics["duration_ms"]) if "duration_ms" in metrics else step.duration_ms,
        rows_done=int(metrics.get("rows_done", step.rows_done)),
        rows_total=metrics.get("rows_total", step.rows_total),
        message=event.message,
    )
