"""How the records of a plan and of a run read on the screen: words first, then weight, then colour.

Pure functions from records to :class:`textual.content.Content`. Style names are theme variables (``theme.py``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from textual.content import Content

from wesley_tui.executor.events import RunState, RunStatus, StepState, StepStatus
from wesley_tui.planner.plan import HazardClass, LockMode, Plan, Step, Wave
from wesley_tui.planner.risk import risk_of
from wesley_tui.tui.glyphs import Glyphs
from wesley_tui.tui.text import count, duration, identifier, one_line, plain_lines, rows, short_sha, visible

__all__ = [
    "BADGE_WIDTH",
    "HAZARD_STYLE",
    "LOCK_SHORT",
    "WAVE_PURPOSE",
    "badge",
    "bar",
    "health_words",
    "plan_summary",
    "progress_text",
    "risk_words",
    "server_version",
    "short_object",
    "sql_content",
    "status_text",
    "waiting_summary",
    "window_words",
]

BADGE_WIDTH = len("H1 additive")

HAZARD_STYLE: Mapping[HazardClass, str] = {
    HazardClass.H0: "$hazard-0",
    HazardClass.H1: "$hazard-1",
    HazardClass.H2: "bold $hazard-2",
    HazardClass.H3: "bold reverse $hazard-3",
}

LOCK_SHORT: Mapping[LockMode, str] = {
    LockMode.AccessShareLock: "AS",
    LockMode.RowShareLock: "RS",
    LockMode.RowExclusiveLock: "RX",
    LockMode.ShareUpdateExclusiveLock: "SUX",
    LockMode.ShareLock: "S",
    LockMode.ShareRowExclusiveLock: "SRX",
    LockMode.ExclusiveLock: "X",
    LockMode.AccessExclusiveLock: "AX",
}
"""PostgreSQL's lock modes in three letters: Access, Row, Share, Update, eXclusive."""

LOCK_BLOCKS: Mapping[LockMode, str] = {
    LockMode.AccessShareLock: "nobody waits",
    LockMode.RowShareLock: "nobody waits",
    LockMode.RowExclusiveLock: "nobody waits",
    LockMode.ShareUpdateExclusiveLock: "nobody waits",
    LockMode.ShareLock: "writers wait",
    LockMode.ShareRowExclusiveLock: "writers wait",
    LockMode.ExclusiveLock: "writers wait",
    LockMode.AccessExclusiveLock: "everybody waits",
}

WAVE_PURPOSE: Mapping[str, str] = {
    "PLAN": "Checks and records what is about to happen.",
    "EXPAND": "Adds what the new schema needs. Clients of the old schema go on working.",
    "BACKFILL": "Writes existing rows, in batches that can be paused and resumed.",
    "VALIDATE": "Proves the new constraints on existing rows, while readers and writers go on.",
    "CONTRACT": "Takes away what the new schema does not have. Runs only when a person asks for it.",
}

STATUS_STYLE: Mapping[StepStatus, str] = {
    StepStatus.PENDING: "$muted",
    StepStatus.RUNNING: "bold $primary",
    StepStatus.SUCCEEDED: "$success",
    StepStatus.SKIPPED: "$muted",
    StepStatus.FAILED: "bold $error",
}

RUN_WORD: Mapping[RunStatus, tuple[str, str]] = {
    RunStatus.PENDING: ("starting", "bold $primary"),
    RunStatus.RUNNING: ("running", "bold $primary"),
    RunStatus.PAUSED: ("paused", "bold $warning"),
    RunStatus.FAILED: ("failed", "bold reverse $error"),
    RunStatus.CANCELLED: ("cancelled", "bold $warning"),
    RunStatus.ROLLED_BACK: ("rolled back", "bold $warning"),
    RunStatus.CONTRACT_PENDING: ("done, CONTRACT waits", "bold $success"),
    RunStatus.COMPLETE: ("complete", "bold $success"),
}


_HEALTH_STYLE: Mapping[str, str] = {"healthy": "$success", "degraded": "bold $warning", "open": "bold reverse $warning"}


def health_words(state: RunState) -> Content:
    """What the governor lets the run do: ``healthy``, ``slowed down``, ``held``."""
    word = {"healthy": "healthy", "degraded": "slowed down", "open": "held"}.get(state.health, state.health)
    return Content.styled(word, _HEALTH_STYLE.get(state.health, ""))


def window_words(state: RunState) -> Content:
    """The window that steps wait for, and whether it is open; empty when there is none."""
    if not state.window:
        return Content("")
    return Content.assemble(
        one_line(state.window), "  ", ("open", "$success") if state.window_open else ("closed", "bold $warning")
    )


def badge(hazard: HazardClass, *, word: bool = True, width: int = 0) -> Content:
    """``H2 data``, or ``H2`` alone; padded to ``width`` cells outside the style."""
    text = f"{hazard.name} {hazard.word}" if word else hazard.name
    return Content.assemble((text, HAZARD_STYLE[hazard]), " " * max(0, width - len(text)))


def plan_summary(plan: Plan, glyphs: Glyphs, *, contract: bool = False) -> Content:
    """What a run would do: ``H2 data · 7 steps in 3 waves · about 2.1 s``; ``H2 data now`` when something else waits.

    ``contract`` is whether the CONTRACT wave runs too.
    """
    if not plan.waves:
        return Content.styled("nothing to do", "bold $success")
    waves = [wave for wave in plan.waves if contract or wave.name != "CONTRACT"]
    if not waves:
        return Content("nothing now")
    steps = [step for wave in waves for step in wave.steps]
    total = sum(step.estimate_ms for step in steps)
    parts = [
        badge(max(wave.hazard for wave in waves)) + (" now" if len(waves) < len(plan.waves) else ""),
        Content(f"{count(len(steps), 'step')} in {count(len(waves), 'wave')}"),
    ]
    if total:
        parts.append(Content(f"about {duration(total)}"))
    return Content(f" {glyphs.separator} ").join(parts)


def risk_words(steps: Iterable[Step]) -> Content:
    """``risk 24 of 100, moderate``: of the steps that would run."""
    risk = risk_of(steps)
    style = "$error" if risk.score >= 50 else "$muted"
    return Content.styled(f"risk {risk.score} of 100, {risk.word}", style)


def waiting_summary(plan: Plan) -> Content:
    """``H3 danger waits in CONTRACT``; empty when the plan has no such wave."""
    wave = next((wave for wave in plan.waves if wave.name == "CONTRACT"), None)
    return Content("") if wave is None else badge(wave.hazard) + " waits in CONTRACT"


def server_version(number: int) -> str:
    """``18.4`` from ``server_version_num`` 180004; empty for 0."""
    return f"{number // 10000}.{number % 10000}" if number >= 100000 else ""


def common_schema(steps: Iterable[Step]) -> str:
    """The schema that all objects of a plan live in, with its dot, or empty: rows need not repeat it."""
    heads = {_without_kind(step.object.partition(".")[0]) for step in steps if "." in step.object}
    return f"{heads.pop()}." if len(heads) == 1 else ""


def short_object(name: str, schema: str) -> str:
    """``column users.email`` for ``column public.users.email`` when all objects live in ``public.``."""
    bare = _without_kind(name)
    return name[: len(name) - len(bare)] + bare.removeprefix(schema)


_KINDS = re.compile(
    "(?:column|constraint|domain|enum|extension|function|index|materialized view|policy|procedure|schema|sequence"
    "|table|trigger|type|view) "
)
"""What may stand before a name, as in ``table public.users``."""


def _without_kind(name: str) -> str:
    kind = _KINDS.match(name)
    return name[kind.end() :] if kind else name


def strongest_lock(step: Step) -> tuple[str, LockMode] | None:
    """The relation with the strongest lock of a step, and its mode."""
    if not step.locks:
        return None
    relation = max(step.locks, key=lambda name: (step.locks[name], name))
    return relation, step.locks[relation]


def status_text(state: StepState) -> str:
    """What a row says about a step while a run exists: rows done, duration, attempt."""
    if state.status is StepStatus.RUNNING:
        if state.rows_total:
            return f"{min(100, 100 * state.rows_done // state.rows_total)} %"
        if state.rows_done:
            return f"{rows(state.rows_done)} rows"
        return f"try {state.attempt}" if state.attempt > 1 else "running"
    if state.status is StepStatus.SUCCEEDED and state.duration_ms is not None:
        return duration(state.duration_ms)
    return "" if state.status is StepStatus.PENDING else state.status.value


def progress_text(state: StepState) -> str:
    """``41.2 k of 100 k rows``; empty when no rows are counted."""
    if state.rows_total:
        return f"{rows(state.rows_done)} of {rows(state.rows_total)} rows"
    return f"{rows(state.rows_done)} rows" if state.rows_done else ""


def bar(done: float, total: float, width: int, glyphs: Glyphs, style: str) -> Content:
    """A bar of ``width`` cells. Full only when all is done, so that 99.9 % does not look finished."""
    if width <= 0:
        return Content("")
    share = 1.0 if total <= 0 else max(0.0, min(1.0, done / total))
    cells = width if share >= 1 else min(width - 1, int(share * width))
    return Content.assemble((glyphs.full * cells, style), (glyphs.empty * (width - cells), "$faint"))


def wave_counts(wave: Wave, state: RunState) -> tuple[int, int]:
    """Steps done (succeeded or skipped) and steps in all."""
    done = sum(state.step(step.step_sha).status in (StepStatus.SUCCEEDED, StepStatus.SKIPPED) for step in wave.steps)
    return done, len(wave.steps)


_SQL_TOKENS = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|(?P<string>'(?:[^']|'')*'|\$(\w*)\$.*?\$\3\$)"
    r"|(?P<quoted>\"(?:[^\"]|\"\")*\")"
    r"|(?P<keyword>\b[A-Z][A-Z_]+\b)"
    r"|(?P<number>\b\d+(?:\.\d+)?\b)",
    re.DOTALL,
)
_SQL_STYLES = {
    "comment": "italic $sdl-comment",
    "string": "$sdl-string",
    "keyword": "$sdl-keyword",
    "number": "$sdl-number",
}


def sql_content(sql: str) -> Content:
    """SQL with its upper-case words, strings, numbers and comments set apart."""
    text = visible(sql).expandtabs(2)
    parts: list[str | tuple[str, str]] = []
    position = 0
    for match in _SQL_TOKENS.finditer(text):
        style = _SQL_STYLES.get(match.lastgroup or "")
        if style is None:
            continue
        parts += (text[position : match.start()], (match[0], style))
        position = match.end()
    return Content.assemble(*parts, text[position:])


def heading(text: str) -> Content:
    return Content.styled(text, "bold $primary")


def indented(text: str, glyph: str = "") -> list[Content]:
    """The lines of a text, made harmless, two cells in, the first with a glyph."""
    lead = f"{glyph} " if glyph else ""
    return [
        Content(("  " + (lead if index == 0 else " " * len(lead))) + line)
        for index, line in enumerate(plain_lines(text))
    ]


def locks_lines(locks: Mapping[str, LockMode], limit: int = 40) -> list[Content]:
    """Two lines per relation, strongest lock first: its name, then the mode as in ``pg_locks`` and who waits."""
    lines: list[Content] = []
    for relation, mode in sorted(locks.items(), key=lambda item: (-item[1], item[0]))[:limit]:
        strong = mode is LockMode.AccessExclusiveLock
        lines += [
            Content.assemble("  ", (identifier(relation), "bold")),
            Content.assemble(f"    {mode.name}  ", (LOCK_BLOCKS[mode], "bold $hazard-3" if strong else "$muted")),
        ]
    return lines + _and_more(len(locks) - limit, "relation")


def _and_more(number: int, what: str) -> list[Content]:
    return [Content.styled(f"  and {count(number, what)} more", "$muted")] if number > 0 else []


def lines_of(sections: Sequence[Iterable[Content]]) -> Content:
    """Sections set one below the other with a blank line between; empty sections leave no gap."""
    blocks = [Content("\n").join(block) for block in map(list, sections) if block]
    return Content("\n\n").join(blocks)


def labelled(title: str, body: Iterable[Content]) -> list[Content]:
    """A heading and its body; nothing when there is no body."""
    lines = list(body)
    return [heading(title), *lines] if lines else []


def hazard_lines(steps: Iterable[Step], limit: int, least: HazardClass = HazardClass.H2) -> list[Content]:
    """One line for each step of at least this class, worst first: what it is, and what it does to people.

    At most ``limit`` lines; the last one counts what is left out.
    """
    worst = sorted((step for step in steps if step.hazard >= least), key=lambda step: (-step.hazard, step.ordinal))
    shown = worst if len(worst) <= limit else worst[: limit - 1]
    lines = [
        Content.assemble(
            badge(step.hazard, width=BADGE_WIDTH + 1),
            (f"{identifier(step.op)} ", "bold"),
            identifier(step.object),
            (f"  {one_line(consequence(step))}", "$muted"),
        )
        for step in shown
    ]
    return lines + _and_more(len(worst) - len(shown), "step")


def consequence(step: Step) -> str:
    """The worst thing that a step does, in a few words."""
    if step.loses:
        return f"loses {step.loses}"
    if step.breaks:
        return f"breaks {step.breaks}"
    return step.who_waits or next(iter(step.why), "")


def step_identity(step: Step) -> str:
    return f"step {step.ordinal}  {short_sha(step.step_sha)}"


def checks_lines(step: Step) -> list[Content]:
    """What is checked before (``before``) and after the step."""
    named = chain((("before", item) for item in step.prechecks), (("after", item) for item in step.postchecks))
    return [Content.assemble("  ", (f"{when:<7}", "$muted"), one_line(item.message)) for when, item in named]
