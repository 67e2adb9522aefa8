"""The registry of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from wesley_tui.lint.subject import Severity, Subject

__all__ = ["RULES", "Check", "Rule", "rule", "rules_for"]

Check = Callable[[Subject], Iterable[str]]
"""Yields one message per finding."""


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    topic: str
    title: str
    severity: Severity
    why: str
    fix: str
    bad: str
    good: str
    tags: tuple[str, ...]
    """Nodes that it looks at; empty means every statement."""
    check: Check


RULES: dict[str, Rule] = {}
_BY_TAG: dict[str, tuple[Rule, ...]] = {}


def rule(
    id: str,
    topic: str,
    severity: Severity,
    title: str,
    *,
    why: str,
    fix: str,
    bad: str,
    good: str,
    on: str = "",
) -> Callable[[Check], Check]:
    """Register a rule; ``on`` names the nodes it looks at, separated by blanks."""

    def register(check: Check) -> Check:
        assert id not in RULES, id
        RULES[id] = Rule(id, topic, title, severity, why, fix, bad, good, tuple(on.split()), check)
        _BY_TAG.clear()
        return check

    return register


def rules_for(tag: str) -> tuple[Rule, ...]:
    """The rules that look at a node."""
    found = _BY_TAG.get(tag)
    if found is None:
        found = _BY_TAG[tag] = tuple(item for item in RULES.values() if not item.tags or tag in item.tags)
    return found
