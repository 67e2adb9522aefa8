"""Tables that publish their updates and cannot say which row is meant: a plan that would update them says so first."""

from __future__ import annotations

import psycopg
import pytest

from tests.catalogs import read, run
from tests.planned import carry_out, changes_left, plan_for, unsatisfied
from wesley_tui.catalog.model import Catalog, QName
from wesley_tui.planner.effects import EffectContext, effects_of
from wesley_tui.planner.plan import HazardClass, Plan, StepCheck
from wesley_tui.planner.published import can_be_updated, is_identified, publishing

_T = QName("public", "t")
_TABLE = "CREATE TABLE public.t (id bigint NOT NULL, note text)"
_FILLED = (_TABLE, "INSERT INTO public.t SELECT i, NULL FROM pg_catalog.generate_series(1, 20) AS i")
_PUBLISHED = "CREATE PUBLICATION p FOR TABLE public.t"


def _filling(database: str, *published: str, key: bool = False) -> tuple[Plan, Catalog]:
    """A plan that makes ``note`` NOT NULL with a default, so that its rows are filled."""
    made = "ALTER TABLE public.t ALTER note SET DEFAULT 'x', ALTER note SET NOT NULL"
    run(database, [_TABLE, *published, made, *(["ALTER TABLE public.t ADD PRIMARY KEY (id)"] if key else [])])
    wanted = read(database).catalog
    run(database, ["DROP TABLE public.t", "DROP PUBLICATION IF EXISTS p"])
    run(database, [*_FILLED, *published])
    return plan_for(database, wanted), wanted


def test_a_backfill_that_the_publication_forbids_is_told_before_anything_is_done(any_database: str) -> None:
    plan, wanted = _filling(any_database, _PUBLISHED)
    first = next(iter(plan.steps))
    assert (plan.waves[0].name, first.op, first.hazard) == ("PLAN", "require_replica_identity", HazardClass.H3)
    with pytest.raises(AssertionError, match="REPLICA IDENTITY FULL"):
        carry_out(any_database, plan)
    with psycopg.connect(any_database) as connection:
        assert connection.execute("SELECT count(*) FROM public.t WHERE note IS NULL").fetchone() == (20,)
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            connection.execute("UPDATE public.t SET note = 'x'")
    run(any_database, ["ALTER TABLE public.t REPLICA IDENTITY FULL"])
    carry_out(any_database, plan)
    run(any_database, ["ALTER TABLE public.t REPLICA IDENTITY DEFAULT"])
    assert changes_left(any_database, wanted).changes == ()


@pytest.mark.parametrize(
    "published", ["CREATE PUBLICATION p FOR TABLE public.t WITH (publish = 'insert, delete')", "CREATE PUBLICATION p"]
)
def test_publications_without_updates_of_the_table_forbid_nothing(database: str, published: str) -> None:
    plan, _ = _filling(database, published)
    assert "require_replica_identity" not in [step.op for step in plan.steps]
    carry_out(database, plan)


def test_a_key_of_the_same_plan_comes_before_the_check(database: str) -> None:
    """Its index is built in EXPAND; so nothing is in the way when rows are filled."""
    plan, wanted = _filling(database, _PUBLISHED, key=True)
    assert "require_replica_identity" not in [step.op for step in plan.steps]
    carry_out(database, plan)
    assert changes_left(database, wanted).changes == ()


@pytest.mark.parametrize(
    ("table", "published"),
    [
        (_TABLE, _PUBLISHED),
        (_TABLE, "CREATE PUBLICATION p FOR ALL TABLES"),
        (_TABLE, "CREATE PUBLICATION p FOR TABLES IN SCHEMA public"),
        (_TABLE, "CREATE PUBLICATION p FOR TABLE public.t WITH (publish = 'insert')"),
        (_TABLE + "; ALTER TABLE public.t REPLICA IDENTITY FULL", _PUBLISHED),
        (_TABLE + "; ALTER TABLE public.t ADD PRIMARY KEY (id)", _PUBLISHED),
        (_TABLE + "; ALTER TABLE public.t ADD PRIMARY KEY (id), REPLICA IDENTITY NOTHING", _PUBLISHED),
        (_TABLE + "; ALTER TABLE public.t ADD PRIMARY KEY (id) DEFERRABLE", _PUBLISHED),
        (_TABLE + "; CREATE UNIQUE INDEX i ON public.t (id); ALTER TABLE public.t REPLICA IDENTITY USING INDEX i",
         _PUBLISHED),
        ("CREATE UNLOGGED TABLE public.t (id bigint, note text)", "CREATE PUBLICATION p FOR ALL TABLES"),
        ("CREATE TABLE public.w (id bigint, note text) PARTITION BY LIST (id); "
         "CREATE TABLE public.t PARTITION OF public.w DEFAULT", "CREATE PUBLICATION p FOR TABLE public.w"),
        ("CREATE TABLE public.w (id bigint, note text) PARTITION BY LIST (id); "
         "CREATE TABLE public.t PARTITION OF public.w DEFAULT",
         "CREATE PUBLICATION p FOR TABLE public.w WITH (publish_via_partition_root)"),
    ],
)  # fmt: skip
def test_the_catalog_and_the_check_say_what_the_server_does(any_database: str, table: str, published: str) -> None:
    run(any_database, [*table.split("; "), published])
    with psycopg.connect(any_database) as connection:
        connection.execute("INSERT INTO public.t VALUES (1)")
        check = StepCheck("refused", can_be_updated(_T))
        free = unsatisfied(connection, (check,)) == []
        connection.commit()
        try:
            connection.execute("UPDATE public.t SET note = 'x'")
            done = True
        except psycopg.errors.ObjectNotInPrerequisiteState:
            done = False
    catalog = read(any_database).catalog
    known = is_identified(catalog.tables[_T]) or publishing(catalog.tables[_T], catalog) is None
    assert (free, known) == (done, done)


def test_what_people_write_is_told_the_same(database: str) -> None:
    run(database, [_TABLE, _PUBLISHED])
    context = EffectContext(180000, "UTC", read(database).catalog)
    for statement in ("UPDATE public.t SET note = 'x' WHERE id = 1", "DELETE FROM public.t WHERE id = 1"):
        assert any("55000" in said for said in effects_of(statement, context).replication)
    run(database, ["ALTER TABLE public.t ADD PRIMARY KEY (id)"])
    context = EffectContext(180000, "UTC", read(database).catalog)
    assert not any("55000" in said for said in effects_of("UPDATE public.t SET note = 'x'", context).replication)
