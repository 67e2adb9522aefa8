"""What there is to say about a plan as a whole, as titled lists of sentences: risk, time, disks, who is in the way, and
when it would be quiet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from wesley_tui.planner.estimates import total_work
from wesley_tui.planner.human import human_duration, work_sentence
from wesley_tui.planner.obstacles import Activity, Obstacle
from wesley_tui.planner.outlook import Forecast, Outlook, Quiet
from wesley_tui.planner.plan import Plan, Rate
from wesley_tui.planner.risk import Risk, risk_of

__all__ = ["Section", "obstacle_sentences", "risk_sentence", "sections_of"]

_SHOWN_OBSTACLES = 10


class Section(NamedTuple):
    title: str
    sentences: tuple[str, ...]


def risk_sentence(plan: Plan) -> str:
    """``Risk 24 of 100 (moderate); step 5, backfill_sql public.person, weighs most.``"""
    risk = risk_of(plan.steps)
    parts = [f"Risk {risk.score} of 100 ({risk.word})"]
    now = [step for wave in plan.waves if wave.name != "CONTRACT" for step in wave.steps]
    if now and len(now) < len(list(plan.steps)):
        without = risk_of(now)
        parts.append(f"{without.score} ({without.word}) without CONTRACT")
    return f"{', '.join(parts)}; {_heaviest(plan, risk)}."


def _heaviest(plan: Plan, risk: Risk) -> str:
    step = next(step for step in plan.steps if step.ordinal == risk.worst[0])
    return f"step {step.ordinal}, {step.op} {step.object}, weighs most"


def sections_of(plan: Plan, outlook: Outlook) -> Iterator[Section]:
    """Only those about which something is known."""
    if outlook.forecast is not None:
        yield Section("Time", tuple(_time(outlook.forecast)))
    work = work_sentence(total_work(plan.steps))
    if work:
        yield Section("Disks", (f"{work}, all steps together",))
    if plan.rates:
        yield Section("Rates", tuple(_rate(name, rate) for name, rate in plan.rates.items()))
    if outlook.forecast is not None and outlook.forecast.wanted:
        yield Section("Bottlenecks", tuple(_bottlenecks(outlook.forecast)))
    if outlook.activity is not None:
        title = f"In the way now ({outlook.activity.at:%H:%M:%S %Z})".replace(" )", ")")
        yield Section(title, tuple(obstacle_sentences(outlook.activity, outlook.obstacles)))
    if outlook.quiet is not None:
        yield Section("Quiet hours", tuple(_quiet(outlook.quiet)))


def _time(forecast: Forecast) -> Iterator[str]:
    yield f"{human_duration(forecast.sequential_ms)} one step after the other"
    yield f"{human_duration(forecast.waves_ms)} wave by wave"
    yield f"{human_duration(forecast.rolling_ms)} rolling, as the executor does it, with {forecast.workers} workers"
    if len(forecast.chain) > 1:
        yield (
            f"{human_duration(forecast.chain_ms)} is the longest chain, which more workers cannot shorten: "
            f"{_chain(forecast.chain)}"
        )


def _chain(ordinals: tuple[int, ...]) -> str:
    shown = [str(ordinal) for ordinal in ordinals]
    if len(shown) > 12:
        shown = [*shown[:6], "...", *shown[-5:]]
    return " -> ".join(shown)


def _rate(name: str, rate: Rate) -> str:
    match rate.unit:
        case "bytes/ms":
            value = f"{rate.value / 1000:.0f} MB/s"
        case "rows/ms":
            value = f"{rate.value * 1000:,.0f} rows/s"
        case _:
            value = f"{rate.value:g} {rate.unit}"
    return f"{name} {value}, {rate.source}"


def _bottlenecks(forecast: Forecast) -> Iterator[str]:
    for wanted in forecast.wanted:
        yield f"{wanted.table}: {wanted.steps} steps need it, {human_duration(wanted.milliseconds)}"


def obstacle_sentences(activity: Activity, obstacles: tuple[Obstacle, ...]) -> Iterator[str]:
    """One per session or slot; says so when there is none, and what could not be seen."""
    if not obstacles:
        yield "nobody"
    for obstacle in obstacles[:_SHOWN_OBSTACLES]:
        session = obstacle.session
        doing = ""
        if session is not None:
            age = human_duration(session.age_s * 1000) if session.age_s is not None else ""
            state = session.state or ("" if session.kind.value in obstacle.who else session.kind.value)
            doing = ", ".join(part for part in (state, age and f"for {age}") if part)
            if session.query and session.pid:
                doing += f": {session.query}"
        does = "; ".join(obstacle.how)
        begin = f"{obstacle.who}, {doing}" if doing else obstacle.who
        yield f"{begin}. {does[0].upper()}{does[1:]}. To do: {obstacle.advice}"
    if len(obstacles) > _SHOWN_OBSTACLES:
        yield f"and {len(obstacles) - _SHOWN_OBSTACLES} more (wesley blockers names all)"
    if activity.unseen:
        yield f"Not seen: {activity.unseen}"


def _quiet(quiet: Quiet) -> Iterator[str]:
    if quiet.window:
        yield f'--window "{quiet.window}": {quiet.evidence}'
    else:
        yield quiet.evidence
