"""Whatever stands in a document, the answer is a plan or an error with a place: never anything else."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.planner_cases import ORDERS, USERS, table
from wesley_tui.catalog.model import Catalog, Column
from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.dsl.build import build_hand_written
from wesley_tui.dsl.document import COMPOUND, read_plan
from wesley_tui.dsl.json_text import PlanError
from wesley_tui.dsl.script import lint_script_of
from wesley_tui.dsl.vocabulary import DESCRIPTIONS, OPERATIONS

SNAPSHOT = Snapshot(
    Catalog(frozenset({"public"}), {name: table(name, Column("email", "text")) for name in (USERS, ORDERS)})
)
_TEXTS = st.sampled_from([
    "public.users", "users", "email", "id", "", ".", '"', "a.b.c", "1", "now()", "'x'", "x'", "(", ")", "a, b", "; --",
    "SELECT 1", "SELECT 1; SELECT 2", "UPDATE users SET email = 'x'", "DELETE FROM users", "integer", "text[]", "\x00",
    "DEFAULT", "FOR VALUES IN (1)", "RANGE (id)", "public.f(integer)", "f()", "/* x", "$$", "é", "🙂",
    "x" * 70,
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "public", "EXECUTE", "always", "cascade", "=", "&&",
    "CREATE TRIGGER a BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f()",
    "INSERT INTO users SELECT id FROM orders",
])  # fmt: skip
_VALUES = st.recursive(
    st.one_of(_TEXTS, st.none(), st.booleans(), st.integers(-5, 10**20), st.floats(allow_nan=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(sorted(DESCRIPTIONS)), inner, max_size=3)
    ),
    max_leaves=6,
)
_FIELDS = sorted({name for word in OPERATIONS.values() for name in word.fields} | set(DESCRIPTIONS))


@st.composite
def steps(draw: st.DrawFn) -> Any:
    op = draw(st.sampled_from([*OPERATIONS, *COMPOUND]))
    fields = dict(OPERATIONS[op].fields) if op in OPERATIONS else dict(COMPOUND[op][1])
    likely = {
        name: draw(st.one_of(_TEXTS, _VALUES)) for name, (_, needed) in fields.items() if needed or draw(st.booleans())
    }
    for name in ("steps", "actions"):
        if op in ("alter_table", "in_one_transaction") and draw(st.booleans()):
            likely[name] = draw(st.lists(steps(), max_size=2))
    odd = draw(st.dictionaries(st.sampled_from(_FIELDS), _VALUES, max_size=1)) if draw(st.booleans()) else {}
    return {"op": op, **likely, **odd}


_EXAMPLES = 4000 if os.environ.get("WESLEY_SLOW") == "1" else 60


@settings(max_examples=_EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(steps(), min_size=1, max_size=3))
def test_any_step_is_answered(found: list[Any]) -> None:
    document = {
        "wesley_plan": 1,
        "title": "Any",
        "reason": "Whatever it is.",
        "waves": [{"name": "PLAN", "steps": found}],
    }
    try:
        plan = read_plan("plan.json", json.dumps(document).encode())
        lint_script_of(plan)
        build_hand_written(plan, SNAPSHOT)
    except PlanError as error:
        place = (error.line, error.column)
    else:
        place = (1, 1)
    assert min(place) > 0


@settings(max_examples=_EXAMPLES)
@given(
    st.one_of(
        st.binary(max_size=60), st.text(max_size=60).map(str.encode), _VALUES.map(lambda v: json.dumps(v).encode())
    )
)
def test_any_bytes_are_answered(data: bytes) -> None:
    with pytest.raises(PlanError, match=r"^plan\.json"):
        read_plan("plan.json", data)
