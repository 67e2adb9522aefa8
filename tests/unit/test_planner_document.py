"""Plans as documents: what is written is read back, and whatever is changed in between is noticed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.planner_cases import rich_plan
from wesley_tui.planner.document import PlanDocumentError, plan_from_json, plan_to_json
from wesley_tui.planner.explain import explain_text

CONTRACT = {
    "step_sha",
    "op",
    "object",
    "sql",
    "hazard",
    "locks",
    "rewrites",
    "scans",
    "in_transaction",
    "depends_on",
    "prechecks",
    "postchecks",
    "undo",
    "estimate_ms",
}


def test_a_plan_survives_json() -> None:
    plan = rich_plan()
    text = json.dumps(plan_to_json(plan))
    assert plan_from_json(json.loads(text)) == plan


def test_the_contract_of_the_command_line() -> None:
    document = plan_to_json(rich_plan())
    assert {"plan_id", "base", "target", "hazard", "waves"} <= document.keys()
    for wave in document["waves"]:
        assert {"name", "hazard", "steps"} <= wave.keys()
        for step in wave["steps"]:
            assert step.keys() >= CONTRACT
            assert len(step["step_sha"]) == 64
            assert set(step["locks"].values()) <= {
                "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
                "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock",
            }  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every leaf of the document."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _places(item, (*path, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _places(item, (*path, position))
    else:
        yield path


def _changed(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if value is None:
        return "x"
    return value[:-1] + chr(ord(value[-1]) ^ 1) if value else "x"


def test_every_changed_value_is_noticed() -> None:
    document = json.loads(json.dumps(plan_to_json(rich_plan())))
    places = list(_places(document))
    assert len(places) > 200
    for path in places:
        forged = copy.deepcopy(document)
        parent = forged
        for part in path[:-1]:
            parent = parent[part]
        parent[path[-1]] = _changed(parent[path[-1]])
        with pytest.raises(PlanDocumentError):
            plan_from_json(forged)


@pytest.mark.parametrize("change", ["remove", "swap", "duplicate"])
def test_steps_cannot_be_moved(change: str) -> None:
    document = json.loads(json.dumps(plan_to_json(rich_plan())))
    steps = next(wave["steps"] for wave in document["waves"] if len(wave["steps"]) > 1)
    if change == "remove":
        del steps[0]
    elif change == "swap":
        steps[0], steps[1] = steps[1], steps[0]
    else:
        steps.append(steps[0])
    with pytest.raises(PlanDocumentError):
        plan_from_json(document)


def test_the_message_names_the_step() -> None:
    document = json.loads(json.dumps(plan_to_json(rich_plan())))
    step = document["waves"][0]["steps"][0]
    step["statements"][0] += " "
    with pytest.raises(PlanDocumentError, match=rf"step 1 \({step['op']} "):
        plan_from_json(document)


@pytest.mark.parametrize("data", [None, [], {}, {"version": 2}, {"version": 1}, {"version": 1, "waves": 3}])
def test_other_json_is_refused(data: Any) -> None:
    with pytest.raises(PlanDocumentError):
        plan_from_json(data)


def test_explain_fits_a_terminal_and_begins_with_a_verdict() -> None:
    text = explain_text(rich_plan())
    lines = text.splitlines()
    assert lines[0].startswith("DANGER: ")
    names = {name for step in rich_plan().steps for name in (step.object, *step.locks)}
    assert all(len(line) <= 80 or any(len(word) > 40 for word in line.split()) for line in lines), names
    assert text.isascii()
    for step in rich_plan().steps:
        assert f"[{step.hazard.name} {step.hazard.word}] {step.op}" in text
    assert "Left alone" in text
    assert "Questions" in text
