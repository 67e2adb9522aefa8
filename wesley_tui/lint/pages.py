"""``docs/hazards.md`` from its marker on, and the index ``docs/rules.md``, written from the rules themselves:
``python -m wesley_tui.lint.pages docs``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from wesley_tui.lint.rules import Rule, all_rules

__all__ = ["hazards_page", "rules_page"]

_MARKER = "<!-- Below this line the page is written by python -m wesley_tui.lint.pages -->\n"
_INDEX = """# Rules of `wesley lint`

Every rule has its page in [hazards.md](hazards.md#the-rules): why it exists, SQL that raises it, SQL that does the same
without a warning. Written by `python -m wesley_tui.lint.pages docs`; a test keeps it current.
"""
_RULES = """## The rules

`error`: an outage, a loss or a failure is to be expected. `warning`: it depends. `info`: good to know. Each rule has
SQL that raises it, and SQL that does the same without a warning once `lock_timeout` and `statement_timeout` are set;
both are tests. `-- wesley:ignore RULE REASON` beside a statement silences one.
"""


def rules_page() -> str:
    """The index as Markdown."""
    parts = [_INDEX]
    for topic, rules in _by_topic():
        parts.append(f"## {topic}\n\n| rule | severity | what |\n|---|---|---|")
        parts += [f"| [{rule.id}](hazards.md#{rule.id}) | {rule.severity} | {rule.title} |" for rule in rules]
        parts.append("")
    return "\n".join(parts)


def hazards_page(page: str) -> str:
    """``page`` as it is, with the part below the marker written anew."""
    parts = [page.partition(_MARKER)[0] + _MARKER, _RULES]
    for topic, rules in _by_topic():
        parts.append(f"### {topic}\n")
        parts += [_section(rule) for rule in rules]
    return "\n".join(parts)


def _by_topic() -> Iterator[tuple[str, list[Rule]]]:
    topics: dict[str, list[Rule]] = {}
    for rule in all_rules():
        topics.setdefault(rule.topic, []).append(rule)
    yield from topics.items()


def _section(rule: Rule) -> str:
    return (
        f"#### {rule.id}\n\n**{rule.title}** · {rule.severity}\n\n{rule.why}\n\n*Instead:* {rule.fix}\n\n"
        f"```sql\n-- raises it\n{_shortened(rule.bad)}\n```\n\n```sql\n-- instead\n{rule.good.rstrip()}\n```\n"
    )


def _shortened(sql: str) -> str:
    return sql if len(sql) < 600 else f"{sql[:120]} …"


if __name__ == "__main__":
    docs = Path(sys.argv[1])
    hazards = docs / "hazards.md"
    hazards.write_text(hazards_page(hazards.read_text(encoding="utf-8")), encoding="utf-8")
    (docs / "rules.md").write_text(rules_page(), encoding="utf-8")
