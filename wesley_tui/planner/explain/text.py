"""As plain text, 80 columns, without colour: what runs, what it locks, who waits, how to go back."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from wesley_tui.planner.explain.facts import WAVE_MEANING, badge, facts_of, statements_of
from wesley_tui.planner.explain.verdict import verdict
from wesley_tui.planner.explain.whole import risk_sentence, sections_of
from wesley_tui.planner.outlook import Outlook
from wesley_tui.planner.plan import Plan, Step, Wave

__all__ = ["explain_text"]

WIDTH = 80


def explain_text(plan: Plan, outlook: Outlook | None = None) -> str:
    """The first line is a verdict for somebody who reads only that; then what is known of the whole, every wave and
    step, the open questions, and what is left alone."""
    outlook = outlook or Outlook()
    lines = _wrap(verdict(plan))
    if plan.waves:
        lines += _wrap(risk_sentence(plan))
        lines += ["", f"plan {plan.plan_id[:16]}  profile {plan.profile}  PostgreSQL {_version(plan)}"]
        for section in sections_of(plan, outlook):
            lines += ["", f"{section.title}:"]
            for sentence in section.sentences:
                lines += _wrap(sentence, "  - ", "    ")
    else:
        lines.append("")
    ordinals = {step.step_sha: step.ordinal for step in plan.steps}
    for wave in plan.waves:
        lines += _wave(wave, ordinals, outlook)
    if plan.questions:
        lines += ["", "Questions: a rename would keep the data"]
        for question in plan.questions:
            lines += _wrap(question.why, "  ? ", "    ")
    if plan.unmanaged:
        lines += ["", f"Left alone: {len(plan.unmanaged)} objects that the schema does not declare"]
        lines += [f"  {name}" for name in plan.unmanaged[:20]]
        if len(plan.unmanaged) > 20:
            lines.append(f"  and {len(plan.unmanaged) - 20} more")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _version(plan: Plan) -> str:
    return f"{plan.server_version_num // 10000}.{plan.server_version_num % 10000}"


def _wave(wave: Wave, ordinals: Mapping[str, int], outlook: Outlook) -> Iterator[str]:
    yield ""
    yield from _wrap(f"{wave.name} [{badge(wave.hazard)}] {WAVE_MEANING[wave.name]}")
    for step in wave.steps:
        yield from _step(step, ordinals, outlook)


def _step(step: Step, ordinals: Mapping[str, int], outlook: Outlook) -> Iterator[str]:
    yield from _wrap(f"[{badge(step.hazard)}] {step.op} {step.object}", f"{step.ordinal:>4}. ", " " * 6)
    for number, statement in enumerate(statements_of(step)):
        yield from _field("runs" if not number else "then", statement)
    for fact in facts_of(step, ordinals, outlook.obstacles):
        yield from _field(fact.name, fact.text)


def _field(name: str, text: str) -> list[str]:
    return _wrap(text, f"       {name + ':':<9} ", " " * 17)


def _wrap(text: str, first: str = "", later: str = "") -> list[str]:
    """Lines of at most 80 columns; a word that is longer, such as a name, is not cut."""
    clean = " ".join(text.split())
    return textwrap.wrap(
        clean, WIDTH, initial_indent=first, subsequent_indent=later, break_long_words=False, break_on_hyphens=False
    ) or [first.rstrip()]
