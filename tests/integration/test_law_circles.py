"""Long chains and circles: what leans on each other, however far, is planned, carried out, and comes and goes."""

from __future__ import annotations

import os

import pytest

from tests.catalogs import clear_database, read, run
from tests.planned import carry_out, changes_left, plan_for
from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, Column, ForeignKey, PrimaryKey, QName, Ref, SqlObject, Table
from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.diff.compare import compare
from wesley_tui.planner.build import PlanOptions, build_plan
from wesley_tui.planner.operations import Operation, Phase
from wesley_tui.planner.order import arranged

_LONG = 2000 if os.environ.get("WESLEY_SLOW") == "1" else 250


def chain(count: int) -> Catalog:
    """Each table references the next one, and each has a view that reads the one before."""
    tables, objects = {}, {}
    for place in range(count):
        name = QName("public", f"t{place}")
        columns = (Column("id", "bigint", not_null=True), Column("next", "bigint"))
        following = QName("public", f"t{(place + 1) % count}")
        key = ForeignKey(f"t{place}_next", ("next",), following, ("id",))
        tables[name] = Table(name, columns, (PrimaryKey(f"t{place}_pkey", ("id",)), key))
        view = QName("public", f"v{place}")
        source = Ref("table", str(name)) if place == 0 else Ref("view", f"public.v{place - 1}")
        text = f"CREATE VIEW public.v{place} AS SELECT id FROM {source.name}"
        item = SqlObject("view", view, (text,), columns=("id",), depends_on=(source,))
        objects[item.ref] = item
    return Catalog(schemas=frozenset({"public"}), tables=tables, objects=objects)


def test_a_long_chain_of_tables_and_views_is_planned_both_ways() -> None:
    """A circle, in fact: the last references the first. No recursion, and views in their order."""
    full, empty = chain(_LONG), Catalog(schemas=frozenset({"public"}))
    for live, wanted in ((empty, full), (full, empty)):
        snapshot = Snapshot(live)
        diff = compare(live, wanted, Intent(), adopt_all=True)
        for purge in (False, True):
            plan = build_plan(snapshot, wanted, diff, PlanOptions(adopt_all=True, purge=purge))
            views = [int(step.object[len("public.v") :]) for step in plan.steps if step.op.endswith("_view")]
            assert views == (sorted(views) if wanted is full else sorted(views, reverse=True))
            assert len(views) == _LONG


_CIRCLES = {
    "foreign keys": (
        "CREATE TABLE public.a (id bigint PRIMARY KEY, b bigint)",
        "CREATE TABLE public.b (id bigint PRIMARY KEY, a bigint REFERENCES public.a)",
        "ALTER TABLE public.a ADD FOREIGN KEY (b) REFERENCES public.b",
    ),
    "a view and the function that it calls and that reads it": (
        "CREATE TABLE public.a (id bigint PRIMARY KEY)",
        "CREATE FUNCTION public.f(x bigint) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.v'",
        "CREATE VIEW public.v AS SELECT id, public.f(id) AS n FROM public.a",
    ),
    "a default and the function that reads the table": (
        "CREATE FUNCTION public.f() RETURNS bigint LANGUAGE sql AS 'SELECT max(id) FROM public.a'",
        "CREATE TABLE public.a (id bigint PRIMARY KEY DEFAULT public.f())",
    ),
    "two functions that call each other": (
        "CREATE FUNCTION public.f() RETURNS bigint LANGUAGE sql AS 'SELECT public.g()'",
        "CREATE FUNCTION public.g() RETURNS bigint LANGUAGE sql AS 'SELECT public.f()'",
    ),
    "a function that takes the rows of a view that calls it": (
        "CREATE TABLE public.a (id bigint PRIMARY KEY)",
        "CREATE VIEW public.v AS SELECT id FROM public.a",
        "CREATE FUNCTION public.f(r public.v) RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
        "CREATE VIEW public.w AS SELECT public.f(v) AS f FROM public.v AS v",
    ),
}


@pytest.mark.parametrize("name", _CIRCLES)
@pytest.mark.parametrize("purge", [False, True], ids=["retired", "purged"])
def test_a_circle_comes_and_goes(database: str, name: str, purge: bool) -> None:
    run(database, _CIRCLES[name])
    wanted = read(database).catalog
    clear_database(database)
    carry_out(database, plan_for(database, wanted))
    assert changes_left(database, wanted).changes == ()
    empty = Catalog(schemas=frozenset({"public"}))
    carry_out(database, plan_for(database, empty, adopt_all=True, purge=purge))
    assert changes_left(database, empty, adopt_all=True).changes == ()


def operation(name: str, needs: tuple[str, ...], provides: tuple[str, ...], phase: Phase) -> Operation:
    return Operation(op=name, object=name, wave="EXPAND", phase=phase, needs=needs, provides=provides)


def test_a_circle_of_needs_is_cut_where_building_begins() -> None:
    first = operation("type", ("object view v exists",), ("enum t",), Phase.TYPE)
    second = operation("view", ("enum t",), ("object view v exists",), Phase.VIEW)
    third = operation("comment", ("object view v exists",), (), Phase.COMMENT)
    assert [item.op for item in arranged([third, second, first])] == ["type", "view", "comment"]


def test_a_circle_of_names_is_refused_and_says_so() -> None:
    first = operation("rename a", ("name public.b",), ("name public.a",), Phase.RENAME)
    second = operation("rename b", ("name public.a",), ("name public.b",), Phase.RENAME)
    refusal, *_ = arranged([first, second])
    assert (refusal.op, refusal.wave) == ("refuse", "PLAN")
    assert "wait for each other" in refusal.prechecks[0].message
