"""What a database remembers of its migrations, told to people and programs: status, history, verification."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from wesley_tui.executor import ledger
from wesley_tui.executor.certificate import (
    Certificate,
    certificate_of,
    compare_with_database,
    verify_certificate,
)
from wesley_tui.executor.events import RunState, RunStatus
from wesley_tui.executor.ledger import RunSummary
from wesley_tui.executor.stored import plan_from_document
from wesley_tui.planner.plan import Plan
from wesley_tui.services.errors import RunRefused
from wesley_tui.services.target import Target

__all__ = [
    "StoredRun",
    "Verification",
    "certificate_json",
    "history_json",
    "history_text",
    "read_history",
    "read_run",
    "status_json",
    "status_text",
    "unfinished_run",
    "verify_database",
]


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run with its plan and everything that its events say."""

    summary: RunSummary
    plan: Plan
    state: RunState


def read_history(target: Target, limit: int) -> list[RunSummary]:
    """The last runs, newest first; empty for a database that has never seen one."""
    return ledger.history(target.conninfo, limit)


def read_run(target: Target, run_id: int | None = None) -> StoredRun | None:
    """Run ``run_id``, or the last one; None when the database has none. ``RunRefused`` for a run that is not there."""
    summary = ledger.find(target.conninfo, run_id)
    if summary is None:
        if run_id is None:
            return None
        raise RunRefused(f"there is no run {run_id} on {target.label}; list them with: wesley history")
    plan = plan_from_document(ledger.plan_document(target.conninfo, summary.plan_id))
    return StoredRun(summary, plan, ledger.run_state(target.conninfo, summary.run_id))


def unfinished_run(target: Target, plan: Plan) -> StoredRun | None:
    """The last run, if it stopped before its end on the way to the same target as ``plan``.

    Planning the rest anew would be wrong then: what a half-done backfill still owes cannot be seen in the catalog. A
    run that was refused CONTRACT because of drift owes nothing of that kind, and its plan is not to be gone on with.
    """
    stored = read_run(target)
    if stored is None or stored.plan.target != plan.target or stored.summary.owned:
        return None
    # A paused run goes on when somebody resumes it, not because somebody applies the same schema.
    unfinished = {RunStatus.RUNNING, RunStatus.FAILED}
    if stored.summary.status not in unfinished:
        return None
    drifted = ledger.sqlstate_of_end(target.conninfo, stored.summary.run_id) == "WE007"
    return None if drifted and stored.summary.status is RunStatus.FAILED else stored


def summary_json(run: RunSummary) -> dict[str, Any]:
    data = asdict(run)
    data["status"] = str(run.status)
    data["recovery_needed"] = run.recovery_needed
    data["started"] = run.started.isoformat()
    data["finished"] = run.finished.isoformat() if run.finished is not None else None
    return data


def history_json(runs: Sequence[RunSummary]) -> dict[str, Any]:
    return {"runs": [summary_json(run) for run in runs]}


def history_text(runs: Sequence[RunSummary]) -> str:
    if not runs:
        return "No migration was ever run on this database."
    lines = [f"{'run':>4}  {'plan':<16}  {'status':<16}  {'steps':>9}  {'started (UTC)':<19}  actor"]
    lines += [
        f"{run.run_id:>4}  {run.plan_id[:16]:<16}  {_status(run):<16}  {run.succeeded:>4}/{run.steps:<4}  "
        f"{run.started:%Y-%m-%d %H:%M:%S}  {run.actor}"
        for run in runs
    ]
    return "\n".join(lines)


def status_json(stored: StoredRun | None) -> dict[str, Any]:
    if stored is None:
        return {"run": None, "steps": []}
    from wesley_tui.services.runs import report_of

    told, untold = report_of(stored.plan, stored.state, over=not stored.summary.owned)
    return {"run": summary_json(stored.summary), "steps": [asdict(step) for step in (*told, *untold)]}


def status_text(stored: StoredRun | None) -> str:
    if stored is None:
        return "No migration was ever run on this database."
    from wesley_tui.services.runs import report_of

    run = stored.summary
    ended = f", ended {run.finished:%H:%M:%S}" if run.finished is not None else ""
    lines = [
        f"Run {run.run_id} of plan {run.plan_id[:16]}: {_status(run)}",
        f"  by {run.actor}, started {run.started:%Y-%m-%d %H:%M:%S} UTC{ended}",
        f"  {run.succeeded} of {run.steps} steps done",
    ]
    if run.message:
        lines.append(f"  {run.message}")
    told, untold = report_of(stored.plan, stored.state, over=not run.owned)
    for step in (*told, *untold):
        took = f"{step.duration_ms:.0f} ms" if step.duration_ms is not None else ""
        lines.append(f"  {step.wave:<9} {step.status:<10} {step.op} {step.object}  {took}".rstrip())
    if run.recovery_needed or run.status in {RunStatus.FAILED, RunStatus.CANCELLED}:
        lines.append("Go on with: wesley resume; give it up with: wesley cancel")
    elif run.status is RunStatus.CONTRACT_PENDING:
        lines.append("The CONTRACT wave waits: wesley resume --contract")
    return "\n".join(lines)


def _status(run: RunSummary) -> str:
    return "interrupted" if run.recovery_needed else str(run.status)


def certificate_json(certificate: Certificate) -> dict[str, Any]:
    return {
        "sha256": hashlib.sha256(certificate.document.encode()).hexdigest(),
        "public_key": certificate.public_key,
        "signature": certificate.signature,
        "document": certificate.content,
    }


@dataclass(frozen=True, slots=True)
class Verification:
    """Empty problems: nothing was edited, removed or inserted, as far as the database and its certificates can tell."""

    problems: tuple[str, ...]
    runs: int
    certificates: int


def verify_database(target: Target, trusted_key: str | None = None) -> Verification:
    """Check the event chain, the ledger, and every run's last certificate against them."""
    problems = list(ledger.verify(target.conninfo))
    runs = ledger.history(target.conninfo, 10_000)
    certificates = 0
    for run in runs:
        certificate = certificate_of(target.conninfo, run.run_id)
        if certificate is None:
            continue
        certificates += 1
        found = verify_certificate(certificate, trusted_key) or compare_with_database(target.conninfo, certificate)
        problems += [f"certificate of run {run.run_id}: {problem}" for problem in found]
    return Verification(tuple(problems), len(runs), certificates)
