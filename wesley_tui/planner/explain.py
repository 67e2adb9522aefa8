"""Explain a plan in plain text, 80 columns, without colour: what runs, what it locks, who waits, how to go back."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from wesley_tui.planner.estimates import human_duration
from wesley_tui.planner.plan import HazardClass, Plan, Step, StepKind, Wave

__all__ = ["explain_text", "verdict"]

WIDTH = 80

_WAVE_MEANING = {
    "PLAN": "checks before anything is changed",
    "EXPAND": "what is new is added beside what is there",
    "BACKFILL": "rows get their new values, in batches",
    "VALIDATE": "the new rules are proven on the old rows",
    "CONTRACT": "what is no longer declared goes; runs only when asked for",
}


def explain_text(plan: Plan) -> str:
    """The first line is a verdict for somebody who reads only that; then every wave and step, the open questions, and
    what is left alone."""
    lines = [*_wrap(verdict(plan)), ""]
    if plan.waves:
        lines.append(f"plan {plan.plan_id[:16]}  profile {plan.profile}  PostgreSQL {_version(plan)}")
    for wave in plan.waves:
        lines += _wave(wave, plan)
    if plan.questions:
        lines += ["", "Questions: a rename would keep the data"]
        for question in plan.questions:
            lines += _wrap(question.why, "  ? ", "    ")
    if plan.unmanaged:
        lines += ["", f"Left alone: {len(plan.unmanaged)} objects that the schema does not declare"]
        lines += [f"  {name}" for name in plan.unmanaged[:20]]
        if len(plan.unmanaged) > 20:
            lines.append(f"  and {len(plan.unmanaged) - 20} more")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def verdict(plan: Plan) -> str:
    """One sentence: is it safe, how long, what needs a decision."""
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


def _version(plan: Plan) -> str:
    return f"{plan.server_version_num // 10000}.{plan.server_version_num % 10000}"


def _wave(wave: Wave, plan: Plan) -> Iterator[str]:
    yield ""
    yield from _wrap(f"{wave.name} [{_badge(wave.hazard)}] {_WAVE_MEANING[wave.name]}")
    ordinals = {step.step_sha: step.ordinal for step in plan.steps}
    for step in wave.steps:
        yield from _step(step, ordinals)


def _badge(hazard: HazardClass) -> str:
    return f"{hazard.name} {hazard.word}"


def _step(step: Step, ordinals: dict[str, int]) -> Iterator[str]:
    yield from _wrap(f"[{_badge(step.hazard)}] {step.op} {step.object}", f"{step.ordinal:>4}. ", " " * 6)
    for number, statement in enumerate(step.statements or (step.sql,)):
        yield from _field("runs" if not number else "then", statement)
    locks = ", ".join(f"{name} {mode.name}" for name, mode in step.locks.items()) or "none"
    yield from _field("locks", locks)
    yield from _field("waits", step.who_waits or "nobody")
    yield from _field("takes", f"about {human_duration(step.estimate_ms)}{_how(step)}")
    for reason in step.why:
        yield from _field("why", reason)
    if step.depends_on:
        yield from _field("after", ", ".join(str(ordinals[sha]) for sha in step.depends_on))
    for check in step.prechecks:
        yield from _field("stops if", check.message)
    if step.loses:
        yield from _field("loses", step.loses)
    if step.breaks:
        yield from _field("breaks", step.breaks)
    if step.undo:
        yield from _field("undo", "; ".join(step.undo))
    elif step.loses:
        yield from _field("undo", "none: what is lost cannot be brought back")
    else:
        yield from _field("undo", "none is needed or possible; it may stay")


def _how(step: Step) -> str:
    if step.kind is StepKind.AUTOCOMMIT:
        return ", outside a transaction"
    return ", in batches" if step.kind is StepKind.BACKFILL else ", in one transaction"


def _field(name: str, text: str) -> list[str]:
    return _wrap(text, f"       {name + ':':<9} ", " " * 17)


def _wrap(text: str, first: str = "", later: str = "") -> list[str]:
    """Lines of at most 80 columns; a word that is longer, such as a name, is not cut."""
    clean = " ".join(text.split())
    return textwrap.wrap(
        clean, WIDTH, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    ) or [first.rstrip()]
