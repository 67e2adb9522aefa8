"""Computed columns on a real server: right after every kind of change, and under transactions that meet."""

from __future__ import annotations

import random
import threading
import time

import psycopg
import pytest

from tests.catalogs import read
from tests.integration.test_sdl_presets import build
from tests.planned import carry_out, changes_left, plan_for
from wesley_tui.sdl.compile import compile_schema
from wesley_tui.sdl.diagnostics import Source
from wesley_tui.sdl.emit import emit_schema

SCHEMA = """
type Order @table(name: "orders") @pk(fields: ["shop", "number"]) {
  shop: Int!
  number: Int!
  total: Decimal! @default(value: 0) @computed(
    from: "Line.order", expr: "coalesce(sum(price * pieces), 0)", where: "NOT cancelled"
  )
  greatest: Decimal @computed(from: "Line", expr: "max(price)")
}
type Line @table @fk(fields: ["shop", "order"], ref: "Order", onDelete: CASCADE, onUpdate: CASCADE) {
  id: Int! @pk @identity
  shop: Int
  order: Int @column(name: "order")
  price: Decimal!
  pieces: Int! @default(value: 1)
  cancelled: Boolean! @default(value: false)
}
"""
RIGHT = """
SELECT o.shop, o.number, o.total, o.greatest,
       (SELECT coalesce(sum(price * pieces), 0) FROM line l
         WHERE l.shop = o.shop AND l."order" = o.number AND NOT cancelled),
       (SELECT max(price) FROM line l WHERE l.shop = o.shop AND l."order" = o.number)
  FROM orders o
"""


@pytest.fixture
def shop(any_database: str) -> str:
    build(any_database, compile_schema([Source("computed.graphql", SCHEMA)]).catalog, "CURRENT_USER")
    with psycopg.connect(any_database) as connection:
        connection.execute("INSERT INTO orders (shop, number, total) SELECT 1, n, 999 FROM generate_series(1, 5) n")
    return any_database


def assert_right(database: str) -> dict[int, object]:
    with psycopg.connect(database) as connection:
        rows = connection.execute(RIGHT).fetchall()
    for _, _, total, greatest, right_total, right_greatest in rows:
        assert (total, greatest) == (right_total, right_greatest)
    return {row[1]: row[2] for row in rows}


def test_every_change_counts(shop: str) -> None:
    assert set(assert_right(shop).values()) == {0}
    changes = (
        'INSERT INTO line (shop, "order", price, pieces) VALUES (1, 1, 10, 2), (1, 1, 5, 1), (1, 2, 7, 3)',
        "UPDATE line SET price = price + 1",
        'UPDATE line SET "order" = 3 WHERE "order" = 1',
        "UPDATE line SET cancelled = true WHERE pieces = 2",
        "UPDATE orders SET total = 12345, greatest = NULL",
        "UPDATE orders SET number = 30 WHERE number = 3",
        "DELETE FROM line WHERE pieces = 1",
        'UPDATE line SET "order" = NULL WHERE "order" = 30',
        'INSERT INTO line (shop, "order", price) SELECT 1, 4, n FROM generate_series(1, 100) n',
        "DELETE FROM orders WHERE number = 4",
        "TRUNCATE line",
    )
    seen = set()
    with psycopg.connect(shop, autocommit=True) as connection:
        for change in changes:
            connection.execute(change.encode())
            seen.add(tuple(sorted(assert_right(shop).items())))
    assert len(seen) > 6


def test_transactions_that_meet(shop: str) -> None:
    """Four clients change random lines of the same orders, in both isolation levels, in transactions that overlap."""
    failures: list[BaseException] = []
    serialization = [0]
    with psycopg.connect(shop) as connection:
        connection.execute(
            'INSERT INTO line (shop, "order", price) SELECT 1, 1 + n % 5, n FROM generate_series(1, 40) n'
        )

    def client(seed: int) -> None:
        chance = random.Random(seed)
        try:
            with psycopg.connect(shop, autocommit=True) as connection:
                if seed % 2:
                    connection.execute("SET default_transaction_isolation = 'repeatable read'")
                for _ in range(40):
                    try:
                        with connection.transaction():
                            for _ in range(chance.randint(1, 2)):
                                connection.execute(_change(chance).encode())
                    except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                        serialization[0] += 1
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=client, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert serialization[0] < 150
    assert_right(shop)


def _change(chance: random.Random) -> str:
    order, line, price = chance.randint(1, 5), chance.randint(1, 60), chance.randint(1, 99)
    return chance.choice(
        (
            f'INSERT INTO line (shop, "order", price) VALUES (1, {order}, {price}), (1, {1 + order % 5}, 1)',
            f"UPDATE line SET price = {price} WHERE id = {line}",
            f'UPDATE line SET "order" = {order} WHERE id BETWEEN {line} AND {line + 3}',
            f"DELETE FROM line WHERE id = {line}",
            f"UPDATE line SET cancelled = NOT cancelled WHERE id = {line}",
        )
    )


def test_a_second_transaction_waits_and_sees_the_first(shop: str) -> None:
    with psycopg.connect(shop) as first, psycopg.connect(shop) as second:
        first.execute('INSERT INTO line (shop, "order", price) VALUES (1, 1, 10)')
        done = threading.Event()

        def other() -> None:
            second.execute('INSERT INTO line (shop, "order", price) VALUES (1, 1, 32)')
            second.commit()
            done.set()

        thread = threading.Thread(target=other)
        thread.start()
        with psycopg.connect(shop, autocommit=True) as watcher:
            deadline = time.monotonic() + 10
            waiting = False
            while not waiting and time.monotonic() < deadline:
                row = watcher.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
                waiting = row is not None and row[0] > 0
        assert waiting
        assert not done.is_set()
        first.commit()
        thread.join(10)
        assert done.is_set()
    assert assert_right(shop)[1] == 42


def test_it_is_pulled_as_what_it_is_made_of(shop: str) -> None:
    actual = read(shop).catalog
    text = emit_schema(actual)
    again = compile_schema([Source("pulled.graphql", text)]).catalog
    assert again.objects == actual.objects
    assert set(again.objects) == set(compile_schema([Source("computed.graphql", SCHEMA)]).catalog.objects)
    assert emit_schema(again) == text


PLAIN = SCHEMA.replace("""@computed(
    from: "Line.order", expr: "coalesce(sum(price * pieces), 0)", where: "NOT cancelled"
  )""", "").replace("""  greatest: Decimal @computed(from: "Line", expr: "max(price)")
""", "")  # fmt: skip


def test_existing_rows_get_their_value_when_a_column_becomes_computed(any_database: str) -> None:
    """A new column, and one that was there and is computed from now on; the schema without them first."""
    build(any_database, compile_schema([Source("plain.graphql", PLAIN)]).catalog, "CURRENT_USER")
    with psycopg.connect(any_database) as connection:
        connection.execute("INSERT INTO orders (shop, number, total) SELECT 1, n, 999 FROM generate_series(1, 50) n")
        connection.execute(
            'INSERT INTO line (shop, "order", price, cancelled) SELECT 1, n % 40 + 1, n, n % 5 = 0 '
            "FROM generate_series(1, 200) n"
        )
    compiled = compile_schema([Source("computed.graphql", SCHEMA)])
    plan = plan_for(any_database, compiled.catalog, compiled.intent)
    assert [step.object for step in plan.steps if step.op == "backfill_sql"] == [
        "public.orders.greatest", "public.orders.total",
    ]  # fmt: skip
    carry_out(any_database, plan)
    assert_right(any_database)
    assert changes_left(any_database, compiled.catalog, compiled.intent).changes == ()
