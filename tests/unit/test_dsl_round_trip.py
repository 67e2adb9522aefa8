"""The law of the form: a planned migration, written as people write it and read again, runs the same statements."""

from __future__ import annotations

import json
import os
import re

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.strategies import catalogs, edits
from tests.strategies_objects import KINDS
from tests.unit.planner_cases import rich_plan
from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog
from wesley_tui.catalog.snapshot import Snapshot, TableSize
from wesley_tui.diff.compare import compare
from wesley_tui.dsl.build import build_hand_written
from wesley_tui.dsl.document import read_plan
from wesley_tui.dsl.vocabulary import OPERATIONS, recognised
from wesley_tui.dsl.write import operations_in, same_statement, write_plan
from wesley_tui.planner.build import PlanOptions, build_plan
from wesley_tui.planner.plan import Plan

_COMMON = re.compile(r"(CREATE|ALTER|DROP|COMMENT ON) (TABLE|INDEX|UNIQUE|VIEW|TYPE|SEQUENCE|DOMAIN|POLICY|FUNCTION) ")
"""What people write every day; rarer objects may be written as ``run_sql``."""
_EXAMPLES = 400 if os.environ.get("WESLEY_SLOW") == "1" else 12
_PHASES = (Phase.explicit, Phase.generate)
"""A whole catalog takes minutes to shrink; the statements in the message say enough."""
_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


def planned(live: Catalog, desired: Catalog, major: int, *, purge: bool) -> tuple[Plan, Snapshot]:
    sizes = {name: TableSize(10_000, 1e6, 81_920_000) for name in live.tables}
    snapshot = Snapshot(live, server_version_num=major * 10_000, sizes=sizes)
    diff = compare(live, desired, Intent(), adopt_all=True)
    return build_plan(snapshot, desired, diff, PlanOptions(purge=purge, adopt_all=True)), snapshot


def check_law(plan: Plan, snapshot: Snapshot) -> None:
    if not plan.waves:
        return
    document = write_plan(plan, snapshot)
    again = build_hand_written(read_plan("plan.json", json.dumps(document).encode()), snapshot)
    assert len(list(again.steps)) == len(list(plan.steps))
    for step, read in zip(plan.steps, again.steps, strict=True):
        assert len(step.statements) == len(read.statements), step
        assert all(map(same_statement, step.statements, read.statements)), (step.statements, read.statements)
        assert step.kind is read.kind
        assert (step.backfill is None) == (read.backfill is None)
        if step.backfill is not None and read.backfill is not None:
            assert step.backfill.batch_sql == read.backfill.batch_sql
            assert step.backfill.remaining_sql == read.backfill.remaining_sql
        assert (step.object, step.op) == (read.object, read.op) or step.hazard <= read.hazard
        assert step.hazard <= read.hazard, "what is read knows less, and must not be judged milder"
    raw = [item["statement"] for item in operations_in(document) if item["op"] == "run_sql"]
    assert not [text for text in raw if _COMMON.match(text)], "an operation is missing from the vocabulary"


@settings(max_examples=_EXAMPLES, phases=_PHASES, suppress_health_check=_SLOW)
@given(st.data())
def test_a_plan_between_neighbours(data: st.DataObject) -> None:
    live = data.draw(catalogs(max_tables=3))
    desired = data.draw(edits(live))
    check_law(*planned(live, desired, data.draw(st.sampled_from([15, 18])), purge=data.draw(st.booleans())))


@settings(max_examples=_EXAMPLES, phases=_PHASES, suppress_health_check=_SLOW)
@given(st.data())
def test_a_plan_from_and_to_nothing(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True))
    one = data.draw(catalogs(max_tables=2, kinds=kinds, major=18 if "since 18" in kinds else 15))
    live, desired = (one, Catalog(one.schemas)) if data.draw(st.booleans()) else (Catalog(one.schemas), one)
    check_law(*planned(live, desired, 18, purge=data.draw(st.booleans())))


def test_a_rich_plan_is_written_with_named_fields() -> None:
    seen = 0
    for step in rich_plan().steps:
        for statement in step.statements:
            values = recognised(statement)
            if values is None:
                continue
            seen += 1
            word = OPERATIONS[values["op"]]
            word.check(values)
            assert word.sql(values) == statement
    assert seen > 30
