"""The one codec of plans: all fields there and back, nothing of a wrong type believed."""

from __future__ import annotations

import copy
import dataclasses
import json
from typing import Any

import pytest

from tests.unit.planner_cases import rich_plan
from wesley_tui.planner.codec import data_from_record, plan_from_data, record_from_data
from wesley_tui.planner.plan import Backfill, Plan, Step, StepCheck

_FULL = Backfill("public.t", ("id",), "SELECT 1", "SELECT 0", 10, 20)


def test_a_plan_survives_as_data() -> None:
    plan = dataclasses.replace(rich_plan(), tenants=("a", "b"), ignored=("view:*",))
    assert plan_from_data(json.loads(json.dumps(data_from_record(plan)))) == plan


def test_every_field_of_every_record_is_written() -> None:
    data = data_from_record(rich_plan())
    assert data.keys() == {field.name for field in dataclasses.fields(Plan)}
    assert data["waves"][0]["steps"][0].keys() == {field.name for field in dataclasses.fields(Step)}
    assert data_from_record(_FULL).keys() == {field.name for field in dataclasses.fields(Backfill)}


def test_what_was_written_before_a_field_existed_gets_its_default() -> None:
    data = data_from_record(_FULL)
    del data["rows_per_second"]
    assert record_from_data(Backfill, data).rows_per_second is None


@pytest.mark.parametrize("name", ["table", "key", "batch_sql", "remaining_sql"])
def test_a_missing_field_is_named(name: str) -> None:
    data = data_from_record(_FULL)
    del data[name]
    with pytest.raises(KeyError, match=name):
        record_from_data(Backfill, data)


_WRONG: list[tuple[str, Any]] = [
    ("plan_id", 1),
    ("waves", {}),
    ("waves", [{"name": "LATER", "steps": []}]),
    ("waves", [3]),
    ("server_version_num", True),
    ("server_version_num", "180000"),
    ("scope", "table public.t"),
    ("scope", [1]),
    ("questions", [{"kind": "view", "relation": ["a", "b"], "old": "", "new": "", "why": ""}]),
    ("questions", [{"kind": "table", "relation": ["a"], "old": "", "new": "", "why": ""}]),
]


@pytest.mark.parametrize(("name", "value"), _WRONG)
def test_wrong_values_of_a_plan(name: str, value: Any) -> None:
    data = data_from_record(rich_plan())
    data[name] = value
    with pytest.raises((TypeError, ValueError)):
        plan_from_data(data)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hazard", 3),
        ("hazard", "H4"),
        ("kind", "sometimes"),
        ("locks", []),
        ("locks", {"public.t": "ShareRowLock"}),
        ("locks", {"public.t": 8}),
        ("statements", "SELECT 1"),
        ("estimate_ms", "fast"),
        ("estimate_ms", True),
        ("backfill", []),
        ("leftover_check", {"message": "x"}),
        ("prechecks", [{"message": "x", "sql": None}]),
        ("max_retries", 1.5),
    ],
)
def test_wrong_values_of_a_step(name: str, value: Any) -> None:
    data = copy.deepcopy(data_from_record(rich_plan()))
    data["waves"][0]["steps"][0][name] = value
    with pytest.raises((TypeError, ValueError, KeyError)):
        plan_from_data(data)


def test_checks_are_records_of_their_own() -> None:
    check = StepCheck("message", "SELECT true")
    assert record_from_data(StepCheck, {**data_from_record(check), "unknown": 1}) == check
