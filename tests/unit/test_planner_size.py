"""Long chains: nothing in a comparison or a plan recurses, or grows with the square of what there is."""

from __future__ import annotations

import time

from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, Column, ForeignKey, PrimaryKey, QName, Ref, SqlObject, Table
from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.diff.compare import compare
from wesley_tui.planner.build import PlanOptions, build_plan
from wesley_tui.planner.plan import Plan

_PUBLIC = frozenset(("public",))


def _plan(actual: Catalog, desired: Catalog) -> Plan:
    return build_plan(Snapshot(catalog=actual), desired, compare(actual, desired, Intent()))


def test_a_chain_of_two_thousand_tables() -> None:
    tables = _chain()
    plan = _plan(Catalog(schemas=_PUBLIC), Catalog(schemas=_PUBLIC, tables=tables))
    assert len(list(plan.steps)) == 3999


def test_two_thousand_tables_are_retired_in_seconds() -> None:
    """About 1.3 s; where every statement looks at all tables, 40 s."""
    actual, desired = Catalog(schemas=_PUBLIC, tables=_chain()), Catalog(schemas=_PUBLIC)
    diff = compare(actual, desired, Intent(), adopt_all=True)
    begun = time.process_time()
    plan = build_plan(Snapshot(catalog=actual), desired, diff, PlanOptions(adopt_all=True))
    assert time.process_time() - begun < 12
    assert {step.op for step in plan.steps} == {"retire_table"}
    assert len(list(plan.steps)) == 2000


def _chain() -> dict[QName, Table]:
    tables = {}
    for number in range(2000):
        name = QName("public", f"t{number}")
        key = ForeignKey(f"t{number}_next", ("next",), QName("public", f"t{number + 1}"), ("id",))
        tables[name] = Table(
            name,
            (Column("id", "bigint", not_null=True), Column("next", "bigint")),
            (*((key,) if number < 1999 else ()), PrimaryKey(f"t{number}_pkey", ("id",))),
        )
    return tables


def _view(number: int) -> SqlObject:
    below = QName("public", f"v{number - 1}") if number else QName("public", "t")
    kind = "view" if number else "table"
    return SqlObject(
        "view",
        QName("public", f"v{number}"),
        (f"CREATE VIEW public.v{number} AS SELECT c FROM {below}",),
        columns=("c",),
        depends_on=(Ref("column", f"{below}.c"), Ref(kind, str(below))),
    )


def test_five_hundred_views_go_out_of_the_way_of_one_column() -> None:
    views = {item.ref: item for item in map(_view, range(500))}
    name = QName("public", "t")
    before = Catalog(_PUBLIC, {name: Table(name, (Column("c", "integer"),))}, objects=views)
    after = Catalog(_PUBLIC, {name: Table(name, (Column("c", "bigint"),))}, objects=views)
    (step,) = (item for item in _plan(before, after).steps if item.op == "exchange_columns")
    kinds = [statement.split(" public")[0] for statement in step.statements]
    assert kinds[:500] == ["DROP VIEW"] * 500
    assert kinds[-500:] == ["CREATE VIEW"] * 500
    assert not any("VIEW" in kind for kind in kinds[500:-500])
    assert step.statements[0] == "DROP VIEW public.v499"
    assert step.statements[-1].startswith("CREATE VIEW public.v499")
