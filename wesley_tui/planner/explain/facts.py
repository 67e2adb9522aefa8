"""What there is to say about one step, as labelled sentences, in the order in which a careful person asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from wesley_tui.planner.human import about, work_sentence
from wesley_tui.planner.obstacles import Obstacle
from wesley_tui.planner.plan import HazardClass, Step, StepKind

__all__ = ["WAVE_MEANING", "Fact", "badge", "facts_of", "statements_of", "undo_of"]

WAVE_MEANING = {
    "PLAN": "checks before anything is changed",
    "EXPAND": "what is new is added beside what is there",
    "BACKFILL": "rows get their new values, in batches",
    "VALIDATE": "the new rules are proven on the old rows",
    "CONTRACT": "what is no longer declared goes; runs only when asked for",
}


class Fact(NamedTuple):
    name: str
    text: str


def badge(hazard: HazardClass) -> str:
    return f"{hazard.name} {hazard.word}"


def statements_of(step: Step) -> tuple[str, ...]:
    """What runs, statement by statement."""
    return step.statements or (step.sql,)


def facts_of(step: Step, ordinals: Mapping[str, int], obstacles: Iterable[Obstacle]) -> Iterator[Fact]:
    """All but the statements themselves. ``ordinals`` by ``step_sha``."""
    yield Fact("locks", ", ".join(f"{name} {mode.name}" for name, mode in step.locks.items()) or "none")
    yield Fact("waits", step.who_waits or "nobody")
    for obstacle in obstacles:
        if step.ordinal in obstacle.steps and obstacle.blocks:
            yield Fact("now", f"{obstacle.who} is in the way")
    yield Fact("takes", f"{about(step.estimate_ms)}{_how(step)}{_disks(step)}")
    for reason in step.why:
        yield Fact("why", reason)
    if step.depends_on:
        yield Fact("after", ", ".join(str(ordinals[sha]) for sha in step.depends_on))
    for check in step.prechecks:
        yield Fact("stops if", check.message)
    for check in step.postchecks:
        yield Fact("fails if", check.message)
    if step.loses:
        yield Fact("loses", step.loses)
    if step.breaks:
        yield Fact("breaks", step.breaks)
    yield Fact("undo", undo_of(step))


def undo_of(step: Step) -> str:
    """How to take it back, or why that cannot be or need not be done."""
    if step.undo:
        after = f"; but what it loses stays lost: {step.loses}" if step.loses else ""
        return "; ".join(step.undo) + after
    if step.loses:
        return "none: what is lost cannot be brought back"
    if step.kind is StepKind.BACKFILL:
        return "none: what it writes into rows stays, unless its column goes"
    if step.op == "validate_constraint":
        return "none is needed: it goes with the constraint that it proves"
    return "none: it stays, and does no harm"


def _disks(step: Step) -> str:
    sentence = work_sentence(step.work)
    return f"; {sentence}" if sentence else ""


def _how(step: Step) -> str:
    if step.kind is StepKind.AUTOCOMMIT:
        return ", outside a transaction"
    return ", in batches" if step.kind is StepKind.BACKFILL else ", in one transaction"
