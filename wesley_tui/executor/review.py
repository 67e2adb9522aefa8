"""Review before execute is a type: nothing runs without a :class:`ReviewToken`, and only :func:`review` makes one."""

from __future__ import annotations

import getpass
from collections.abc import Collection
from dataclasses import dataclass

from wesley_tui.executor.errors import UnsafeBlocked
from wesley_tui.executor.stored import plan_digest, sha256_hex
from wesley_tui.planner.plan import HazardClass, Plan, Step

__all__ = ["ReviewToken", "dangerous_steps", "review"]


@dataclass(frozen=True, slots=True)
class ReviewToken:
    """What a person (or the flags of a command line) accepted."""

    plan_id: str
    plan_sha: str
    """Digest of the whole plan as it was shown: a plan that differs in one byte is another plan."""
    explain_sha: str
    """Digest of the explanation that was shown."""
    unsafe: bool
    contract: bool
    """Whether the CONTRACT wave may run too."""
    typed_names: tuple[str, ...]
    actor: str


def dangerous_steps(plan: Plan, *, contract: bool) -> list[Step]:
    """The H3 steps among those that would run."""
    return [
        step
        for wave in plan.waves
        if contract or wave.name != "CONTRACT"
        for step in wave.steps
        if step.hazard >= HazardClass.H3
    ]


def review(
    plan: Plan,
    *,
    explain: str,
    unsafe: bool,
    contract: bool,
    typed_names: Collection[str],
    actor: str = "",
) -> ReviewToken:
    """Accept ``plan``.

    ``typed_names``: the objects of H3 steps whose names were typed. Raises :class:`UnsafeBlocked`, which lists the
    steps, when an H3 step would run that was not accepted, or in profile ``chaos`` at all.
    """
    dangerous = dangerous_steps(plan, contract=contract)
    if dangerous and plan.profile == "chaos":
        raise UnsafeBlocked(_blocked(dangerous, "profile chaos never runs them; plan again with profile production"))
    if dangerous and not unsafe:
        raise UnsafeBlocked(_blocked(dangerous, "read what they lose, then accept them with --unsafe"))
    missing = [step for step in dangerous if step.object not in typed_names]
    if missing:
        raise UnsafeBlocked(_blocked(missing, "type the name of each object to accept it"))
    return ReviewToken(
        plan_id=plan.plan_id,
        plan_sha=plan_digest(plan),
        explain_sha=sha256_hex(explain),
        unsafe=unsafe,
        contract=contract,
        typed_names=tuple(sorted(typed_names)),
        actor=actor or getpass.getuser(),
    )


def _blocked(steps: list[Step], what_next: str) -> str:
    shown = "; ".join(f"step {step.ordinal}: {step.op} {step.object}" for step in steps[:10])
    more = f" and {len(steps) - 10} more" if len(steps) > 10 else ""
    what = f"{len(steps)} step(s) of class H3 would block clients or lose data: {shown}{more}"
    return f"{what}. Nothing was changed; {what_next}"
