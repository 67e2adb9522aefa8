"""Who knows which statement: every module of effects registers one function per node of the grammar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wesley_tui.planner.effects.context import EffectContext
from wesley_tui.planner.effects.record import Tally

__all__ = ["Rule", "known_kinds", "read", "rule"]

Rule = Callable[[Any, EffectContext, Tally], None]
_RULES: dict[str, Rule] = {}


def rule(*kinds: str) -> Callable[[Rule], Rule]:
    """Register a function for the nodes that are named."""

    def register(function: Rule) -> Rule:
        for kind in kinds:
            _RULES[kind] = function
        return function

    return register


def read(node: Any, context: EffectContext, tally: Tally) -> None:
    """Add the effects of ``node`` to ``tally``; without a rule for it the statement is unknown."""
    function = _RULES.get(node.tag)
    if function is None:
        tally.unknown = f"{node.tag.removesuffix('Stmt')} statements are not in the model"
    else:
        function(node, context, tally)


def known_kinds() -> frozenset[str]:
    """Nodes that somebody has registered."""
    return frozenset(_RULES)
