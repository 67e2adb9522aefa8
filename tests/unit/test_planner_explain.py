"""The three forms of an explanation, the risk score, rates, quiet hours, who is in the way: pure, without a server."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.planner_cases import rich_plan
from wesley_tui.planner.explain import explain_json, explain_markdown, explain_text
from wesley_tui.planner.obstacles import Activity, Session, SessionKind, Slot, conflicts, obstacles
from wesley_tui.planner.outlook import Outlook
from wesley_tui.planner.plan import HazardClass, LockMode, Plan, Step, StepKind, Wave
from wesley_tui.planner.quiet import LoadHour, quiet_hours
from wesley_tui.planner.rates import ASSUMED, measured_rates
from wesley_tui.planner.risk import risk_of
from wesley_tui.services.forecast import forecast

NOW = datetime(2026, 11, 20, 3, 4, 5, tzinfo=UTC)
READER = Session(
    SessionKind.CLIENT, 4711, "shop", "psql", "idle in transaction", "SELECT * FROM public.users", 900.0,
    snapshot=True, holds={"public.users": LockMode.AccessShareLock},
)  # fmt: skip


def outlook(plan: Plan, *sessions: Session, **fields: object) -> Outlook:
    activity = Activity(NOW, "me", sessions, **fields)  # type: ignore[arg-type]
    return Outlook(forecast(plan), activity, obstacles(plan, activity), quiet_hours([], 0))


def test_the_three_forms_say_the_same() -> None:
    plan = rich_plan()
    known = outlook(plan, READER)
    text, markdown, data = explain_text(plan, known), explain_markdown(plan, known), explain_json(plan, known)
    assert json.loads(json.dumps(data)) == data
    assert " ".join(text.splitlines()[:2]) == data["verdict"]
    assert markdown.startswith(f"# {data['verdict']}")
    assert f"Risk {data['risk']['score']} of 100" in text
    assert f"Risk {data['risk']['score']} of 100" in markdown
    flat = " ".join(text.split())
    steps = [step for wave in data["waves"] for step in wave["steps"]]
    assert [step["ordinal"] for step in steps] == [step.ordinal for step in plan.steps]
    for step in steps:
        assert f"{step['op']} {step['object']}" in flat
        assert " ".join(step["undo_says"].split()) in flat
        for check in (*step["checked_before"], *step["checked_after"]):
            assert " ".join(check.split()) in flat
    assert "pid 4711 (shop, psql)" in flat
    assert "pg_terminate_backend(4711)" in flat
    assert "not enough history" in flat


def test_names_never_become_markup() -> None:
    plan = rich_plan()
    step = replace(next(plan.steps), object="public.<img src=x>|`*", why=("[a](javascript:b) | c\n# d",))
    shown = explain_markdown(replace(plan, waves=(Wave("EXPAND", (step,)),)))
    assert "<img" not in shown
    assert "[a](" not in shown
    assert "\n# d" not in shown


# -- risk ------------------------------------------------------------------------------------------------------------

STEPS = st.builds(
    Step,
    step_sha=st.just(""),
    ordinal=st.integers(1, 1000),
    op=st.just("op"),
    object=st.just("o"),
    kind=st.sampled_from(StepKind),
    statements=st.just(()),
    hazard=st.sampled_from(HazardClass),
    loses=st.sampled_from(["", "rows"]),
    breaks=st.sampled_from(["", "clients"]),
    estimate_ms=st.floats(0, 1e9),
    work=st.dictionaries(st.sampled_from(["read_bytes", "written_bytes"]), st.integers(0, 10**14)),
)


def numbered(steps: list[Step]) -> list[Step]:
    return [replace(step, ordinal=position) for position, step in enumerate(steps, 1)]


@given(st.lists(STEPS, max_size=8), STEPS)
def test_another_step_never_lowers_the_risk(steps: list[Step], added: Step) -> None:
    assert risk_of(numbered([*steps, added])).score >= risk_of(numbered(steps)).score


@given(st.lists(STEPS, min_size=1, max_size=6), st.data())
def test_a_higher_class_or_a_larger_table_never_lowers_the_risk(steps: list[Step], data: st.DataObject) -> None:
    steps = numbered(steps)
    chosen = data.draw(st.sampled_from(steps))
    worse = replace(
        chosen,
        hazard=data.draw(st.sampled_from([item for item in HazardClass if item >= chosen.hazard])),
        estimate_ms=chosen.estimate_ms + data.draw(st.floats(0, 1e9)),
        work={**chosen.work, "read_bytes": chosen.work.get("read_bytes", 0) + data.draw(st.integers(0, 10**14))},
        loses=chosen.loses or data.draw(st.sampled_from(["", "all"])),
    )
    before, after = risk_of(steps), risk_of([worse if step is chosen else step for step in steps])
    assert 0 <= before.score <= after.score <= 100


def test_the_scale() -> None:
    def score(*hazards: HazardClass, **fields: object) -> int:
        step = Step("", 1, "op", "o", StepKind.TRANSACTIONAL, (), HazardClass.H0, **fields)  # type: ignore[arg-type]
        return risk_of(numbered([replace(step, hazard=hazard) for hazard in hazards])).score

    assert risk_of([]).score == 0
    assert score(*[HazardClass.H0] * 1000) < 20
    assert score(HazardClass.H3) >= 50
    assert score(HazardClass.H3, loses="a table") > score(HazardClass.H3)
    assert score(HazardClass.H2, estimate_ms=3_600_000) > score(HazardClass.H2, estimate_ms=1000)


# -- who is in the way -----------------------------------------------------------------------------------------------


def one_step(statement: str, kind: StepKind, locks: dict[str, LockMode]) -> Plan:
    step = Step("a" * 64, 1, "op", "public.users", kind, (statement,), HazardClass.H1, locks=locks)
    return Plan("p", "b", "t", (Wave("EXPAND", (step,)),))


ALTER = one_step("ALTER TABLE public.users …", StepKind.TRANSACTIONAL, {"public.users": LockMode.AccessExclusiveLock})
BUILD = one_step(
    "CREATE INDEX CONCURRENTLY i ON public.users (a)", StepKind.AUTOCOMMIT,
    {"public.users": LockMode.ShareUpdateExclusiveLock},
)  # fmt: skip
DROP = one_step(
    "DROP INDEX CONCURRENTLY public.i", StepKind.AUTOCOMMIT, {"public.users": LockMode.ShareUpdateExclusiveLock}
)
ELSEWHERE = replace(READER, holds={"public.other": LockMode.RowExclusiveLock})
WRITER = replace(READER, holds={"public.users": LockMode.RowExclusiveLock}, snapshot=False)
QUEUED = replace(READER, holds={}, waits={"public.users": LockMode.AccessExclusiveLock}, snapshot=False)


@pytest.mark.parametrize(
    ("plan", "session", "found"),
    [
        (ALTER, READER, "would wait for AccessExclusiveLock on public.users: it holds AccessShareLock"),
        (ALTER, ELSEWHERE, ""),
        (ALTER, QUEUED, "would queue behind it for public.users"),
        (BUILD, replace(READER, snapshot=False), ""),
        (BUILD, WRITER, "until its transaction ends: it holds RowExclusiveLock on public.users"),
        (BUILD, ELSEWHERE, "until its snapshot is gone, whatever it reads"),
        (BUILD, replace(ELSEWHERE, age_s=0.01), ""),
        (BUILD, replace(ELSEWHERE, kind=SessionKind.WRAPAROUND), ""),
        (DROP, replace(READER, snapshot=False), "until its transaction ends: it holds AccessShareLock"),
        (DROP, ELSEWHERE, ""),
    ],
)
def test_who_would_hold_up_what(plan: Plan, session: Session, found: str) -> None:
    seen = obstacles(plan, Activity(NOW, "me", (session,)))
    assert bool(seen) == bool(found)
    assert all(found in item.how[0] for item in seen)


def test_advice_fits_the_kind() -> None:
    def advice(session: Session, **fields: bool) -> str:
        (item,) = obstacles(ALTER, Activity(NOW, "me", (session,), **fields))  # type: ignore[arg-type]
        return item.advice

    assert "pg_cancel_backend(4711)" in advice(replace(READER, state="active"))
    assert "pg_terminate_backend(4711)" in advice(READER)
    assert "pg_signal_backend TO me" in advice(READER, may_signal=False)
    assert advice(replace(READER, kind=SessionKind.PREPARED, pid=0, query="it's")).startswith("COMMIT PREPARED 'it''s'")
    assert advice(replace(READER, kind=SessionKind.AUTOVACUUM)).startswith("nothing")
    assert "does not give way" in advice(replace(READER, kind=SessionKind.WRAPAROUND))


def test_a_slot_makes_a_backfill_dearer_but_blocks_nothing() -> None:
    slot = Slot("standby", active=False, xmin_age=1000, retained_bytes=10**9)
    seen = obstacles(rich_plan(), Activity(NOW, "me", slots=(slot,)))
    assert [item.blocks for item in seen] == [False]
    assert "dead rows" in seen[0].how[0]
    assert obstacles(ALTER, Activity(NOW, "me", slots=(slot,))) == ()


def test_conflicts_are_symmetric() -> None:
    for one in LockMode:
        for other in LockMode:
            assert conflicts(one, other) == conflicts(other, one)


# -- rates and quiet hours -------------------------------------------------------------------------------------------


def test_rates_come_from_what_the_server_has_done() -> None:
    history = [
        (105.0, {"scanned_bytes": 10_000_000}),
        (205.0, {"scanned_bytes": 10_000_000}),
        (305.0, {"scanned_bytes": 10_000_000}),
        (2.0, {}),
        (12.0, {"scanned_bytes": 8192}),
        (1005.0, {"filled_rows": 10_000}),
        (500.0, {"scanned_bytes": 10_000_000, "sorted_rows": 30_000}),
    ]
    rates = measured_rates(history)
    assert rates.scan.value == pytest.approx(50_000, rel=0.05)
    assert rates.scan.source == "measured in 3 steps on this server"
    assert rates.backfill.value == pytest.approx(10, rel=0.01)
    assert rates.brief.value == 2.0
    assert rates.rewrite == ASSUMED.rewrite
    assert measured_rates([]) == ASSUMED


def test_quiet_hours_need_evidence() -> None:
    hours = [
        LoadHour(f"2026-11-{day:02}", hour, 3600, 3600 * (5 if hour in (3, 4) else 100))
        for day in range(10, 15)
        for hour in range(24)
    ]
    found = quiet_hours(hours, 90 * 60_000)
    assert found.window == "daily 03:00-05:00 UTC"
    assert (found.per_second, found.busiest_per_second) == (5.0, 100.0)
    assert "5 days" in found.evidence
    assert quiet_hours(hours[:24], 0).window == ""
    assert "not enough history" in quiet_hours([item for item in hours if item.hour < 12], 0).evidence
    assert "the plan needs about 20 hours" in quiet_hours(hours, 20 * 3_600_000).evidence


def test_a_window_can_go_past_midnight_and_is_one_that_the_executor_takes() -> None:
    from wesley_tui.executor.window import Window

    hours = [
        LoadHour(f"2026-11-{day:02}", hour, 3600, 10 if hour in (23, 0) else 9999)
        for day in range(10, 14)
        for hour in range(24)
    ]
    found = quiet_hours(hours, 2 * 3_600_000)
    assert found.window == "daily 23:00-01:00 UTC"
    assert Window.parse(found.window).end == 25 * 60


# -- forecast --------------------------------------------------------------------------------------------------------


def steps_on(*tables: str, ms: float = 1000, kind: StepKind = StepKind.BACKFILL) -> Plan:
    steps = tuple(
        Step(f"{position:064}", position, "op", table, kind, (), HazardClass.H2, estimate_ms=ms,
             locks={table: LockMode.RowExclusiveLock})
        for position, table in enumerate(tables, 1)
    )  # fmt: skip
    return Plan("p", "b", "t", (Wave("EXPAND", steps),))


def test_the_forecast_plays_the_rules_of_the_executor() -> None:
    from wesley_tui.executor.crew import LONG_S
    from wesley_tui.services.forecast import LONG_MS

    assert LONG_MS == LONG_S * 1000
    apart = forecast(steps_on(*"abcdefgh"))
    assert (apart.sequential_ms, apart.rolling_ms, apart.chain_ms) == (8000, 2000, 1000)
    together = forecast(steps_on(*"aaaa"))
    assert (together.sequential_ms, together.rolling_ms, together.chain) == (4000, 4000, (1, 2, 3, 4))
    assert [(item.table, item.steps) for item in together.wanted] == [("a", 4)]
    short = forecast(steps_on(*"abcd", ms=10, kind=StepKind.TRANSACTIONAL))
    assert short.rolling_ms == 40, "another psql is not worth it for short steps"
    mixed = forecast(steps_on(*"ab", ms=500, kind=StepKind.TRANSACTIONAL))
    assert mixed.rolling_ms == 600


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 10_000)), min_size=1, max_size=20))
def test_a_forecast_lies_between_the_longest_chain_and_one_after_the_other(drawn: list[tuple[str, int]]) -> None:
    plan = steps_on(*(table for table, _ in drawn))
    steps = tuple(replace(step, estimate_ms=float(ms)) for step, (_, ms) in zip(plan.steps, drawn, strict=True))
    found = forecast(replace(plan, waves=(Wave("EXPAND", steps[::2]), Wave("VALIDATE", steps[1::2]))))
    assert found.chain_ms <= found.rolling_ms + 0.1
    assert found.rolling_ms <= found.sequential_ms + 0.1
    assert found.waves_ms <= found.sequential_ms + 0.1


def test_the_outcome_stands_beside_the_forecast() -> None:
    from wesley_tui.services.runs import RunReport

    expected = forecast(steps_on(*"abcdefgh"))
    report = RunReport("p" * 64, 1, "complete", 0, duration_ms=2500, forecast=expected)
    assert "in 2.5 s" in report.text()
    assert "Expected were 2.0 s rolling, 2.0 s wave by wave, 8.0 s one step after the other." in report.text()
    assert report.to_json()["forecast"]["rolling_ms"] == 2000
    assert "Expected" not in replace(report, status="failed").text()


def test_nothing_to_do_is_explained_too() -> None:
    nothing = replace(rich_plan(), waves=(), questions=(), unmanaged=())
    assert explain_text(nothing).startswith("Nothing to do")
    assert explain_markdown(nothing).startswith("# Nothing to do")
    data = explain_json(nothing)
    assert (data["risk"]["score"], data["waves"], data["forecast"]) == (0, [], None)
