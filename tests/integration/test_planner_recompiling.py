"""Open sessions go on while columns change their types: what they have compiled is compiled again."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from tests.catalogs import read, run
from tests.planned import carry_out, plan_for, take_back
from wesley_tui.catalog.model import Catalog, QName
from wesley_tui.planner.plan import HazardClass, Plan

T = QName("public", "t")
TABLE = (
    "CREATE TABLE public.t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v integer NOT NULL, w integer, u text)"
)
TRIGGER = """CREATE FUNCTION public.stamp() RETURNS trigger LANGUAGE plpgsql COST 77 AS $$ BEGIN
    IF NEW.v > 5 AND NEW.w IS DISTINCT FROM 3 THEN NEW.u := 'high'; END IF;
    IF TG_OP = 'UPDATE' THEN
      IF OLD.v IS DISTINCT FROM NEW.v OR OLD.w > NEW.w THEN NEW.u := 'moved'; END IF;
    END IF;
    RETURN NEW;
END $$"""
OTHERS = (
    """CREATE FUNCTION public.loops() RETURNS integer LANGUAGE plpgsql AS $$ DECLARE r record; n integer := 0; BEGIN
    FOR r IN SELECT * FROM public.t LIMIT 3 LOOP IF r.v > 5 AND r.w > 5 THEN n := n + 1; END IF; END LOOP; RETURN n;
    END $$""",
    """CREATE FUNCTION public.takes(r public.t) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN IF r.v > 5 THEN RETURN r.w > 5; END IF; RETURN false; END $$""",
)
HUNG = "CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.stamp()"
ROWS = 3000


class Session:
    """A client that stays connected; every use raises what PostgreSQL says."""

    def __init__(self, uri: str) -> None:
        self.connection = psycopg.connect(uri, autocommit=True, prepare_threshold=None)

    def use(self) -> None:
        for _ in range(2):
            self.connection.execute("INSERT INTO t (v, w) VALUES (7, 1)")
            self.connection.execute("UPDATE t SET v = v::text::int + 1, w = 2 WHERE id = 1")
            self.connection.execute("SELECT loops()")
            self.connection.execute("SELECT takes(t) FROM t LIMIT 1")


def typed(catalog: Catalog, v: str, w: str) -> Catalog:
    table = catalog.tables[T]
    types = {"v": v, "w": w}
    columns = tuple(replace(item, type=types.get(item.name, item.type)) for item in table.columns)
    return replace(catalog, tables={**catalog.tables, T: replace(table, columns=columns)})


def without_contract(plan: Plan) -> Plan:
    return replace(plan, waves=tuple(wave for wave in plan.waves if wave.name != "CONTRACT"))


@pytest.mark.parametrize("rows", [3, ROWS], ids=["in-place", "exchange"])
def test_a_session_goes_on_through_two_changes_of_type_and_an_undo(any_database: str, rows: int) -> None:
    run(
        any_database,
        [
            TABLE,
            *OTHERS,
            TRIGGER,
            HUNG,
            f"INSERT INTO public.t (v, w) SELECT i, i FROM generate_series(1, {rows}) i",
        ],
    )
    session = Session(any_database)
    session.use()
    first = without_contract(plan_for(any_database, typed(read(any_database).catalog, "bigint", "numeric")))
    assert ("exchange_columns" in [step.op for step in first.steps]) is (rows == ROWS)
    carry_out(any_database, first, batch_rows=1000)
    session.use()
    # The exchange before still waits for its last wave: its trigger is compiled again, too.
    second = without_contract(plan_for(any_database, typed(read(any_database).catalog, "integer", "bigint")))
    carry_out(any_database, second, batch_rows=1000)
    session.use()
    if rows == ROWS:
        take_back(any_database, second)
        session.use()
    cost = session.connection.execute("SELECT procost FROM pg_proc WHERE proname = 'stamp'").fetchone()
    assert cost == (77,)
    session.connection.close()


def test_a_type_that_is_made_anew(any_database: str) -> None:
    run(
        any_database,
        [
            # A new schema would make every session prepare everything again.
            "CREATE SCHEMA wesley_retired",
            "CREATE TYPE public.state AS ENUM ('a', 'b', 'c')",
            "CREATE TABLE public.t (id bigint PRIMARY KEY, s public.state)",
            "CREATE FUNCTION public.stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF NEW.s = 'a' THEN NEW.s := 'b'; END IF; RETURN NEW; END $$",
            HUNG,
        ],
    )
    catalog = read(any_database).catalog
    wanted = replace(catalog, enums={name: replace(item, labels=("a", "b")) for name, item in catalog.enums.items()})
    with psycopg.connect(any_database, autocommit=True) as session:
        session.execute("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
        carry_out(any_database, plan_for(any_database, wanted))
        session.execute("INSERT INTO t VALUES (3, 'a')")
        session.execute("UPDATE t SET s = 'a'")


def test_functions_of_others_are_left_alone(database: str) -> None:
    run(database, [TABLE, TRIGGER, HUNG, f"INSERT INTO public.t (v) SELECT i FROM generate_series(1, {ROWS}) i"])
    plan = plan_for(database, typed(read(database).catalog, "bigint", "integer"))
    (exchange,) = (step for step in plan.steps if step.op == "exchange_columns")
    assert exchange.hazard is HazardClass.H1
    again = exchange.statements[-1]
    assert exchange.undo[-1] == again
    version = "SELECT xmin::text FROM pg_proc WHERE proname = 'stamp'"
    with psycopg.connect(database) as connection:
        before = connection.execute(version).fetchone()
        connection.execute("CREATE ROLE nobody_of_these")
        connection.execute("SET LOCAL ROLE nobody_of_these")
        connection.execute(again.encode())
        assert connection.execute(version).fetchone() == before
        connection.execute("RESET ROLE")
        connection.execute(again.encode())
        assert connection.execute(version).fetchone() != before
        connection.rollback()


@pytest.mark.parametrize("contract", [False, True], ids=["pending", "contracted"])
def test_the_same_change_of_type_a_second_time(database: str, contract: bool) -> None:
    run(database, [TABLE, TRIGGER, HUNG, f"INSERT INTO public.t (v, w) SELECT i, i FROM generate_series(1, {ROWS}) i"])
    session = Session(database)
    run(database, OTHERS)
    for v in ("bigint", "integer", "bigint", "integer"):
        session.use()
        plan = plan_for(database, typed(read(database).catalog, v, "integer"))
        assert "exchange_columns" in [step.op for step in plan.steps]
        carry_out(database, plan if contract else without_contract(plan), batch_rows=1000)
    session.use()
    assert session.connection.execute("SELECT v, w FROM t WHERE id = 77").fetchone() == (77, 77)
    session.connection.close()
