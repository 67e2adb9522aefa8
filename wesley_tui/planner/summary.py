"""A plan in one screen: the verdict, and a line per step."""

from __future__ import annotations

from collections.abc import Iterator

from wesley_tui.planner.explain.verdict import verdict
from wesley_tui.planner.explain.whole import risk_sentence
from wesley_tui.planner.human import human_duration
from wesley_tui.planner.outlook import Outlook
from wesley_tui.planner.plan import Plan


def summary_text(plan: Plan, outlook: Outlook | None = None) -> str:
    """What ``wesley plan`` says when nothing more is asked for."""
    lines = [verdict(plan)]
    if plan.waves:
        lines += [risk_sentence(plan), f"plan {plan.plan_id}"]
        lines += _outlook(outlook or Outlook())
    for wave in plan.waves:
        waits = "  waits for --contract" if wave.name == "CONTRACT" else ""
        lines += ["", f"{wave.name}  {wave.hazard.name} {wave.hazard.word}{waits}"]
        lines += [
            f"  {step.ordinal:>3}. {step.hazard.name} {step.op} {step.object}  ~{human_duration(step.estimate_ms)}"
            for step in wave.steps
        ]
    if plan.questions:
        lines += ["", *(f"? {question.why}" for question in plan.questions)]
    if plan.unmanaged:
        lines += [
            "",
            f"{len(plan.unmanaged)} object(s) that the schema does not declare are left alone (--json names them)",
        ]
    if plan.waves:
        lines += ["", "Look closer with --explain, --sql or --json; run it with: wesley apply"]
    return "\n".join(lines) + "\n"


def _outlook(outlook: Outlook) -> Iterator[str]:
    """How long as it is scheduled, and whether somebody is in the way; details are in the explanation."""
    forecast = outlook.forecast
    if forecast is not None and forecast.sequential_ms >= 1000:
        yield (
            f"about {human_duration(forecast.rolling_ms)} as the executor schedules it; "
            f"{human_duration(forecast.waves_ms)} wave by wave, {human_duration(forecast.sequential_ms)} one by one"
        )
    blocking = sum(item.blocks for item in outlook.obstacles)
    if blocking:
        who = "1 session is" if blocking == 1 else f"{blocking} sessions are"
        yield f"{who} in the way now: wesley blockers says whom to ask"
