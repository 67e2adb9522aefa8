"""What was retired comes back with its data, and goes for good when that is asked for."""

from __future__ import annotations

from dataclasses import replace

from tests.catalogs import read, run
from tests.integration.test_planner_shadow import changed, ops, rows, seed
from tests.planned import carry_out, changes_left, plan_for
from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, QName, Table
from wesley_tui.executor.stored import document_from_plan
from wesley_tui.planner.plan import HazardClass, Plan

T = QName("public", "t")


def without(catalog: Catalog, column: str) -> Catalog:
    table = catalog.tables[T]
    kept: Table = replace(table, columns=tuple(item for item in table.columns if item.name != column))
    return replace(catalog, tables={**catalog.tables, T: kept})


def retired_column(uri: str) -> Catalog:
    catalog = seed(
        uri,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, note text NOT NULL)",
        "INSERT INTO public.t SELECT i, 'note ' || i FROM generate_series(1, 10) i",
    )
    carry_out(uri, plan_for(uri, without(catalog, "note")))
    assert changes_left(uri, without(catalog, "note")).changes == ()
    return catalog


def test_a_column_comes_back_with_its_values(any_database: str) -> None:
    catalog = retired_column(any_database)
    plan = plan_for(any_database, catalog)
    assert ops(plan)[0] == "restore_column"
    assert "add_column" not in ops(plan)
    carry_out(any_database, plan)
    assert changes_left(any_database, catalog).changes == ()
    assert read(any_database).resting_columns == ()
    assert rows(any_database, "SELECT count(*) FROM t WHERE note = 'note ' || id") == [(10,)]


def test_the_base_of_the_plan_is_what_everybody_sees(database: str) -> None:
    catalog = retired_column(database)
    assert plan_for(database, catalog).base == plan_for(database, without(catalog, "note")).base


def test_a_column_of_another_type_is_asked_about(database: str) -> None:
    catalog = retired_column(database)
    wanted = changed(catalog, t__note=replace(catalog.tables[T].columns[1], type="jsonb", not_null=False))
    plan = plan_for(database, wanted)
    (question,) = plan.questions
    assert question.old.startswith("wesley_retired_")
    assert ops(plan) == ["add_column"]
    answered = plan_for(database, wanted, Intent(renamed_columns={(T, "note"): question.old}))
    assert ops(answered)[0] == "restore_column"


def retired_table(uri: str) -> Catalog:
    catalog = seed(
        uri,
        "CREATE TABLE public.kept (id bigint PRIMARY KEY)",
        "CREATE TABLE public.t (id bigint PRIMARY KEY, kept_id bigint REFERENCES public.kept, note text)",
        "CREATE INDEX t_note_idx ON public.t (note)",
        "CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER t_f BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.f()",
        "INSERT INTO public.kept VALUES (1)",
        "INSERT INTO public.t SELECT i, 1, 'note ' || i FROM generate_series(1, 10) i",
    )
    left = replace(
        catalog,
        tables={QName("public", "kept"): catalog.tables[QName("public", "kept")]},
        objects={ref: item for ref, item in catalog.objects.items() if item.kind == "function"},
    )
    carry_out(uri, plan_for(uri, left, Intent(dropped_tables=frozenset({T}))))
    assert changes_left(uri, left).changes == ()
    return catalog


def test_a_table_comes_back_with_its_rows(any_database: str) -> None:
    catalog = retired_table(any_database)
    plan = plan_for(any_database, catalog)
    assert "restore_table" in ops(plan)
    assert "create_table" not in ops(plan)
    carry_out(any_database, plan)
    assert changes_left(any_database, catalog).changes == ()
    assert rows(any_database, "SELECT count(*) FROM t WHERE note = 'note ' || id AND kept_id = 1") == [(10,)]
    assert not read(any_database).retired.tables


def test_purge_takes_what_earlier_plans_have_retired(any_database: str) -> None:
    catalog = retired_column(any_database)
    plan = plan_for(any_database, without(catalog, "note"), purge=True)
    assert ops(plan) == ["drop_column"]
    assert plan.hazard is HazardClass.H3
    assert document_from_plan(plan)
    carry_out(any_database, plan)
    assert read(any_database).resting_columns == ()
    assert plan_for(any_database, without(catalog, "note"), purge=True).waves == ()


def test_purge_takes_retired_tables(database: str) -> None:
    retired_table(database)
    kept = replace(read(database).catalog, objects={})
    plan: Plan = plan_for(database, kept, purge=True)
    assert ops(plan) == ["drop_table"]
    assert plan.hazard is HazardClass.H3
    carry_out(database, plan)
    assert not read(database).retired.tables
    run(database, ["CREATE TABLE public.t (id int)"])
