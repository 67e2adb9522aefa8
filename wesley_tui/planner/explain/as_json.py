"""As JSON-ready data, for programs: what the text says, and the numbers behind it. The plan itself is
:func:`wesley_tui.planner.document.plan_to_json`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from wesley_tui.planner.codec import data_from_record
from wesley_tui.planner.estimates import total_work
from wesley_tui.planner.explain.facts import statements_of, undo_of
from wesley_tui.planner.explain.verdict import verdict
from wesley_tui.planner.obstacles import Activity, Obstacle
from wesley_tui.planner.outlook import Outlook
from wesley_tui.planner.plan import Plan, Step
from wesley_tui.planner.risk import risk_of, step_weight

__all__ = ["explain_json", "judged_json", "obstacles_json"]


def explain_json(plan: Plan, outlook: Outlook | None = None) -> dict[str, Any]:
    """What is not known is null."""
    outlook = outlook or Outlook()
    ordinals = {step.step_sha: step.ordinal for step in plan.steps}
    return {
        **judged_json(plan),
        "plan_id": plan.plan_id,
        "hazard": plan.hazard.name,
        "profile": plan.profile,
        "server_version_num": plan.server_version_num,
        "forecast": data_from_record(outlook.forecast) if outlook.forecast is not None else None,
        "work": total_work(plan.steps),
        "rates": {name: data_from_record(rate) for name, rate in plan.rates.items()},
        "blockers": obstacles_json(outlook.activity, outlook.obstacles) if outlook.activity is not None else None,
        "quiet": data_from_record(outlook.quiet) if outlook.quiet is not None else None,
        "waves": [
            {
                "name": wave.name,
                "hazard": wave.hazard.name,
                "steps": [_step(step, ordinals, outlook) for step in wave.steps],
            }
            for wave in plan.waves
        ],
        "questions": [question.why for question in plan.questions],
        "unmanaged": list(plan.unmanaged),
    }


def judged_json(plan: Plan) -> dict[str, Any]:
    """What stands beside a plan in ``wesley plan --json``, and at the top of its explanation."""
    risk = risk_of(plan.steps)
    now = risk_of(step for wave in plan.waves if wave.name != "CONTRACT" for step in wave.steps)
    return {
        "verdict": verdict(plan),
        "risk": {
            "score": risk.score,
            "word": risk.word,
            "without_contract": now.score,
            "worst_steps": list(risk.worst),
        },
    }


def _step(step: Step, ordinals: dict[str, int], outlook: Outlook) -> dict[str, Any]:
    return {
        "ordinal": step.ordinal,
        "step_sha": step.step_sha,
        "op": step.op,
        "object": step.object,
        "hazard": step.hazard.name,
        "risk_weight": round(step_weight(step), 4),
        "runs": list(statements_of(step)),
        "in_transaction": step.in_transaction,
        "locks": {name: mode.name for name, mode in step.locks.items()},
        "who_waits": step.who_waits or "nobody",
        "in_the_way_now": [item.who for item in outlook.obstacles if item.blocks and step.ordinal in item.steps],
        "estimate_ms": step.estimate_ms,
        "work": dict(step.work),
        "why": list(step.why),
        "after": [ordinals[sha] for sha in step.depends_on],
        "checked_before": [check.message for check in step.prechecks],
        "checked_after": [check.message for check in step.postchecks],
        "loses": step.loses,
        "breaks": step.breaks,
        "undo": list(step.undo),
        "undo_says": undo_of(step),
    }


def obstacles_json(activity: Activity | None, obstacles: tuple[Obstacle, ...]) -> dict[str, Any]:
    """Who is in the way, as of when, and what could not be seen; ``at`` is null when the server did not answer."""
    if activity is None:
        return {"at": None, "not_seen": "the server did not answer in time", "in_the_way": []}
    return {
        "at": activity.at.isoformat(),
        "not_seen": activity.unseen,
        "in_the_way": [_obstacle(item, activity.at) for item in obstacles],
    }


def _obstacle(item: Obstacle, at: datetime) -> dict[str, Any]:
    known: dict[str, Any] = {
        "who": item.who,
        "blocks": item.blocks,
        "steps": list(item.steps),
        "how": list(item.how),
        "advice": item.advice,
    }
    if item.session is not None:
        session = item.session
        known |= {
            "kind": session.kind.value,
            "pid": session.pid or None,
            "user": session.user,
            "application": session.application,
            "state": session.state,
            "query": session.query,
            "age_s": session.age_s,
            "since": (at - timedelta(seconds=session.age_s)).isoformat() if session.age_s is not None else None,
            "holds": {name: mode.name for name, mode in session.holds.items()},
        }
    return known
