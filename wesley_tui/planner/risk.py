"""One number for how much a plan can hurt: 0 (nothing can happen) to 100, for whoever has to compare plans.

Each step has a weight: its hazard class sets the base, time and bytes make it heavier, what is lost or breaks is added.

    weight = base(H) · (1 + log10(1 + seconds) / 2 + log10(1 + gigabytes) / 4) + 0.4 if it loses + 0.2 if it breaks
    base   = 0.01 (H0)   0.05 (H1)   0.25 (H2)   0.7 (H3)
    score  = 100 · (1 − e^−w),   w = (Σ weight³)^⅓

The cubes let the worst step decide: eight equal steps weigh as much as one of twice the weight, so a plan of a thousand
harmless steps stays harmless, and one drop among them is not lost in the crowd. Every part only ever grows: another
step, a higher class, a larger table never lower the score. One H3 step alone is at least 50.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from wesley_tui.planner.plan import HazardClass, Step

__all__ = ["Risk", "risk_of", "step_weight"]

_BASE = {HazardClass.H0: 0.01, HazardClass.H1: 0.05, HazardClass.H2: 0.25, HazardClass.H3: 0.7}
_LOSES = 0.4
_BREAKS = 0.2
_WORDS = ((20, "low"), (50, "moderate"), (75, "high"), (101, "extreme"))


@dataclass(frozen=True, slots=True)
class Risk:
    score: int
    """0 to 100."""
    worst: tuple[int, ...]
    """Ordinals of the steps that weigh most, heaviest first, at most three."""

    @property
    def word(self) -> str:
        """``low`` below 20, ``moderate`` below 50, ``high`` below 75, ``extreme`` from there on."""
        return next(word for bound, word in _WORDS if self.score < bound)


def step_weight(step: Step) -> float:
    """How much one step can hurt; above 0, without an upper bound."""
    gigabytes = (step.work.get("read_bytes", 0) + step.work.get("written_bytes", 0)) / 1e9
    size = 1 + math.log10(1 + max(step.estimate_ms, 0.0) / 1000) / 2 + math.log10(1 + gigabytes) / 4
    return _BASE[step.hazard] * size + (_LOSES if step.loses else 0) + (_BREAKS if step.breaks else 0)


def risk_of(steps: Iterable[Step]) -> Risk:
    """The score of these steps together."""
    weights = {step.ordinal: step_weight(step) for step in steps}
    together = math.fsum(weight**3 for weight in weights.values()) ** (1 / 3)
    worst = sorted(weights, key=lambda ordinal: (-weights[ordinal], ordinal))[:3]
    return Risk(round(100 * (1 - math.exp(-together))), tuple(worst))
