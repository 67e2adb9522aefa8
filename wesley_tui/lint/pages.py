"""``docs/rules.md``, written from the rules themselves: ``python -m wesley_tui.lint.pages > docs/rules.md``."""

from __future__ import annotations

import sys

from wesley_tui.lint.rules import Rule, all_rules

__all__ = ["rules_page"]

_HEAD = """# Rules of `wesley lint`

Written by `python -m wesley_tui.lint.pages`; a test keeps it current. What locks a statement takes is on
[locks.md](locks.md), what the classes mean on [hazards.md](hazards.md).

`error`: an outage, a loss or a failure is to be expected. `warning`: it depends. `info`: good to know. Each rule has
SQL that raises it, and SQL that does the same without a warning once `lock_timeout` and `statement_timeout` are set;
both are tests.
"""


def rules_page() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    topics: dict[str, list[Rule]] = {}
    for rule in all_rules():
        topics.setdefault(rule.topic, []).append(rule)
    for topic, rules in topics.items():
        parts.append(f"## {topic}\n")
        parts += [_section(rule) for rule in rules]
    return "\n".join(parts)


def _section(rule: Rule) -> str:
    return (
        f"### {rule.id}\n\n**{rule.title}** · {rule.severity}\n\n{rule.why}\n\n*Instead:* {rule.fix}\n\n"
        f"```sql\n-- raises it\n{_shortened(rule.bad)}\n```\n\n```sql\n-- instead\n{rule.good.rstrip()}\n```\n"
    )


def _shortened(sql: str) -> str:
    return sql if len(sql) < 600 else f"{sql[:120]} …"


if __name__ == "__main__":
    sys.stdout.write(rules_page())
