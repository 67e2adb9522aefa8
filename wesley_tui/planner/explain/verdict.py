"""The first line: is it safe, how long does it take, what needs a decision."""

from __future__ import annotations

from wesley_tui.planner.human import human_duration
from wesley_tui.planner.plan import HazardClass, Plan, Step

__all__ = ["verdict"]


def verdict(plan: Plan) -> str:
    """One sentence or two; begins with ``SAFE``, ``SAFE, WITH WORK``, ``DANGER`` or ``Nothing to do``."""
    steps = list(plan.steps)
    if not steps:
        return "Nothing to do: the database is what the schema declares."
    count = f"{len(steps)} step{'s' if len(steps) != 1 else ''}"
    duration = human_duration(sum(step.estimate_ms for step in steps))
    dangerous = [step for step in steps if step.hazard is HazardClass.H3]
    losing = [step for step in steps if step.loses]
    match plan.hazard:
        case HazardClass.H0:
            return f"SAFE: {count}, {duration}; nobody waits and nothing is lost."
        case HazardClass.H1:
            return f"SAFE: {count}, {duration}; clients wait for moments at most, and nothing is lost."
        case HazardClass.H2:
            return f"SAFE, WITH WORK: {count}, about {duration}; data is read or written while clients go on."
    parts = [f"DANGER: {len(dangerous)} of {count} can hurt"]
    if losing:
        parts.append(f"{len(losing)} {'loses' if len(losing) == 1 else 'lose'} something for good")
    breaking = [step for step in dangerous if step.breaks]
    if breaking:
        parts.append(f"{len(breaking)} {'breaks' if len(breaking) == 1 else 'break'} connected clients")
    return f"{'; '.join(parts)}. {_needed(plan, dangerous)} About {duration}."


def _needed(plan: Plan, dangerous: list[Step]) -> str:
    """The flags without which dangerous steps do not run."""
    last = {step.step_sha for wave in plan.waves if wave.name == "CONTRACT" for step in wave.steps}
    waiting = sum(step.step_sha in last for step in dangerous)
    if not waiting:
        return "They run only with --unsafe."
    if waiting == len(dangerous):
        return "All of them are in CONTRACT: they run only with --contract and --unsafe."
    where = "1 is in CONTRACT and needs" if waiting == 1 else f"{waiting} are in CONTRACT and need"
    return f"They run only with --unsafe; {where} --contract too."
