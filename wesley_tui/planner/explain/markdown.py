"""As Markdown, for a ticket or a pull request: the same words, with the SQL in blocks.

Names and texts of other people are shown as they are and never become markup: what Markdown or HTML would read as such
is escaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

from wesley_tui.planner.explain.facts import WAVE_MEANING, badge, facts_of, statements_of
from wesley_tui.planner.explain.verdict import verdict
from wesley_tui.planner.explain.whole import risk_sentence, sections_of
from wesley_tui.planner.outlook import Outlook
from wesley_tui.planner.plan import Plan, Step

__all__ = ["explain_markdown"]

_MARKUP = re.compile(r"([\\`*_\[\]|#~])")


def explain_markdown(plan: Plan, outlook: Outlook | None = None) -> str:
    """The same as :func:`wesley_tui.planner.explain.text.explain_text`; the verdict is the title."""
    return "\n".join(_document(plan, outlook or Outlook())).rstrip() + "\n"


def _document(plan: Plan, outlook: Outlook) -> Iterator[str]:
    yield f"# {_escaped(verdict(plan))}"
    yield ""
    if plan.waves:
        yield f"**{_escaped(risk_sentence(plan))}**"
        yield ""
        yield f"Plan `{plan.plan_id[:16]}`, profile {_escaped(plan.profile)}, for PostgreSQL {_version(plan)}."
        yield ""
    for section in sections_of(plan, outlook) if plan.waves else ():
        yield f"## {_escaped(section.title)}"
        yield ""
        yield from (f"- {_escaped(sentence)}" for sentence in section.sentences)
        yield ""
    ordinals = {step.step_sha: step.ordinal for step in plan.steps}
    for wave in plan.waves:
        yield f"## {wave.name}: {badge(wave.hazard)}"
        yield ""
        yield f"{WAVE_MEANING[wave.name].capitalize()}."
        yield ""
        for step in wave.steps:
            yield from _step(step, ordinals, outlook)
    if plan.questions:
        yield "## Questions"
        yield ""
        yield from (f"- {_escaped(question.why)}" for question in plan.questions)
        yield ""
    if plan.unmanaged:
        yield "## Left alone"
        yield ""
        yield f"{len(plan.unmanaged)} objects that the schema does not declare:"
        yield ""
        yield from (f"- {_escaped(name)}" for name in plan.unmanaged[:20])
        if len(plan.unmanaged) > 20:
            yield f"- and {len(plan.unmanaged) - 20} more"


def _version(plan: Plan) -> str:
    return f"{plan.server_version_num // 10000}.{plan.server_version_num % 10000}"


def _step(step: Step, ordinals: Mapping[str, int], outlook: Outlook) -> Iterator[str]:
    yield f"### {step.ordinal}. {badge(step.hazard)}: {_escaped(step.op)} {_escaped(step.object)}"
    yield ""
    sql = "".join(statement.rstrip().removesuffix(";") + ";\n" for statement in statements_of(step))
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", sql)), default=0))
    yield f"{fence}sql\n{sql}{fence}"
    yield ""
    yield "| | |"
    yield "|---|---|"
    for fact in facts_of(step, ordinals, outlook.obstacles):
        yield f"| {fact.name} | {_escaped(fact.text)} |"
    yield ""


def _escaped(text: str) -> str:
    return _MARKUP.sub(r"\\\1", html.escape(" ".join(text.split()), quote=False))
