"""Every rule: its bad SQL raises it, its good SQL raises nothing at all, and its page is current."""

from __future__ import annotations

from pathlib import Path

import pytest

from wesley_tui.lint import LintOptions, lint_script
from wesley_tui.lint.pages import hazards_page, rules_page
from wesley_tui.lint.rules import Rule, all_rules

TIMEOUTS = "SET lock_timeout = '2s';\nSET statement_timeout = '30s';\n"
ROOT = Path(__file__).parents[2]
RULES = all_rules()


def found(sql: str, options: LintOptions | None = None) -> list[str]:
    return [item.rule for report in lint_script(sql, options or LintOptions()) for item in report.findings]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_bad_sql_raises_the_rule_and_good_sql_nothing(rule: Rule) -> None:
    assert rule.id in found(rule.bad)
    reports = lint_script(TIMEOUTS + rule.good, LintOptions())
    findings = [item for report in reports for item in report.findings]
    assert rule.id not in {item.rule for item in findings}
    assert [item for item in findings if item.severity != "info"] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_rules_are_described(rule: Rule) -> None:
    assert rule.why.endswith((".", "?"))
    assert rule.fix
    assert rule.id == rule.id.lower()
    assert rule.severity in ("error", "warning", "info")


def test_there_are_many_rules() -> None:
    assert len(RULES) >= 180


def test_the_page_is_current() -> None:
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == rules_page()
    page = (ROOT / "docs" / "hazards.md").read_text(encoding="utf-8")
    assert page == hazards_page(page)
    assert all(f"\n#### {rule.id}\n" in page for rule in RULES)
