"""Policies: what the files say, and what each rule decides about a step or a plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.planner_cases import rich_plan
from wesley_tui.planner.plan import Backfill, HazardClass, LockMode, Plan, Step, StepKind, Wave
from wesley_tui.planner.policy import Policy, PolicyError, built_in_policies, read_policy
from wesley_tui.planner.profiles import PROFILES
from wesley_tui.planner.verdicts import PastRun, judge_plan, within_limits

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def step(ordinal: int = 1, **fields: Any) -> Step:
    base = Step(
        f"{ordinal:064d}", ordinal, "add_column", "public.users.age", StepKind.TRANSACTIONAL, ("SELECT 1",),
        HazardClass.H1, {"public.users": LockMode.AccessExclusiveLock},
    )  # fmt: skip
    return replace(base, **fields)


def plan(*steps: Step, wave: Any = "EXPAND") -> Plan:
    return Plan("p" * 64, "b", "t", (Wave(wave, steps),))


def policy(*rules: str, base: str = "production") -> Policy:
    return read_policy("team.toml", f'name = "team"\nbased_on = "{base}"\n[rules]\n' + "\n".join(rules))


def test_what_comes_with_the_program() -> None:
    production, chaos = built_in_policies().values()
    assert (production.limits.lock_timeout_ms, production.limits.statement_timeout_ms) == (5000, 30_000)
    assert (chaos.limits.lock_timeout_ms, chaos.limits.statement_timeout_ms) == (2000, 10_000)
    assert chaos.rules.max_hazard is HazardClass.H2
    assert (chaos.rules.max_steps_per_wave, chaos.rules.cooldown_s, chaos.rules.plans_per_user_per_day) == (5, 60, 3)
    assert chaos.rules.allow_tables
    assert {name: item.lock_timeout_ms for name, item in PROFILES.items()} == {"production": 5000, "chaos": 2000}


def test_ones_own_says_what_differs() -> None:
    own = read_policy(
        "x.toml", 'name = "own"\nbased_on = "chaos"\n[limits]\nmax_lock_ms = 70\n[rules]\ncooldown_s = 5\n'
    )
    assert (own.limits.lock_timeout_ms, own.limits.statement_timeout_ms) == (70, 10_000)
    assert (own.rules.cooldown_s, own.rules.max_steps_per_wave) == (5, 5)
    assert (own.origin["cooldown_s"], own.origin["max_steps_per_wave"]) == ("own", "chaos")


BAD = [
    ("", "1:1", "name"),
    ("name = 3", "1:1", "lower-case"),
    ('name = "Team"', "1:1", "lower-case"),
    ('name = "production"', "1:1", "comes with the program"),
    ('name = "x"\nbased_on = "prod"', "2:1", "production or chaos"),
    ('name = "x"\nbasedon = "chaos"', "2:1", "did you mean based_on"),
    ('name = "x"\n[rule]\n', "2:1", "did you mean rules"),
    ('name = "x"\n[rules]\n  max_hazzard = "H1"', "3:3", "did you mean max_hazard"),
    ('name = "x"\n[rules]\nmax_hazard = "H4"', "3:1", '"H0"'),
    ('name = "x"\n[rules]\nmax_hazard = 2', "3:1", '"H0"'),
    ('name = "x"\n[rules]\ncooldown_s = -1', "3:1", "from 0"),
    ('name = "x"\n[rules]\ncooldown_s = true', "3:1", "whole number"),
    ('name = "x"\n[rules]\nmax_steps = 1.5', "3:1", "whole number"),
    ('name = "x"\n[rules]\nallow_tables = "public.*"', "3:1", "a list"),
    ('name = "x"\n[rules]\nallow_tables = ["users"]', "3:1", "public"),
    ('name = "x"\n[rules]\ndeny_ops = ["DROP TABLE"]', "3:1", "drop_"),
    ('name = "x"\n[rules]\nrequire_window = ["EXPANDED"]', "3:1", "VALIDATE"),
    ('name = "x"\n[limits]\nmax_lock_ms = 10', "3:1", "50 to 30000"),
    ('name = "x"\n[limits]\nlock_timeout = 10', "3:1", "no lock_timeout"),
    ('name = "x"\nrules = 3', "2:1", "a table"),
    ('name = "x', "1:10", "not TOML"),
    ('name = "x"\nname = "y"', "2:11", "not TOML"),
    ("[" * 5000, "1:", ""),
    ("#" * 2_000_000, "1:1", "at most"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "said"), BAD, ids=lambda value: str(value)[:40])
def test_a_mistake_is_told_with_its_place(text: str, place: str, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        read_policy("team.toml", text)
    assert str(caught.value).startswith(f"team.toml:{place}")
    assert said in str(caught.value)


BACKFILL = Backfill("public.users", ("id",), "SELECT 1", "SELECT 0", rows_per_second=9000)
RULES: list[tuple[str, Step, bool]] = [
    ('max_hazard = "H1"', step(hazard=HazardClass.H2), False),
    ('max_hazard = "H1"', step(hazard=HazardClass.H1), True),
    ('allow_tables = ["app.*"]', step(), False),
    ('allow_tables = ["public.u*"]', step(), True),
    ('allow_tables = ["app.*"]', step(locks={"public.users": LockMode.AccessShareLock}), True),
    ('allow_tables = ["app.*"]', step(op="create_table", object="public.new", locks={}), False),
    ('deny_tables = ["public.users"]', step(), False),
    ('deny_tables = ["public.users"]', step(locks={}, rewrites=("public.users",)), False),
    ('deny_tables = ["public.orders"]', step(), True),
    ('deny_ops = ["drop_*"]', step(op="drop_column"), False),
    ('deny_ops = ["drop_*"]', step(op="add_column"), True),
    ('allow_ops = ["add_*"]', step(op="rename_column"), False),
    ('allow_ops = ["add_*"]', step(), True),
    ("max_rows = 100", step(work={"filled_rows": 101}), False),
    ("max_rows = 100", step(work={"sorted_rows": 100}), True),
    ("max_written_bytes = 100", step(work={"written_bytes": 101}), False),
    ("max_step_ms = 100", step(estimate_ms=101.0), False),
    ("max_step_ms = 100", step(estimate_ms=100.0), True),
    ("max_lock_ms = 4999", step(), False),
    ("max_lock_ms = 5000", step(), True),
    ("max_stmt_ms = 29999", step(), False),
    ("max_rows_per_second = 8999", step(backfill=BACKFILL), False),
    ("max_rows_per_second = 9000", step(backfill=BACKFILL), True),
    ("max_rows_per_second = 9000", step(backfill=replace(BACKFILL, rows_per_second=None)), False),
]


@pytest.mark.parametrize(("rule", "subject", "allowed"), RULES, ids=[f"{r}-{a}" for r, _, a in RULES])
def test_each_rule_of_steps(rule: str, subject: Step, allowed: bool) -> None:
    (verdict,) = judge_plan(plan(subject), policy(rule)).steps
    if allowed:
        assert (verdict.verdict.decision, verdict.verdict.rule) == ("allowed", "")
    else:
        assert (verdict.verdict.decision, verdict.verdict.rule) == ("refused", rule.split(" ")[0])
        assert verdict.verdict.policy == "team"


def test_the_sixth_step_of_a_wave_is_refused() -> None:
    verdict = judge_plan(plan(*(step(number) for number in range(1, 8))), built_in_policies()["chaos"])
    assert [item.verdict.decision for item in verdict.steps] == ["allowed"] * 5 + ["refused"] * 2
    assert {item.verdict.rule for item in verdict.of("refused")} == {"max_steps_per_wave"}
    assert verdict.decision == "refused"


def test_h3_is_confirmed_in_production_and_refused_in_chaos() -> None:
    for name, decision, rule in (
        ("production", "needs confirmation", "confirm_hazard"),
        ("chaos", "refused", "max_hazard"),
    ):
        verdict = judge_plan(rich_plan(), built_in_policies()[name])
        dangerous = {item.ordinal for item in rich_plan().steps if item.hazard is HazardClass.H3}
        assert {item.ordinal for item in verdict.steps if item.verdict.rule == rule} == dangerous
        assert {item.verdict.decision for item in verdict.steps if item.ordinal in dangerous} == {decision}
        assert verdict.decision == decision


@pytest.mark.parametrize(
    ("rule", "subject", "windows", "decision"),
    [
        ("max_steps = 1", plan(step(1), step(2)), (), "refused"),
        ("max_steps = 2", plan(step(1), step(2)), (), "allowed"),
        ("max_plan_ms = 100", plan(step(1, estimate_ms=60.0), step(2, estimate_ms=60.0)), (), "refused"),
        ('require_window = ["CONTRACT"]', plan(step(), wave="CONTRACT"), (), "refused"),
        ('require_window = ["CONTRACT"]', plan(step(), wave="CONTRACT"), None, "needs confirmation"),
        ('require_window = ["CONTRACT"]', plan(step(), wave="CONTRACT"), ("VALIDATE", "CONTRACT"), "allowed"),
        ('require_window = ["CONTRACT"]', plan(step()), (), "allowed"),
    ],
)
def test_rules_of_the_whole_plan(rule: str, subject: Plan, windows: Any, decision: str) -> None:
    verdict = judge_plan(subject, policy(rule), windows=windows)
    assert verdict.decision == decision
    assert [item.rule for item in verdict.plan] == ([rule.split(" ")[0]] if decision != "allowed" else [])


def past(hours: float, *, plan_id: str = "x", actor: str = "eve", ended: float | None = None) -> PastRun:
    end = None if ended is None else NOW - timedelta(hours=ended)
    return PastRun(plan_id, actor, NOW - timedelta(hours=hours), end)


@pytest.mark.parametrize(
    ("history", "refused"),
    [
        ((), ()),
        ((past(0.01, ended=0.01),), ("cooldown_s",)),
        ((past(0.5, ended=0.02),), ()),
        ((past(0.5, ended=0.016),), ("cooldown_s",)),
        ((past(0.5),), ()),
        ((past(0.5, plan_id="p" * 64, ended=0.001),), ()),
        (tuple(past(2 + n, plan_id=str(n), ended=1.0) for n in range(3)), ("plans_per_user_per_day",)),
        (tuple(past(2 + n, plan_id="same", ended=1.0) for n in range(5)), ()),
        (tuple(past(2 + n, plan_id=str(n), actor="bob", ended=1.0) for n in range(5)), ()),
        ((past(1, plan_id="1"), past(2, plan_id="2"), past(24, plan_id="3", ended=23.0)), ()),
        ((past(1, plan_id="1"), past(2, plan_id="2"), past(23.99, plan_id="3")), ("plans_per_user_per_day",)),
    ],
)
def test_the_history_is_judged_by_the_servers_clock(history: tuple[PastRun, ...], refused: tuple[str, ...]) -> None:
    verdict = judge_plan(plan(step()), built_in_policies()["chaos"], actor="eve", now=NOW, history=history)
    assert tuple(item.rule for item in verdict.plan) == refused
    assert judge_plan(plan(step()), built_in_policies()["chaos"], actor="eve", history=history).plan == ()


def test_a_verdict_says_which_rule_of_which_policy() -> None:
    own = policy('deny_ops = ["add_column"]', base="chaos")
    verdict = judge_plan(plan(step(1), step(2, op="drop_column", hazard=HazardClass.H3)), own)
    data = verdict.to_json()
    assert [(item["rule"], item["policy"], item["decision"]) for item in data["steps"]] == [
        ("deny_ops", "team", "refused"),
        ("max_hazard", "chaos", "refused"),
    ]
    assert "Policy team: 0 allowed, 2 refused" in verdict.text()
    assert "(max_hazard, chaos)" in verdict.text()


def test_limits_of_a_policy_become_those_of_the_steps() -> None:
    base = built_in_policies()["production"]
    own = replace(base, limits=replace(base.limits, lock_timeout_ms=250, statement_timeout_ms=4000))
    before = rich_plan()
    after = within_limits(before, own, base)
    assert after.plan_id != before.plan_id
    assert {item.lock_timeout_ms for item in after.steps} == {250}
    assert {item.statement_timeout_ms for item in after.steps} == {0, 4000}
    assert any("at most 0.25 s each attempt" in item.who_waits for item in after.steps)
    assert not any("at most 5 s each attempt" in item.who_waits for item in after.steps)
    assert within_limits(before, base, base) is before
