"""What a policy says about a plan: for every step whether it may run, and which rule of which policy decided.

Pure: the history of the database and the time come in. A step is *allowed*, *needs confirmation* by a person, or is
*refused*; the plan as a whole can be refused too (too many steps, too soon, too often).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, Literal

from wesley_tui.catalog.model import QName
from wesley_tui.planner.human import human_duration
from wesley_tui.planner.identity import with_identity
from wesley_tui.planner.plan import LockMode, Plan, Step, Wave
from wesley_tui.planner.policy import Policy

__all__ = [
    "Decision",
    "PastRun",
    "PlanVerdict",
    "RuleVerdict",
    "StepVerdict",
    "judge_plan",
    "table_allowed",
    "with_lock_timeout",
    "within_limits",
]

Decision = Literal["allowed", "needs confirmation", "refused"]
_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run of the ledger, as far as rules look at it."""

    plan_id: str
    actor: str
    started: datetime
    ended: datetime | None
    """None: it is not over."""


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    decision: Decision
    rule: str
    """The key in the policy's ``[rules]``; empty when no rule had anything to say."""
    policy: str
    """Which policy says so."""
    message: str


@dataclass(frozen=True, slots=True)
class StepVerdict:
    step_sha: str
    ordinal: int
    wave: str
    op: str
    object: str
    verdict: RuleVerdict


@dataclass(frozen=True, slots=True)
class PlanVerdict:
    policy: str
    plan: tuple[RuleVerdict, ...]
    """What rules say about the plan as a whole, where they object."""
    steps: tuple[StepVerdict, ...]

    @property
    def decision(self) -> Decision:
        found = {item.decision for item in self.plan} | {item.verdict.decision for item in self.steps}
        for decision in ("refused", "needs confirmation"):
            if decision in found:
                return decision
        return "allowed"

    def of(self, decision: Decision, waves: Collection[str] | None = None) -> tuple[StepVerdict, ...]:
        return tuple(
            item for item in self.steps if item.verdict.decision == decision and (waves is None or item.wave in waves)
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.policy,
            "decision": self.decision,
            "plan": [_json(item) for item in self.plan],
            "steps": [
                {
                    "ordinal": item.ordinal,
                    "step_sha": item.step_sha,
                    "op": item.op,
                    "object": item.object,
                    **_json(item.verdict),
                }
                for item in self.steps
            ],
        }

    def text(self) -> str:
        """A line that counts, and one for each that is not simply allowed."""
        counts = [f"{len(self.of('allowed'))} allowed"]
        for decision, word in (("needs confirmation", "to confirm"), ("refused", "refused")):
            found = self.of(decision)  # type: ignore[arg-type]  # both are decisions
            counts += [f"{len(found)} {word}"] if found else []
        lines = [f"Policy {self.policy}: {', '.join(counts)}"]
        lines += [f"  {item.decision}: {item.message} ({item.rule}, {item.policy})" for item in self.plan]
        for item in self.steps:
            verdict = item.verdict
            if verdict.decision != "allowed":
                lines.append(
                    f"  {item.ordinal:>3}. {verdict.decision}: {verdict.message} ({verdict.rule}, {verdict.policy})"
                )
        return "\n".join(lines)


def _json(item: RuleVerdict) -> dict[str, str]:
    return {"decision": item.decision, "rule": item.rule, "policy": item.policy, "message": item.message}


def judge_plan(
    plan: Plan,
    policy: Policy,
    *,
    actor: str = "",
    now: datetime | None = None,
    history: Sequence[PastRun] = (),
    windows: Collection[str] | None = None,
) -> PlanVerdict:
    """``now``: the server's time; without it nothing is said about the history. ``windows``: the waves whose steps wait
    for a window; None when that is not decided yet."""
    steps = tuple(
        StepVerdict(step.step_sha, step.ordinal, wave.name, step.op, step.object, verdict)
        for wave in plan.waves
        for position, step in enumerate(wave.steps, 1)
        for verdict in [_worst(_of_step(step, position, wave, policy), policy)]
    )
    whole = [*_of_plan(plan, policy, windows)]
    if now is not None:
        whole += _of_history(plan, policy, actor, now, history)
    return PlanVerdict(policy.name, tuple(whole), steps)


def _worst(found: Iterator[RuleVerdict], policy: Policy) -> RuleVerdict:
    verdicts = list(found)
    for decision in ("refused", "needs confirmation"):
        for item in verdicts:
            if item.decision == decision:
                return item
    return RuleVerdict("allowed", "", policy.name, "no rule objects")


def _said(policy: Policy, decision: Decision, rule: str, message: str) -> RuleVerdict:
    return RuleVerdict(decision, rule, policy.origin.get(rule, policy.name), message)


def touched_tables(step: Step) -> tuple[str, ...]:
    """The tables that a step locks against others, writes, or makes."""
    strong = [name for name, mode in step.locks.items() if mode >= LockMode.RowExclusiveLock]
    made = [step.object] if step.op == "create_table" else []
    filled = [step.backfill.table] if step.backfill is not None else []
    return tuple(dict.fromkeys([*strong, *step.rewrites, *made, *filled]))


def table_allowed(name: QName | str, policy: Policy) -> bool:
    text = str(name)
    rules = policy.rules
    allowed = not rules.allow_tables or any(fnmatchcase(text, pattern) for pattern in rules.allow_tables)
    return allowed and not any(fnmatchcase(text, pattern) for pattern in rules.deny_tables)


def _of_step(step: Step, position: int, wave: Wave, policy: Policy) -> Iterator[RuleVerdict]:
    rules = policy.rules
    named = f"{step.op} {step.object}"
    if rules.max_hazard is not None and step.hazard > rules.max_hazard:
        yield _said(policy, "refused", "max_hazard", f"{named} is {step.hazard.name}, at most {rules.max_hazard.name}")
    if any(fnmatchcase(step.op, pattern) for pattern in rules.deny_ops):
        yield _said(policy, "refused", "deny_ops", f"{step.op} is not to be done")
    if rules.allow_ops and not any(fnmatchcase(step.op, pattern) for pattern in rules.allow_ops):
        yield _said(policy, "refused", "allow_ops", f"{step.op} is not among what may be done")
    for table in touched_tables(step):
        if any(fnmatchcase(table, pattern) for pattern in rules.deny_tables):
            yield _said(policy, "refused", "deny_tables", f"{named} touches {table}")
        elif not table_allowed(table, policy):
            yield _said(policy, "refused", "allow_tables", f"{named} touches {table}, which is not in the list")
    if rules.max_steps_per_wave is not None and position > rules.max_steps_per_wave:
        yield _said(
            policy, "refused", "max_steps_per_wave",
            f"{named} is step {position} of {wave.name}, which has at most {rules.max_steps_per_wave}",
        )  # fmt: skip
    yield from _of_amounts(step, named, policy)
    if rules.confirm_hazard is not None and step.hazard >= rules.confirm_hazard:
        yield _said(
            policy, "needs confirmation", "confirm_hazard", f"{named} is {step.hazard.name}: it runs with --unsafe only"
        )


def _of_amounts(step: Step, named: str, policy: Policy) -> Iterator[RuleVerdict]:
    rules = policy.rules
    rows = max(step.work.get("filled_rows", 0), step.work.get("sorted_rows", 0))
    if rules.max_rows is not None and rows > rules.max_rows:
        yield _said(policy, "refused", "max_rows", f"{named} goes over {rows:,} rows, at most {rules.max_rows:,}")
    written = step.work.get("written_bytes", 0)
    if rules.max_written_bytes is not None and written > rules.max_written_bytes:
        yield _said(
            policy, "refused", "max_written_bytes",
            f"{named} writes {written:,} bytes, at most {rules.max_written_bytes:,}",
        )  # fmt: skip
    if rules.max_step_ms is not None and step.estimate_ms > rules.max_step_ms:
        took, most = human_duration(step.estimate_ms), human_duration(rules.max_step_ms)
        yield _said(policy, "refused", "max_step_ms", f"{named} takes about {took}, at most {most}")
    if rules.max_lock_ms is not None and step.lock_timeout_ms > rules.max_lock_ms:
        yield _said(
            policy, "refused", "max_lock_ms",
            f"{named} would wait {step.lock_timeout_ms} ms for a lock, at most {rules.max_lock_ms}",
        )  # fmt: skip
    if rules.max_stmt_ms is not None and step.statement_timeout_ms > rules.max_stmt_ms:
        yield _said(
            policy, "refused", "max_stmt_ms",
            f"{named} may run {step.statement_timeout_ms} ms, at most {rules.max_stmt_ms}",
        )  # fmt: skip
    if rules.max_rows_per_second is not None and step.backfill is not None:
        rate = step.backfill.rows_per_second
        if rate is None or rate > rules.max_rows_per_second:
            said = "no limit" if rate is None else f"{rate:,} rows a second"
            yield _said(
                policy, "refused", "max_rows_per_second",
                f"{named} has {said}, at most {rules.max_rows_per_second:,} rows a second: say it in limits",
            )  # fmt: skip


def _of_plan(plan: Plan, policy: Policy, windows: Collection[str] | None) -> Iterator[RuleVerdict]:
    rules = policy.rules
    steps = list(plan.steps)
    if rules.max_steps is not None and len(steps) > rules.max_steps:
        yield _said(policy, "refused", "max_steps", f"the plan has {len(steps)} steps, at most {rules.max_steps}")
    total = sum(step.estimate_ms for step in steps)
    if rules.max_plan_ms is not None and total > rules.max_plan_ms:
        took, most = human_duration(total), human_duration(rules.max_plan_ms)
        yield _said(policy, "refused", "max_plan_ms", f"the plan takes about {took}, at most {most}")
    open_waves = [
        wave.name for wave in plan.waves if wave.name in rules.require_window and wave.name not in (windows or ())
    ]
    if open_waves:
        yield _said(
            policy, "needs confirmation" if windows is None else "refused", "require_window",
            f"{', '.join(open_waves)} runs within a window only: say --window, and --window-for {','.join(open_waves)}",
        )  # fmt: skip


def _of_history(
    plan: Plan, policy: Policy, actor: str, now: datetime, history: Sequence[PastRun]
) -> Iterator[RuleVerdict]:
    rules = policy.rules
    others = [run for run in history if run.plan_id != plan.plan_id]
    if rules.cooldown_s is not None and others:
        since = (now - max(run.ended or run.started for run in others)).total_seconds()
        if since < rules.cooldown_s:
            yield _said(
                policy, "refused", "cooldown_s",
                f"the last run ended {max(0, since):.0f} s ago, {rules.cooldown_s} s must pass: try again in "
                f"{rules.cooldown_s - since:.0f} s",
            )  # fmt: skip
    if rules.plans_per_user_per_day is not None:
        plans = {run.plan_id for run in others if run.actor == actor and now - run.started < _DAY}
        if len(plans) >= rules.plans_per_user_per_day:
            first = min(run.started for run in others if run.plan_id in plans and now - run.started < _DAY)
            yield _said(
                policy, "refused", "plans_per_user_per_day",
                f"{actor} has run {len(plans)} plans in 24 hours, at most {rules.plans_per_user_per_day}: the next may "
                f"run after {(first + _DAY):%Y-%m-%d %H:%M} (server time)",
            )  # fmt: skip


def within_limits(plan: Plan, policy: Policy, base: Policy) -> Plan:
    """``plan``, made by the limits of ``base``, with those of ``policy``; steps that say another limit keep it."""
    old, new = base.limits, policy.limits
    if (old.lock_timeout_ms, old.statement_timeout_ms) == (new.lock_timeout_ms, new.statement_timeout_ms):
        return plan

    def limited(step: Step) -> Step:
        if step.lock_timeout_ms == old.lock_timeout_ms:
            step = with_lock_timeout(step, new.lock_timeout_ms)
        same = step.statement_timeout_ms == old.statement_timeout_ms
        return replace(step, statement_timeout_ms=new.statement_timeout_ms) if same else step

    waves = tuple(Wave(wave.name, tuple(map(limited, wave.steps))) for wave in plan.waves)
    return with_identity(replace(plan, waves=waves))


def with_lock_timeout(step: Step, milliseconds: int) -> Step:
    """``step`` with another limit, also where it says how long others may wait."""
    said, says = (f"at most {limit / 1000:g} s each attempt" for limit in (step.lock_timeout_ms, milliseconds))
    return replace(step, lock_timeout_ms=milliseconds, who_waits=step.who_waits.replace(said, says))
