"""Changes of type by shadow column: on real tables with rows, keys, foreign keys, views and writers."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from tests.catalogs import read, run
from tests.conftest import Servers, fresh_database
from tests.planned import carry_out, changes_left, plan_for, take_back
from tests.plans import accept
from wesley_tui.catalog.intent import Intent
from wesley_tui.catalog.model import Catalog, Column, QName
from wesley_tui.demo.server import available_binaries
from wesley_tui.executor.engine import start_run
from wesley_tui.executor.events import RunStatus
from wesley_tui.executor.options import RunOptions
from wesley_tui.planner.plan import HazardClass, Plan
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source

T = QName("public", "t")
ROWS = 3000
SLOW = os.environ.get("WESLEY_SLOW") == "1"


@pytest.fixture(params=sorted(available_binaries()) if SLOW else [18], ids=lambda major: f"pg{major}")
def each_database(servers: Servers, request: pytest.FixtureRequest) -> Iterator[str]:
    """On every version with ``WESLEY_SLOW=1``."""
    yield from fresh_database(servers.get(request.param))


def seed(uri: str, *statements: str) -> Catalog:
    """The catalog that the statements make; what they fill is larger than what would be changed in place."""
    run(uri, statements)
    return read(uri).catalog


def changed(catalog: Catalog, **columns: Column | str) -> Catalog:
    """``catalog`` with other types: ``t__id="bigint"``."""
    tables = dict(catalog.tables)
    for path, wanted in columns.items():
        table, _, column = path.partition("__")
        name = QName("public", table)
        tables[name] = replace(
            tables[name],
            columns=tuple(
                (replace(item, type=wanted) if isinstance(wanted, str) else wanted) if item.name == column else item
                for item in tables[name].columns
            ),
        )
    return replace(catalog, tables=tables)


def ops(plan: Plan) -> list[str]:
    return [step.op for step in plan.steps]


def before_contract(plan: Plan) -> Plan:
    return replace(plan, waves=tuple(wave for wave in plan.waves if wave.name != "CONTRACT"))


def part(plan: Plan, ordinals: range) -> Plan:
    """Only these steps."""
    kept = (replace(wave, steps=tuple(step for step in wave.steps if step.ordinal in ordinals)) for wave in plan.waves)
    return replace(plan, waves=tuple(wave for wave in kept if wave.steps))


def rows(uri: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(uri, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def test_a_plain_column(each_database: str) -> None:
    catalog = seed(
        each_database,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, n integer NOT NULL DEFAULT 7)",
        f"INSERT INTO public.t SELECT i, i FROM generate_series(1, {ROWS}) i",
    )
    wanted = changed(catalog, t__n="bigint")
    plan = plan_for(each_database, wanted)
    assert ops(plan) == [
        "add_shadow_column", "backfill_sql", "add_check_not_valid", "validate_constraint", "analyze",
        "exchange_columns", "retire_column",
    ]  # fmt: skip
    assert plan.hazard is HazardClass.H2
    assert not any(step.rewrites for step in plan.steps)
    carry_out(each_database, before_contract(plan), batch_rows=1000)
    assert changes_left(each_database, wanted).changes == ()
    run(
        each_database,
        [
            "INSERT INTO public.t VALUES (-3, 5)",
            "INSERT INTO public.t (id, n) VALUES (-1, 9000000000)",
            "INSERT INTO public.t (id) VALUES (-2)",
        ],
    )
    assert rows(each_database, "SELECT count(*), sum(n) FROM t WHERE id > 0 AND n = id") == [
        (ROWS, ROWS * (ROWS + 1) // 2)
    ]

    assert rows(each_database, "SELECT n FROM t WHERE id < 0 ORDER BY id") == [(5,), (7,), (9_000_000_000,)]


def test_the_way_back_after_the_exchange_keeps_what_was_written(each_database: str) -> None:
    catalog = seed(
        each_database,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, n integer NOT NULL DEFAULT 7)",
        f"INSERT INTO public.t SELECT i, i FROM generate_series(1, {ROWS}) i",
    )
    plan = plan_for(each_database, changed(catalog, t__n="bigint"))
    carry_out(each_database, before_contract(plan), batch_rows=1000)
    run(each_database, ["INSERT INTO public.t VALUES (-1, 5)", "UPDATE public.t SET n = 77 WHERE id = 3"])
    take_back(each_database, before_contract(plan))
    assert changes_left(each_database, catalog).changes == ()
    assert read(each_database).resting_columns == ()
    assert rows(each_database, "SELECT id, n FROM t WHERE id IN (-1, 3) ORDER BY 1") == [(-1, 5), (3, 77)]


def test_the_way_back_refuses_to_lose_a_value(database: str) -> None:
    catalog = seed(
        database,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, n integer)",
        f"INSERT INTO public.t SELECT i, i FROM generate_series(1, {ROWS}) i",
    )
    plan = plan_for(database, changed(catalog, t__n="bigint"))
    carry_out(database, before_contract(plan), batch_rows=1000)
    run(database, ["UPDATE public.t SET n = 9000000000 WHERE id = 3"])
    (exchange,) = (step for step in plan.steps if step.op == "exchange_columns")
    with pytest.raises(psycopg.errors.InvalidTextRepresentation, match="1 rows of public"):
        take_back(database, part(plan, range(exchange.ordinal, exchange.ordinal + 1)))
    assert rows(database, "SELECT n FROM t WHERE id = 3") == [(9_000_000_000,)]


def test_the_way_back_waits_for_who_is_writing(database: str) -> None:
    """A transaction that is open when the way back begins: what it has written comes along, or nothing is undone."""
    catalog = seed(
        database,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, n text)",
        f"INSERT INTO public.t SELECT i, i FROM generate_series(1, {ROWS}) i",
    )
    plan = before_contract(plan_for(database, changed(catalog, t__n="integer")))
    carry_out(database, plan, batch_rows=1000)
    with psycopg.connect(database) as writer, psycopg.connect(database, autocommit=True) as watching:
        writer.execute("UPDATE t SET n = 99 WHERE id = 3")
        back = threading.Thread(target=take_back, args=(database, plan))
        back.start()
        while watching.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() == (0,):
            pass
        writer.commit()
        back.join()
    assert rows(database, "SELECT n FROM t WHERE id = 3") == [("99",)]


@pytest.mark.parametrize("wanted", ["character varying(50)", "date"])
def test_a_trigger_that_was_disabled_is_noticed(database: str, wanted: str) -> None:
    """A bulk load that switches all triggers off, and on again."""
    catalog = seed(
        database,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, n text)",
        f"INSERT INTO public.t SELECT i, '2020-01-01' FROM generate_series(1, {ROWS}) i",
    )
    plan = before_contract(plan_for(database, changed(catalog, t__n=wanted)))
    carry_out(database, part(plan, range(1, ops(plan).index("add_check_not_valid") + 1)), batch_rows=1000)
    run(
        database,
        [
            "ALTER TABLE public.t DISABLE TRIGGER ALL",
            "UPDATE public.t SET n = '2021-01-01' WHERE id = 3",
            "ALTER TABLE public.t ENABLE TRIGGER ALL",
        ],
    )
    with pytest.raises((psycopg.errors.CheckViolation, AssertionError), match=r"is violated|its trigger was disabled"):
        carry_out(database, part(plan, range(ops(plan).index("add_check_not_valid") + 1, 100)))


def test_a_value_that_the_author_cannot_convert_is_refused_before_the_exchange(database: str) -> None:
    seed(
        database,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, code text)",
        f"INSERT INTO public.t SELECT i, i FROM generate_series(1, {ROWS}) i",
    )
    wanted, intent = declared('code: Int @using(expr: "code::integer")')
    plan = plan_for(database, wanted, intent)
    refuse = ops(plan).index("refuse_unconvertible") + 1
    carry_out(database, part(plan, range(1, refuse)), batch_rows=1000)
    run(database, ["UPDATE public.t SET code = 'oops' WHERE id = 3", "UPDATE public.t SET code = '7' WHERE id = 3"])
    carry_out(database, part(plan, range(refuse, refuse + 1)))
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        run(database, ["UPDATE public.t SET code = 'oops' WHERE id = 3"])
    carry_out(database, part(plan, range(refuse + 1, 100)))
    assert rows(database, "SELECT code FROM t WHERE id = 3") == [(7,)]


def test_a_conversion_that_reads_a_generated_column(database: str) -> None:
    """A trigger sees NULL there, whatever will be computed."""
    seed(
        database,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, n text, twice bigint GENERATED ALWAYS AS (id * 2) STORED)",
        f"INSERT INTO public.t SELECT i, i FROM generate_series(1, {ROWS}) i",
    )
    field = 'n: Int @using(expr: "COALESCE(twice, 0)::integer")\n  twice: BigInt @generated(expr: "id * 2")'
    wanted, intent = declared(field)
    carry_out(database, plan_for(database, wanted, intent), batch_rows=1000)
    assert rows(database, "SELECT count(*) FROM t WHERE n = id * 2") == [(ROWS,)]


def test_what_is_equal_but_not_the_same_comes_back_too(database: str) -> None:
    catalog = seed(
        database,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, n text)",
        f"INSERT INTO public.t SELECT i, '30 days' FROM generate_series(1, {ROWS}) i",
    )
    plan = before_contract(plan_for(database, changed(catalog, t__n="interval")))
    carry_out(database, plan, batch_rows=1000)
    run(database, ["UPDATE public.t SET n = '1 mon' WHERE id = 3"])
    take_back(database, plan)
    assert rows(database, "SELECT n FROM t WHERE id IN (3, 4) ORDER BY id") == [("1 mon",), ("30 days",)]


def test_the_plan_after_the_exchange_finishes_it(each_database: str) -> None:
    """Whoever runs the schema again gets the last wave, from what the database says."""
    catalog = seed(
        each_database,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, n integer UNIQUE)",
        "CREATE INDEX t_n_idx ON public.t (n) WHERE n > 5",
        f"INSERT INTO public.t SELECT i, i FROM generate_series(1, {ROWS}) i",
    )
    wanted = changed(catalog, t__n="bigint")
    plan = plan_for(each_database, wanted)
    carry_out(each_database, before_contract(plan))
    again = plan_for(each_database, wanted)
    assert [wave.name for wave in again.waves] == ["CONTRACT"]
    assert ops(again) == ["drop_index_concurrently", "retire_column"]
    carry_out(each_database, again)
    assert plan_for(each_database, wanted).waves == ()
    assert rows(each_database, "SELECT count(*) FROM pg_proc p WHERE p.proname LIKE 'sync%'") == [(0,)]
    purge = plan_for(each_database, wanted, purge=True)
    assert ops(purge) == ["drop_column"]
    carry_out(each_database, purge)
    assert read(each_database).resting_columns == ()
    assert rows(each_database, "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal") == [(0,)]
    assert rows(each_database, "SELECT count(*) FROM pg_proc WHERE pronamespace = 'wesley'::regnamespace") == [(0,)]
    assert rows(each_database, "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'public.t'::regclass "
                "ORDER BY 1") == [("t_n_idx",), ("t_n_key",), ("t_pkey",)]  # fmt: skip


def test_a_rename_after_the_exchange_does_not_meet_the_trigger(database: str) -> None:
    """The trigger knows the columns by name; it goes before one of them has another."""
    catalog = seed(
        database,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, n integer)",
        f"INSERT INTO public.t SELECT i, i FROM generate_series(1, {ROWS}) i",
    )
    wanted = changed(catalog, t__n="bigint")
    carry_out(database, before_contract(plan_for(database, wanted)), batch_rows=1000)
    table = wanted.tables[T]
    renamed = replace(table, columns=(table.columns[0], replace(table.columns[1], name="m")))
    wanted = replace(wanted, tables={T: renamed})
    plan = plan_for(database, wanted, Intent(renamed_columns={(T, "m"): "n"}))
    assert ops(plan) == ["retire_column", "rename_column"]
    carry_out(database, plan)
    run(database, ["INSERT INTO public.t (id, m) VALUES (-1, 9000000000)"])
    assert plan_for(database, wanted).waves == ()


@pytest.mark.parametrize("identity", ["serial", "GENERATED ALWAYS AS IDENTITY", "GENERATED BY DEFAULT AS IDENTITY"])
def test_a_key_with_its_numbers_and_the_keys_that_point_to_it(each_database: str, identity: str) -> None:
    kind = "serial" if identity == "serial" else f"integer {identity}"
    catalog = seed(
        each_database,
        f"CREATE TABLE public.t (id {kind} PRIMARY KEY, parent integer REFERENCES public.t, note text)",
        "CREATE TABLE public.child (id bigint PRIMARY KEY, t_id int NOT NULL REFERENCES public.t ON DELETE CASCADE)",
        "CREATE TABLE public.other (id bigint PRIMARY KEY, t_id integer REFERENCES public.t (id))",
        "CREATE INDEX child_t_id_idx ON public.child (t_id)",
        f"INSERT INTO public.t (note) SELECT i FROM generate_series(1, {ROWS}) i",
        "UPDATE public.t SET parent = id - 1 WHERE id > 1",
        f"INSERT INTO public.child SELECT i, i FROM generate_series(1, {ROWS}) i",
        f"INSERT INTO public.other SELECT i, i FROM generate_series(1, {ROWS}) i",
    )
    wanted = changed(catalog, t__id="bigint", t__parent="bigint", child__t_id="bigint")
    plan = plan_for(each_database, wanted)
    assert ops(plan).count("exchange_columns") == 1
    assert not any(step.rewrites for step in plan.steps)
    assert plan.hazard is HazardClass.H2, [(step.op, step.why) for step in plan.steps if step.hazard > 2]
    carry_out(each_database, before_contract(plan), batch_rows=1000)
    assert changes_left(each_database, wanted).changes == ()
    run(each_database, ["INSERT INTO public.t (note) VALUES ('new')"])
    assert rows(each_database, "SELECT id FROM t WHERE note = 'new'") == [(ROWS + 1,)]
    take_back(each_database, before_contract(plan))
    assert changes_left(each_database, catalog).changes == ()
    run(each_database, ["INSERT INTO public.t (note) VALUES ('newer')"])
    assert rows(each_database, "SELECT id FROM t WHERE note = 'newer'") == [(ROWS + 2,)]
    again = plan_for(each_database, wanted)
    carry_out(each_database, again, batch_rows=1000)
    assert changes_left(each_database, wanted).changes == ()
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        run(each_database, ["DELETE FROM public.t WHERE id = 1000"])
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        run(each_database, ["INSERT INTO public.child (id, t_id) VALUES (-1, -1)"])
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="without a column list"):
        run(each_database, ["INSERT INTO public.child VALUES (-1, 1)"])


class Writers:
    """Clients that insert, update and delete all through, and know what must be there at the end."""

    def __init__(self, uri: str, count: int) -> None:
        self.errors: list[str] = []
        self.values: dict[int, int] = {}
        self._over = threading.Event()
        self._uri = uri
        self._threads = [threading.Thread(target=self._work, args=(number, count)) for number in range(count)]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def _work(self, number: int, count: int) -> None:
        """Each writes rows of its own, so that it knows their last value."""
        chance = random.Random(number)
        own: dict[int, int] = {key: key % 100 for key in range(number + 1, ROWS + 1, count)}
        with psycopg.connect(self._uri, autocommit=True, prepare_threshold=None) as connection:
            while not self._over.is_set():
                value = chance.randint(1, 1_000_000)
                try:
                    if chance.random() < 0.2:
                        row = connection.execute(
                            "INSERT INTO public.t (n, g) VALUES (%s, 1) RETURNING id", (value,)
                        ).fetchone()
                        assert row is not None
                        own[row[0]] = value
                        connection.execute("INSERT INTO public.child (t_id) VALUES (%s)", (row[0],))
                    elif chance.random() < 0.1:
                        key = chance.choice(list(own))
                        connection.execute("DELETE FROM public.t WHERE id = %s", (key,))
                        del own[key]
                    else:
                        key = chance.choice(list(own))
                        connection.execute("UPDATE public.t SET n = %s WHERE id = %s", (value, key))
                        own[key] = value
                except psycopg.Error as error:
                    self.errors.append(str(error))
        self.values |= own


def pairs(uri: str) -> dict[int, int]:
    with psycopg.connect(uri, autocommit=True) as connection:
        return {row[0]: row[1] for row in connection.execute("SELECT id::int, n::int FROM public.t")}


def test_writers_notice_nothing_and_lose_nothing(each_database: str) -> None:
    """Key with identity, foreign key with cascade, a rule, two indexes and a view, while four clients write; every row
    is compared at the end, and again after the way back."""
    catalog = seed(
        each_database,
        "CREATE TABLE public.t (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, "
        "n integer NOT NULL CHECK (n >= 0), g integer)",
        "CREATE TABLE public.child (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
        "t_id integer NOT NULL REFERENCES public.t ON DELETE CASCADE)",
        "CREATE INDEX t_n_idx ON public.t (n, g)",
        "CREATE INDEX t_half_idx ON public.t ((n / 2)) WHERE n > 3",
        "CREATE VIEW public.v AS SELECT id, n FROM public.t",
        f"INSERT INTO public.t (n) SELECT i % 100 FROM generate_series(1, {ROWS}) i",
        f"INSERT INTO public.child (t_id) SELECT i FROM generate_series(1, {ROWS}) i",
    )
    wanted = changed(catalog, t__id="bigint", t__n="numeric", child__t_id="bigint")
    plan = plan_for(each_database, wanted)
    assert plan.hazard is HazardClass.H2
    options = RunOptions(seed=1)
    with Writers(each_database, 4) as writers:
        outcome = start_run(each_database, plan, accept(plan, contract=True), options).wait(90)
    assert outcome is not None
    assert outcome.status is RunStatus.COMPLETE, outcome.message
    assert writers.errors == []
    assert pairs(each_database) == writers.values
    assert rows(each_database, "SELECT count(*) FROM child c WHERE NOT EXISTS (SELECT FROM t WHERE t.id = c.t_id)") == [
        (0,)
    ]
    assert changes_left(each_database, wanted).changes == ()
    assert rows(each_database, "SELECT pg_typeof(n)::text FROM v LIMIT 1") == [("numeric",)]


SDL = """
type T @table {{
  id: BigInt! @pk
  {field}
}}
"""


def declared(field: str) -> tuple[Catalog, Intent]:
    compiled = compile_schema([Source("schema.graphql", SDL.format(field=field))])
    return compiled.catalog, compiled.intent


@pytest.mark.parametrize("direct", [False, True])
def test_the_author_says_how_values_are_converted(each_database: str, direct: bool) -> None:
    """By shadow column, and in place on a small table."""
    count = 10 if direct else ROWS
    seed(
        each_database,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, code text)",
        "INSERT INTO public.t SELECT i, CASE WHEN i % 2 = 0 THEN '' ELSE 'N' || i END "
        f"FROM generate_series(1, {count}) i",
    )
    wanted, intent = declared("code: Int @using(expr: \"nullif(ltrim(code, 'N'), '')::integer\")")
    plan = plan_for(each_database, wanted, intent)
    assert ("alter_type" in ops(plan)) is direct
    carry_out(each_database, plan, batch_rows=1000)
    assert changes_left(each_database, wanted).changes == ()
    assert rows(each_database, "SELECT count(*), count(code), count(*) FILTER (WHERE code = id) FROM t") == [
        (count, count // 2, count // 2)
    ]


def test_values_without_a_counterpart_stop_the_plan_before_anything_is_done(each_database: str) -> None:
    catalog = seed(
        each_database,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, code text)",
        f"INSERT INTO public.t SELECT i, i FROM generate_series(1, {ROWS}) i",
        "UPDATE public.t SET code = 'twelve' WHERE id = 12",
    )
    plan = plan_for(each_database, changed(catalog, t__code="integer"))
    assert ops(plan)[0] == "check_values"
    (check,) = next(iter(plan.steps)).prechecks
    with pytest.raises(AssertionError, match="holds values that integer cannot hold"):
        carry_out(each_database, plan)
    assert plan_for(each_database, catalog).waves == ()
    query = check.message.partition(": ")[2].partition(";")[0]
    assert rows(each_database, query.partition("; ")[0]) == [("twelve",)]
    run(each_database, ["UPDATE public.t SET code = ' 12 ' WHERE id = 12"])
    carry_out(each_database, plan, batch_rows=1000)
    assert rows(each_database, "SELECT count(*) FROM t WHERE code = id") == [(ROWS,)]


def test_a_client_that_writes_what_has_no_counterpart_is_not_disturbed(each_database: str) -> None:
    """It is the plan that stops, at its proof."""
    catalog = seed(
        each_database,
        "CREATE TABLE public.t (id bigint PRIMARY KEY, code text)",
        f"INSERT INTO public.t SELECT i, i FROM generate_series(1, {ROWS}) i",
    )
    plan = plan_for(each_database, changed(catalog, t__code="integer"))
    expand = replace(plan, waves=tuple(wave for wave in plan.waves if wave.name in ("PLAN", "EXPAND")))
    carry_out(each_database, expand)
    run(each_database, ["UPDATE public.t SET code = 'twelve' WHERE id = 12"])
    rest = replace(plan, waves=tuple(wave for wave in plan.waves if wave.name not in ("PLAN", "EXPAND")))
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        carry_out(each_database, rest, batch_rows=1000)
    take_back(each_database, expand)
    assert plan_for(each_database, catalog).waves == ()
    assert rows(each_database, "SELECT code FROM t WHERE id = 12") == [("twelve",)]


CONVERSIONS = [
    ("integer", "bigint", "i"),
    ("integer", "numeric", "i"),
    ("integer", "text", "i"),
    ("text", "integer", "i"),
    ("text", "uuid", "md5(i::text)"),
    ("text", "jsonb", "'{\"a\": ' || i || '}'"),
    ("json", "jsonb", "('{\"a\": ' || i || '}')::json"),
    ("jsonb", "json", "jsonb_build_object('a', i)"),
    ("text", "public.mood", "CASE WHEN i % 2 = 0 THEN 'sad' ELSE 'happy' END"),
    ("bigint", "boolean", "i % 2"),
    ("double precision", "numeric(10,2)", "i / 3.0"),
    ("double precision", "text", "i / 3.0"),
    ("date", "timestamp with time zone", "'2024-01-01'::date + i"),
    ("timestamp with time zone", "date", "'2024-01-01 23:30Z'::timestamptz + i * interval '1 h'"),
    ("text", "date", "('2024-01-01'::date + i)::text"),
    ("date", "text", "'2024-01-01'::date + i"),
    ("text", "character varying(10)", "'x' || i"),
    ("character(6)", "text", "'x' || i"),
    ("text[]", "integer[]", "ARRAY[i::text, '7']"),
    ("bytea", "text", "decode(md5(i::text), 'hex')"),
]


@pytest.mark.parametrize(("old", "new", "value"), CONVERSIONS if SLOW else CONVERSIONS[::4])
def test_the_result_is_that_of_a_change_in_place(database: str, old: str, new: str, value: str) -> None:
    """Row by row, with nulls, with an index where the types have an order, whatever the settings of clients."""
    catalog = seed(
        database,
        "CREATE TYPE public.mood AS ENUM ('sad', 'happy')",
        f"CREATE TABLE public.t (id bigint PRIMARY KEY, c {old})",
        f"INSERT INTO public.t SELECT i, CASE WHEN i % 10 <> 0 THEN ({value})::{old} END "
        f"FROM generate_series(1, {ROWS}) i",
        "CREATE TABLE public.direct AS TABLE public.t",
        f"ALTER TABLE public.direct ALTER c TYPE {new} USING c{'::text' if old != 'bigint' else '::int'}::{new}"
        if new != "date" or old == "text"
        else f"ALTER TABLE public.direct ALTER c TYPE {new}",
    )
    tables = {name: table for name, table in catalog.tables.items() if name == T}
    wanted = changed(replace(catalog, tables=tables), t__c=new)
    plan = plan_for(database, wanted)
    assert not any(step.rewrites for step in plan.steps)
    expand = replace(plan, waves=tuple(wave for wave in plan.waves if wave.name in ("PLAN", "EXPAND")))
    carry_out(database, expand)
    with psycopg.connect(database, autocommit=True, options="-c TimeZone=Asia/Tokyo -c DateStyle=SQL") as client:
        client.execute("UPDATE t SET id = -id WHERE id <= 100")
        client.execute("UPDATE t SET id = -id WHERE id < 0")
    rest = replace(plan, waves=tuple(wave for wave in plan.waves if wave.name not in ("PLAN", "EXPAND")))
    carry_out(database, rest, batch_rows=1000)
    assert changes_left(database, wanted).changes == ()
    different = rows(
        database,
        "SELECT t.id, t.c::text, d.c::text FROM t FULL JOIN direct d USING (id) "
        "WHERE t.c::text IS DISTINCT FROM d.c::text LIMIT 3",
    )
    assert different == []


def test_an_identity_column_is_numbered_in_batches(each_database: str) -> None:
    """On a table without any key, by blocks; the numbers of new rows go on."""
    catalog = seed(
        each_database,
        "CREATE TABLE public.t (note text)",
        f"INSERT INTO public.t SELECT repeat('x', 40) FROM generate_series(1, {ROWS}) i",
    )
    table = catalog.tables[T]
    identity = Column("id", "bigint", not_null=True, identity="always")
    wanted = replace(catalog, tables={T: replace(table, columns=(*table.columns, identity))})
    plan = plan_for(each_database, wanted)
    assert not any(step.rewrites for step in plan.steps)
    carry_out(each_database, plan, batch_rows=1000)
    assert changes_left(each_database, wanted).changes == ()
    run(each_database, ["INSERT INTO public.t VALUES ('new')"])
    assert rows(each_database, "SELECT count(DISTINCT id), min(id), max(id) FROM t") == [(ROWS + 1, 1, ROWS + 1)]
    take_back(each_database, plan)
    assert changes_left(each_database, catalog).changes == ()


OBSTACLES = {
    "exclusion": ("c int, EXCLUDE USING btree (c WITH =)", "bigint", "exclusion constraint"),
    "stored": ("c int, d int GENERATED ALWAYS AS (c + 1) STORED", "bigint", "generated column d"),
    "domain": ("c int", "public.positive", "domain"),
    "deferrable": ("c int UNIQUE DEFERRABLE", "bigint", "deferrable"),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_what_cannot_be_exchanged_says_so(database: str, name: str) -> None:
    columns, new, reason = OBSTACLES[name]
    catalog = seed(
        database,
        "CREATE DOMAIN public.positive AS int CHECK (value > 0)",
        f"CREATE TABLE public.t (id bigint PRIMARY KEY, {columns})",
        f"INSERT INTO public.t (id, c) SELECT i, i FROM generate_series(1, {ROWS}) i",
    )
    wanted = changed(catalog, t__c=new)
    plan = plan_for(database, wanted)
    (step,) = (step for step in plan.steps if step.op == "alter_type")
    assert step.hazard is HazardClass.H3
    assert any(reason in text for text in step.why), step.why
    carry_out(database, plan)
    assert changes_left(database, wanted).changes == ()


def test_a_partitioned_table(each_database: str) -> None:
    """A column outside of every key is exchanged on all partitions at once; a part of a key is changed in place."""
    catalog = seed(
        each_database,
        "CREATE TABLE public.t (id bigint, n int, k int, PRIMARY KEY (id, k)) PARTITION BY RANGE (id)",
        f"CREATE TABLE public.t1 PARTITION OF public.t FOR VALUES FROM (0) TO ({ROWS // 2})",
        "CREATE TABLE public.t2 PARTITION OF public.t DEFAULT",
        f"INSERT INTO public.t SELECT i, i, 1 FROM generate_series(1, {ROWS}) i",
    )
    wanted = changed(catalog, t__n="bigint", t__k="bigint")
    assert ops(plan_for(each_database, wanted)) == ["alter_type"] * 2
    alone = changed(catalog, t__n="bigint")
    plan = plan_for(each_database, alone)
    assert "exchange_columns" in ops(plan)
    carry_out(each_database, plan, batch_rows=1000)
    assert changes_left(each_database, alone).changes == ()
    assert rows(each_database, "SELECT count(*) FROM t WHERE n = id") == [(ROWS,)]


def test_rows_move_between_partitions_all_along(database: str) -> None:
    """A row that moves is inserted again: with the value that it had, whatever the settings of who moves it, also when
    the old column is out of use."""
    catalog = seed(
        database,
        "CREATE TABLE public.t (id bigint, k int, n text, PRIMARY KEY (id, k)) PARTITION BY LIST (k)",
        *(f"CREATE TABLE public.t{k} PARTITION OF public.t FOR VALUES IN ({k})" for k in (1, 2)),
        f"INSERT INTO public.t SELECT i, 1, '2020-01-01 00:00' FROM generate_series(1, {ROWS}) i",
    )
    plan = plan_for(database, changed(catalog, **dict.fromkeys(("t__n", "t1__n", "t2__n"), "timestamp with time zone")))
    steps = len(ops(plan))
    for done in range(1, steps + 1):
        carry_out(database, part(plan, range(done, done + 1)), batch_rows=1000)
        run(database, ["SET TimeZone = 'America/New_York'", f"UPDATE public.t SET k = 2 WHERE id = {done}"])
    assert "retire_column" in ops(plan)
    seen = "SELECT count(*), sum(k), count(*) FILTER (WHERE n = '2020-01-01 00:00Z') FROM t"
    assert rows(database, seen) == [(ROWS, ROWS + steps, ROWS)]
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="column list"):
        run(database, ["INSERT INTO public.t VALUES (-1, 1, '2020-01-01')"])
    take_back(database, part(plan, range(steps, steps + 1)))
    take_back(database, part(plan, range(1, steps)))
    assert rows(database, "SELECT count(*) FROM t WHERE n LIKE '2020-01-01 00:00%'") == [(ROWS,)]


def test_whatever_stands_on_the_columns_stands_again(each_database: str) -> None:
    """And again after the way back, from the same plan."""
    catalog = seed(
        each_database,
        "CREATE TABLE public.t (a int, b int NOT NULL, note text, n int DEFAULT 3, PRIMARY KEY (a, b), "
        "CONSTRAINT t_n_key UNIQUE (n, note), CONSTRAINT n_small CHECK (n < 100000))",
        "CREATE UNIQUE INDEX t_pair ON public.t (b, a) INCLUDE (n)",
        "CREATE INDEX t_expr ON public.t ((n + a)) WHERE b > 0",
        "ALTER TABLE public.t REPLICA IDENTITY USING INDEX t_pair",
        "COMMENT ON COLUMN public.t.n IS 'a number'",
        "COMMENT ON CONSTRAINT n_small ON public.t IS 'not large'",
        "COMMENT ON INDEX public.t_expr IS 'a sum'",
        "CREATE TABLE public.child (x int, y int, CONSTRAINT child_t FOREIGN KEY (x, y) REFERENCES public.t (a, b) "
        "ON UPDATE CASCADE DEFERRABLE)",
        "COMMENT ON CONSTRAINT child_t ON public.child IS 'belongs to'",
        "CREATE TABLE public.other (x int, y int, FOREIGN KEY (x, y) REFERENCES public.t (b, a))",
        "CREATE STATISTICS public.st ON a, n FROM public.t",
        "CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER on_n BEFORE UPDATE OF n ON public.t FOR EACH ROW WHEN (NEW.n > 5) EXECUTE FUNCTION public.f()",
        "CREATE VIEW public.v AS SELECT a, n FROM public.t",
        "CREATE VIEW public.w AS SELECT sum(n) AS total FROM public.v",
        "ALTER TABLE public.t ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY few ON public.t USING (n < 1000)",
        f"INSERT INTO public.t SELECT i, i, i, i FROM generate_series(1, {ROWS}) i",
        f"INSERT INTO public.child SELECT i, i FROM generate_series(1, {ROWS}) i",
        f"INSERT INTO public.other SELECT i, i FROM generate_series(1, {ROWS}) i",
    )
    wanted = changed(catalog, t__a="bigint", t__n="numeric", child__x="bigint")
    plan = plan_for(each_database, wanted)
    assert not any(step.rewrites for step in plan.steps)
    until = next(step.ordinal for step in plan.steps if step.op == "exchange_columns")
    carry_out(each_database, part(plan, range(1, until)), batch_rows=1000)
    # Both foreign keys hold now, and both carry a change of the key along.
    run(each_database, ["DELETE FROM public.other WHERE x = 9", "UPDATE public.t SET a = -9 WHERE a = 9"])
    assert rows(each_database, "SELECT x FROM child WHERE y = 9") == [(-9,)]
    run(each_database, ["UPDATE public.t SET a = 9 WHERE a = -9", "INSERT INTO public.other VALUES (9, 9)"])
    carry_out(each_database, part(plan, range(until, 1000)), batch_rows=1000)
    assert changes_left(each_database, wanted).changes == ()
    run(each_database, ["DELETE FROM public.other WHERE x = 7", "UPDATE public.t SET a = 5000000000 WHERE a = 7"])
    assert rows(each_database, "SELECT x FROM child WHERE y = 7") == [(5_000_000_000,)]
    run(each_database, ["DELETE FROM public.child WHERE y = 7", "DELETE FROM public.t WHERE b = 7"])
    take_back(each_database, plan)
    assert changes_left(each_database, catalog).changes == ()
    assert read(each_database).resting_columns == ()
    assert rows(each_database, "SELECT count(*) FROM t WHERE a = b AND n = a") == [(ROWS - 1,)]


@pytest.mark.parametrize("rows", [200, 3000])
def test_rows_are_filled_along_a_key_whose_type_changes(database: str, rows: int) -> None:
    """In place on a small table, by shadow column on a larger one; and a longer varchar."""
    run(
        database,
        [
            "CREATE TABLE public.doc (id varchar(40) PRIMARY KEY, note text)",
            "CREATE TABLE public.tag (id varchar(8) PRIMARY KEY, note text)",
            f"INSERT INTO public.doc SELECT md5(i::text)::uuid::text, NULL FROM generate_series(1, {rows}) AS i",
            f"INSERT INTO public.tag SELECT i::text, NULL FROM generate_series(1, {rows}) AS i",
        ],
    )
    declared = compile_schema(
        [
            Source(
                "s.graphql",
                'type Doc @table { id: UUID! @pk  note: String! @default(value: "none") }\n'
                'type Tag @table { id: String! @pk  note: String! @default(value: "none") }',
            )
        ]
    )
    plan = plan_for(database, declared.catalog)
    assert any(step.op == "exchange_columns" for step in plan.steps) is (rows == 3000)
    carry_out(database, plan, batch_rows=1000)
    assert not changes_left(database, declared.catalog).changes
    with psycopg.connect(database) as connection:
        for table in ("doc", "tag"):
            row = connection.execute(f"SELECT count(*), count(note) FROM {table}".encode()).fetchone()
            assert row == (rows, rows)
