"""What a person has to type before a plan runs: a small state machine without a screen.

Each step of class H3 that would run has to be named, letter by letter; then the word ``apply``. An empty line never
counts, and nothing that was typed for one plan counts for another.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from wesley_tui.planner.plan import HazardClass, Plan, Step
from wesley_tui.tui.text import count, identifier

__all__ = ["CONFIRM_WORD", "UNDO_WORD", "Confirmation", "runnable_steps"]

CONFIRM_WORD = "apply"
UNDO_WORD = "rollback"


def runnable_steps(plan: Plan, *, contract: bool) -> tuple[Step, ...]:
    """The steps that a run would execute: CONTRACT only when it was asked for."""
    return tuple(step for wave in plan.waves if contract or wave.name != "CONTRACT" for step in wave.steps)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How far a person has come; every change gives a new record."""

    plan: Plan
    unsafe: bool
    contract: bool = False
    end_seen: bool = False
    typed: tuple[str, ...] = ()
    """Objects of H3 steps that were named, as they are called in the plan."""
    confirmed: bool = False
    problem: str = field(default="", compare=False)
    """Why the last line was not accepted."""
    word: str = CONFIRM_WORD
    """What is typed at last."""
    undo: bool = False
    """It is the undo of a run, all of which is one wave."""

    @property
    def steps(self) -> tuple[Step, ...]:
        return runnable_steps(self.plan, contract=self.contract)

    @property
    def dangerous(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.hazard is HazardClass.H3)

    @property
    def blocked(self) -> str:
        """Why this cannot run whatever is typed; empty when it can."""
        if not self.steps:
            if self.undo:
                return "Nothing to take back: no step of that run is done."
            if self.plan.waves:
                return "Only the CONTRACT wave is left: press ^T to include it."
            return "Nothing to do: the database has the declared schema."
        if self.dangerous and not self.unsafe:
            what = f"{count(len(self.dangerous), 'step')} of class H3, and Wesley was started without --unsafe"
            if self.undo:
                return f"{what}: nothing is taken back. Start again with --unsafe, or: wesley rollback --unsafe"
            if self.contract and not replace(self, contract=False).dangerous:
                return f"{what}: nothing runs. ^T leaves CONTRACT for later, or start again with --unsafe."
            return f"{what}: nothing of this plan runs. Change the schema, or start again with --unsafe."
        return ""

    @property
    def next_name(self) -> str | None:
        """The object that has to be named next, or None."""
        return next((step.object for step in self.dangerous if step.object not in self.typed), None)

    @property
    def wanted(self) -> str:
        """What has to be typed next; empty when nothing would help."""
        if self.blocked:
            return ""
        name = self.next_name
        return self.word if name is None else identifier(name)

    def with_contract(self, contract: bool) -> Confirmation:
        """Another selection of waves; what was typed for the old one no longer counts."""
        return replace(self, contract=contract, typed=(), confirmed=False, problem="")

    def with_end_seen(self) -> Confirmation:
        return replace(self, end_seen=True, problem="")

    def submit(self, line: str) -> Confirmation:
        """A typed line. Only the exact text moves on."""
        text = line.strip()
        if self.blocked:
            return replace(self, problem=self.blocked)
        if not text:
            return replace(self, problem=f"Enter alone runs nothing: type {self.wanted}")
        if not self.end_seen:
            return replace(self, problem="Read to the end first: PgDn, or ^End. Nothing runs before.")
        name = self.next_name
        if name is not None:
            if text not in (name, identifier(name)):
                return replace(self, problem=f"That is not {identifier(name)}. Nothing runs.")
            return replace(self, typed=(*self.typed, name), problem="")
        if text != self.word:
            return replace(self, problem=f"That is not the word {self.word}. Nothing runs.")
        return replace(self, confirmed=True, problem="")
