"""Runs: start one on a reviewed plan, follow its events, and prove at the end that the database matches the schema."""

from __future__ import annotations

import asyncio
import getpass
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from wesley_tui.executor.events import Event, RunState, RunStatus, StepStatus
from wesley_tui.planner.codec import data_from_record
from wesley_tui.planner.human import human_duration
from wesley_tui.planner.plan import Plan, Step
from wesley_tui.services.interruption import Interruption
from wesley_tui.services.options import PlanningOptions
from wesley_tui.services.target import Target

if TYPE_CHECKING:
    from psycopg import AsyncConnection

    from wesley_tui.executor.ledger import RunSummary
    from wesley_tui.executor.options import RunOptions
    from wesley_tui.executor.review import ReviewToken
    from wesley_tui.executor.run import Run, RunOutcome
    from wesley_tui.planner.outlook import Forecast

__all__ = [
    "RunReport",
    "StepReport",
    "execute",
    "explain_before",
    "followed",
    "paused_elsewhere",
    "report_of",
    "report_of_outcome",
    "resume",
    "schedule_of",
    "start",
]

Listen = Callable[[Plan], Callable[[Event], None]]
"""Makes a listener for the events of a plan; which plan it is turns out late when a run is resumed."""

_WHOLE = frozenset({RunStatus.COMPLETE, RunStatus.CONTRACT_PENDING})
INTERRUPTED = "interrupted"
"""What a report calls a step that was begun and has no end: nobody works on it, a resume does."""
_POLL_S = 0.05
"""Events are looked at 20 times a second."""


@dataclass(frozen=True, slots=True)
class StepReport:
    step_sha: str
    wave: str
    op: str
    object: str
    status: str
    """A :class:`StepStatus`, or ``interrupted``."""
    attempt: int
    duration_ms: float | None
    message: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long the steps of a run took together, in milliseconds, beside how long they would have taken otherwise."""

    makespan_ms: float
    """From the start of the first to the end of the last, pauses and waits for locks included."""
    waves_ms: float
    """The same steps, each as long as it took, with a barrier after every wave."""
    sequential_ms: float
    """One after the other."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """The result of ``apply`` and ``resume``."""

    plan_id: str
    run_id: int | None
    status: str
    """A :class:`RunStatus`, or ``nothing_to_do``."""
    exit_code: int
    steps: tuple[StepReport, ...] = ()
    pending: tuple[StepReport, ...] = ()
    """Steps of the CONTRACT wave that nobody asked for yet."""
    verified: bool | None = None
    """Whether the live catalog, read again, plans to nothing (but ``pending``); None when the run did not finish."""
    duration_ms: float = 0.0
    certificate: dict[str, Any] | None = None
    error: str = ""
    forecast: Forecast | None = None
    """What the estimates had said, of the steps that were asked for."""
    schedule: Schedule | None = None
    """Of a run that came to its end and ran more than one step."""
    takes_back: int | None = None
    """The run whose undo this is."""
    warnings: tuple[Any, ...] = ()
    """What was told before it began."""

    def to_json(self) -> dict[str, Any]:
        def steps(items: Sequence[StepReport]) -> list[dict[str, Any]]:
            return [{name: getattr(item, name) for name in StepReport.__slots__} for item in items]

        return {
            "plan_id": self.plan_id,
            "run_id": self.run_id,
            "status": self.status,
            "exit_code": self.exit_code,
            "steps": steps(self.steps),
            "pending": steps(self.pending),
            "verified": self.verified,
            "duration_ms": round(self.duration_ms, 1),
            "schedule": asdict(self.schedule) if self.schedule is not None else None,
            "takes_back": self.takes_back,
            "warnings": [str(warning) for warning in self.warnings],
            "certificate": self.certificate,
            "error": self.error or None,
            "forecast": data_from_record(self.forecast),
        }

    def text(self) -> str:
        """A few lines for people."""
        if self.status == "nothing_to_do":
            if self.takes_back is not None:
                return f"Nothing to do: no step of run {self.takes_back} has succeeded, or all are taken back."
            return "Nothing to do: the database already matches the schema."
        counts: dict[str, int] = {}
        for step in self.steps:
            counts[step.status] = counts.get(step.status, 0) + 1
        told = ", ".join(f"{number} {status}" for status, number in counts.items()) or "no step ran"
        lines = [
            f"Run {self.run_id} of plan {self.plan_id[:16]}: {self.status} in {self.duration_ms / 1000:.1f} s ({told})"
        ]
        lines += self._beside_others()
        lines += self._beside_forecast()
        if self.verified is True and self.takes_back is not None:
            lines.append(f"Verified: the live catalog, read again, is what it was before run {self.takes_back}.")
        elif self.verified is False and self.takes_back is not None:
            lines.append(
                f"NOT verified: the live catalog, read again, is not what it was before run {self.takes_back}; what "
                "differs: wesley plan"
            )
        elif self.verified is True:
            but = f", but for the {len(self.pending)} step(s) below" if self.pending else ""
            lines.append(f"Verified: the live catalog, read again, matches the schema{but}.")
        elif self.verified is False:
            lines.append("NOT verified: the live catalog, read again, still differs; see `wesley plan`.")
        if self.pending:
            lines.append(f"{len(self.pending)} step(s) of the CONTRACT wave wait for --contract:")
            lines += [f"  {step.op} {step.object}" for step in self.pending]
        if self.certificate is not None:
            lines.append(
                f"Certificate {self.certificate['sha256'][:16]}, Ed25519 key {self.certificate['public_key'][:16]}; "
                "check it with: wesley verify"
            )
        return "\n".join(lines)

    def _beside_others(self) -> list[str]:
        known = self.schedule
        if known is None or known.sequential_ms < 1000:
            return []
        return [
            f"The steps took {human_duration(known.makespan_ms)}; wave by wave {human_duration(known.waves_ms)}, one "
            f"after the other {human_duration(known.sequential_ms)}."
        ]

    def _beside_forecast(self) -> list[str]:
        """The real makespan beside the forecast's, for runs that did everything and took long enough to compare."""
        known = self.forecast
        if known is None or self.status not in _WHOLE or max(self.duration_ms, known.sequential_ms) < 1000:
            return []
        return [
            f"Expected were {human_duration(known.rolling_ms)} rolling, {human_duration(known.waves_ms)} wave by wave, "
            f"{human_duration(known.sequential_ms)} one step after the other."
        ]


def explain_before(plan: Plan, *, contract: bool) -> str:
    """What is about to happen, in a few lines; said on stderr before anything is sent."""
    steps = list(plan.steps)
    if not steps:
        return f"plan {plan.plan_id[:16]}: nothing to do"
    lines = [f"plan {plan.plan_id[:16]}: {len(steps)} step(s), {plan.hazard.name} {plan.hazard.word}"]
    for wave in plan.waves:
        waits = "" if contract or wave.name != "CONTRACT" else " (waits for --contract)"
        lines.append(f"  {wave.name:<9} {wave.hazard.name} {len(wave.steps)} step(s){waits}")
    return "\n".join(lines)


def execute(
    target: Target,
    plan: Plan,
    planning: PlanningOptions,
    *,
    unsafe: bool,
    contract: bool,
    say: Callable[[str], None],
    listen: Listen,
    knobs: Mapping[str, Any] | None = None,
) -> RunReport:
    """Review, run, follow, verify. With ``unsafe`` all H3 steps count as accepted by name: that is what the flag says.

    Raises the executor's errors for what prevents a start; what fails later is in the report.
    """
    from wesley_tui.services.audit import unfinished_run

    unfinished = unfinished_run(target, plan)
    if unfinished is not None:
        run_id = unfinished.summary.run_id
        say(f"run {run_id} stopped on the way to this very schema: going on with its plan")
        return resume(target, run_id, unsafe=unsafe, contract=contract, listen=listen, knobs=knobs)
    if not any(plan.steps):
        return RunReport(plan.plan_id, None, "nothing_to_do", 0, verified=True)
    token = accepted_by_flags(plan, unsafe=unsafe, contract=contract)
    if not asyncio.run(rails_installed(target)):
        say(f"first use on {target.label}: installing schema wesley (plans, ledger, events; see docs/execution.md)")
    return followed(plan, lambda: start(target, plan, token, planning, knobs), listen)


def resume(
    target: Target,
    run_id: int | None,
    *,
    unsafe: bool,
    contract: bool,
    listen: Listen,
    knobs: Mapping[str, Any] | None = None,
) -> RunReport:
    """Go on with an unfinished run from what the database knows of it."""
    from wesley_tui.executor.engine import resume_run
    from wesley_tui.executor.errors import ExecutorError
    from wesley_tui.services.audit import read_run

    stored = read_run(target, run_id)
    if stored is None:
        raise ExecutorError(f"there is no run to resume on {target.label}; start one with: wesley apply")
    plan = stored.plan
    token = accepted_by_flags(plan, unsafe=unsafe, contract=contract) if contract or unsafe else None
    options = run_options(target, PlanningOptions(), token, knobs)
    return followed(plan, lambda: resume_run(target.conninfo, options, stored.summary.run_id), listen)


def accepted_by_flags(plan: Plan, *, unsafe: bool, contract: bool, explain: str | None = None) -> ReviewToken:
    """The token that the flags of a command line stand for: ``--unsafe`` accepts every H3 step by name. ``explain`` is
    what was shown, if it was not the plan's own explanation. Raises ``UnsafeBlocked``."""
    from wesley_tui.executor.review import review
    from wesley_tui.planner.explain import explain_text

    return review(
        plan,
        explain=explain_text(plan) if explain is None else explain,
        unsafe=unsafe,
        contract=contract,
        typed_names=[step.object for step in plan.steps] if unsafe else [],
        actor=getpass.getuser(),
    )


def paused_elsewhere(target: Target, run_id: int | None) -> RunSummary | None:
    """The run that is meant, when another process owns it and somebody has paused it."""
    from wesley_tui.executor.ledger import find

    run = find(target.conninfo, run_id)
    return run if run is not None and run.owned and run.status is RunStatus.PAUSED else None


def start(
    target: Target,
    plan: Plan,
    token: ReviewToken,
    planning: PlanningOptions,
    knobs: Mapping[str, Any] | None = None,
) -> Run:
    """Start the engine on ``plan``; it runs in a thread of its own, and verifies what it has done. ``knobs``: limits of
    the governor to begin with."""
    from wesley_tui.executor.engine import start_run

    return start_run(target.conninfo, plan, token, run_options(target, planning, knobs=knobs))


def run_options(
    target: Target,
    planning: PlanningOptions,
    token: ReviewToken | None = None,
    knobs: Mapping[str, Any] | None = None,
) -> RunOptions:
    """What a run needs from the rooms that the executor does not know: drift is told by the catalog, success by the
    planner. ``token`` is the new review of a run that is resumed for more than it was begun for."""
    from wesley_tui.executor.governor import Knobs
    from wesley_tui.executor.options import RunOptions

    def verify(plan: Plan, done: Collection[str]) -> bool | None:
        from wesley_tui.services.verification import verify_result

        return verify_result(target, plan, planning, done)

    return RunOptions(
        fingerprint=read_fingerprint,
        digests=lambda plan: asyncio.run(_read_digests(target, plan)),
        verify=verify,
        token=token,
        knobs=Knobs().changed(knobs or {}),
    )


async def rails_installed(target: Target) -> bool:
    """Whether this version of the rails is in the database already; installing them is said before it is done."""
    from wesley_tui.executor.installation import RAILS_VERSION, installed_version, rails_digest

    connection = await target.connect()
    try:
        return await installed_version(connection) == (RAILS_VERSION, rails_digest())
    finally:
        await connection.close()


async def read_fingerprint(connection: AsyncConnection[Any], scope: tuple[str, ...]) -> str:
    """Fingerprint of the live catalog within ``scope``: what the executor's drift gate compares with ``plan.base``."""
    from wesley_tui.catalog.fingerprint import fingerprint
    from wesley_tui.catalog.introspect import read_snapshot

    snapshot = await read_snapshot(connection, None)
    return fingerprint(snapshot.catalog, scope)


async def _read_digests(target: Target, plan: Plan) -> dict[str, dict[str, str]]:
    """What the live catalog holds of the scope of ``plan``; the tables that its steps touch part by part."""
    from wesley_tui.catalog.fingerprint import digests
    from wesley_tui.catalog.introspect import read_snapshot

    connection = await target.connect()
    try:
        snapshot = await read_snapshot(connection, None)
    finally:
        await connection.close()
    return digests(snapshot.catalog, plan.scope, {name for step in plan.steps for name in step.locks})


def followed(plan: Plan, begin: Callable[[], Run], listen: Listen) -> RunReport:
    """Begin a run and follow it to its end, also when a signal ends it: then the report's exit code is the shells'."""
    started = time.monotonic()
    with Interruption() as interruption:
        outcome, state = follow(begin(), listen(plan), interruption)
    report = report_of_outcome(plan, outcome, state, time.monotonic() - started)
    if interruption.number and outcome.status is RunStatus.CANCELLED:
        return replace(report, exit_code=interruption.status)
    return report


def follow(
    run: Run, on_event: Callable[[Event], None], interruption: Interruption | None = None
) -> tuple[RunOutcome, RunState]:
    """Hand every event to ``on_event`` until the run has ended. A signal that ``interruption`` knows of aborts the run
    cleanly: what the server runs is cancelled, and the run can be resumed."""
    while True:
        outcome = run.wait(_POLL_S)
        update = run.drain()
        for event in update.events:
            on_event(event)
        if outcome is not None:
            return outcome, run.drain().state
        if interruption is not None and interruption.new():
            run.abort(f"the process that executed it got {interruption.name}")


def report_of_outcome(plan: Plan, outcome: RunOutcome, state: RunState, seconds: float) -> RunReport:
    """What a run has done, and whether that was what the schema says."""
    from wesley_tui.services.audit import certificate_json
    from wesley_tui.services.forecast import forecast

    done, pending = report_of(plan, state, over=True)
    return RunReport(
        plan_id=plan.plan_id,
        run_id=outcome.run_id,
        status=str(outcome.status),
        exit_code=6 if outcome.verified is False else outcome.exit_code,
        steps=done,
        pending=pending if outcome.status is RunStatus.CONTRACT_PENDING else (),
        verified=outcome.verified,
        duration_ms=seconds * 1000,
        certificate=certificate_json(outcome.certificate) if outcome.certificate is not None else None,
        error=outcome.message,
        forecast=forecast(_without_contract(plan) if outcome.status is RunStatus.CONTRACT_PENDING else plan),
        schedule=schedule_of(plan, state) if outcome.status in _WHOLE else None,
    )


def schedule_of(plan: Plan, state: RunState) -> Schedule | None:
    """How the steps that this run has executed overlapped; None for fewer than two."""
    from wesley_tui.services.forecast import WORKERS, makespan

    ran: list[list[Step]] = []
    began: list[float] = []
    ended: list[float] = []
    for wave in plan.waves:
        ran.append([])
        for step in wave.steps:
            known = state.step(step.step_sha)
            if known.started is None or known.duration_ms is None or known.status is not StepStatus.SUCCEEDED:
                continue
            ran[-1].append(replace(step, estimate_ms=known.duration_ms))
            began.append(known.started.timestamp() * 1000)
            ended.append(began[-1] + known.duration_ms)
    if len(began) < 2:
        return None
    took = [step.estimate_ms for steps in ran for step in steps]
    return Schedule(round(max(ended) - min(began), 1), makespan(ran, WORKERS), round(sum(took), 1))


def _without_contract(plan: Plan) -> Plan:
    return replace(plan, waves=tuple(wave for wave in plan.waves if wave.name != "CONTRACT"))


def report_of(
    plan: Plan, state: RunState, *, over: bool = False
) -> tuple[tuple[StepReport, ...], tuple[StepReport, ...]]:
    """The steps that an event has named, and those that none has. ``over``: no process executes the run, so a step
    without an end was interrupted."""
    told: list[StepReport] = []
    untold: list[StepReport] = []
    for wave in plan.waves:
        for step in wave.steps:
            report = _step_report(wave.name, step, state)
            if over and report.status == StepStatus.RUNNING:
                report = replace(report, status=INTERRUPTED)
            (untold if report.status == StepStatus.PENDING else told).append(report)
    return tuple(told), tuple(untold)


def _step_report(wave: str, step: Step, state: RunState) -> StepReport:
    known = state.step(step.step_sha)
    return StepReport(
        step.step_sha, wave, step.op, step.object, str(known.status), known.attempt, known.duration_ms, known.message
    )
