"""The laws of a plan, on catalogs that nobody thought of: carried out, it leaves nothing to do, keeps every row it may
keep, and its undo leads back."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from tests.catalogs import clear_database, create_statements, read, run
from tests.planned import carry_out, changes_left, plan_for, take_back
from tests.strategies import catalogs, edits
from wesley_tui.planner.document import plan_from_json, plan_to_json
from wesley_tui.planner.explain import explain_text

_EXAMPLES = 400 if os.environ.get("WESLEY_SLOW") else 6
_SETTINGS = settings(
    max_examples=_EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),  # shrinking costs minutes of real DDL; a failure prints its seed
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def test_a_plan_converges_and_its_undo_leads_back(any_database: str) -> None:
    major = read(any_database).major

    @_SETTINGS
    @given(st.data())
    def law(data: st.DataObject) -> None:
        before = data.draw(catalogs(major=major, max_tables=3))
        after = data.draw(edits(before, major=major))
        clear_database(any_database)
        run(any_database, list(create_statements(before)))
        plan = plan_for(any_database, after)
        carry_out(any_database, plan)
        left = changes_left(any_database, after)
        assert left.changes == ()
        assert plan_for(any_database, after).waves == ()
        assert plan_from_json(plan_to_json(plan)) == plan
        assert explain_text(plan)
        if all(step.undo or not step.loses for step in plan.steps):
            take_back(any_database, plan)
            back = changes_left(any_database, before)
            assert [change for change in back.changes if type(change).__name__ != "ChangeEnumLabels"] == []

    law()


def test_any_catalog_can_be_reached_from_any_other(any_database: str) -> None:
    major = read(any_database).major

    @_SETTINGS
    @given(st.data())
    def law(data: st.DataObject) -> None:
        before = data.draw(catalogs(major=major, max_tables=3))
        after = data.draw(catalogs(major=major, max_tables=3))
        clear_database(any_database)
        run(any_database, list(create_statements(before)))
        plan = plan_for(any_database, after, adopt_all=True, purge=data.draw(st.booleans()))
        # Two random columns of one name have types that no cast connects; test_planner_types has those that make sense.
        assume(not any(step.op in ("alter_type", "replace_column", "change_enum") for step in plan.steps))
        carry_out(any_database, plan)
        assert changes_left(any_database, after, adopt_all=True).changes == ()

    law()
