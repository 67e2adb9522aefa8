"""A plan in one screen: the verdict, and a line per step."""

from __future__ import annotations

from wesley_tui.planner.estimates import human_duration
from wesley_tui.planner.explain.verdict import verdict
from wesley_tui.planner.plan import Plan


def summary_text(plan: Plan) -> str:
    """What ``wesley plan`` says when nothing more is asked for."""
    lines = [verdict(plan)]
    if plan.waves:
        lines.append(f"plan {plan.plan_id}")
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
