"""All rules, by id. A rule is data with a function: why it exists, what to write instead, SQL that raises it and SQL
that does not, both of which are tests (``tests/unit/test_lint_rules.py``) and both of which are on its page."""

from __future__ import annotations

from wesley_tui.lint.rules.registry import RULES, Rule, rules_for

__all__ = ["RULES", "Rule", "all_rules", "rules_for"]


def all_rules() -> tuple[Rule, ...]:
    """Every rule, in the order of the documentation."""
    from wesley_tui.lint.rules import (  # noqa: F401 - imported for what they register
        columns,
        constraints,
        data,
        design,
        indexes,
        maintenance,
        objects,
        security,
        tables,
        transactions,
    )

    return tuple(RULES.values())
