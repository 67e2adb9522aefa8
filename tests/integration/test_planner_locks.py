"""The model of effects against real servers: locks of every form, as a second session sees them in ``pg_locks``.

Each form runs in a transaction that is rolled back. While it is open, another session reads the table locks of its
backend; the file nodes say what was rewritten, ``pg_stat_xact_user_tables`` what was read. A form that the model gets
wrong fails here, and with it every hazard that is built on it.
"""

from __future__ import annotations

import asyncio
import threading

import psycopg
import pytest

from wesley_tui.catalog.introspect import read_snapshot
from wesley_tui.catalog.snapshot import Snapshot
from wesley_tui.planner.effects import EffectContext, effects_of
from wesley_tui.planner.plan import LockMode

SCHEMA = """
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('sad', 'happy');
CREATE DOMAIN app.positive AS int CHECK (VALUE > 0);
CREATE TABLE app.org (id bigint PRIMARY KEY, name text, code varchar(10), UNIQUE (code));
CREATE TABLE app.person (
    id bigint PRIMARY KEY, org_id bigint, email text, short varchar(10), n int, amount numeric(8,2), mood app.mood,
    at timestamp, seen timestamptz(3), proven text, doubled int GENERATED ALWAYS AS (n * 2) STORED,
    CONSTRAINT person_org_fkey FOREIGN KEY (org_id) REFERENCES app.org (id),
    CONSTRAINT person_proven CHECK (proven IS NOT NULL),
    CONSTRAINT person_short CHECK (short <> 'x')
);
ALTER TABLE app.person ADD CONSTRAINT person_amount CHECK (amount >= 0) NOT VALID;
CREATE TABLE app.note (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person_id bigint, code varchar(10), body text
);
ALTER TABLE app.note ADD CONSTRAINT note_person_fkey FOREIGN KEY (person_id) REFERENCES app.person (id) NOT VALID;
ALTER TABLE app.note ADD CONSTRAINT note_code_fkey FOREIGN KEY (code) REFERENCES app.org (code);
CREATE UNIQUE INDEX note_body_key ON app.note (body);
CREATE UNIQUE INDEX person_email_key ON app.person (email);
CREATE INDEX person_at_idx ON app.person (at);
CREATE INDEX person_lower_idx ON app.person (lower(email));
CREATE TABLE app.alone (
    id bigint NOT NULL, extra text, CONSTRAINT alone_extra CHECK (extra IS NOT NULL AND extra <> '')
);
CREATE UNIQUE INDEX alone_key ON app.alone (id);
CREATE UNIQUE INDEX alone_extra_key ON app.alone (extra);
CREATE POLICY own ON app.person USING (true);
INSERT INTO app.org SELECT i, 'o' || i, 'c' || i FROM generate_series(1, 60) AS i;
INSERT INTO app.person (id, org_id, email, short, n, amount, mood, at, seen, proven)
    SELECT i, i, 'e' || i, 's', i, i, 'sad', now(), now(), 'p' FROM generate_series(1, 60) AS i;
INSERT INTO app.note (person_id, code, body) SELECT i, 'c' || i, 'b' || i FROM generate_series(1, 60) AS i;
INSERT INTO app.alone SELECT i, 'x' || i FROM generate_series(1, 60) AS i;
"""

FORMS = """
CREATE SCHEMA other
CREATE TYPE app.color AS ENUM ('red', 'green')
ALTER TYPE app.mood ADD VALUE 'so-so' AFTER 'sad'
ALTER TYPE app.mood RENAME VALUE 'sad' TO 'blue'
ALTER TYPE app.mood RENAME TO feeling
ALTER TYPE app.mood SET SCHEMA public
CREATE TABLE app.fresh (id bigint PRIMARY KEY, org_id bigint)
CREATE TABLE app.fresh (id bigint PRIMARY KEY, org_id bigint REFERENCES app.org (id))
CREATE TABLE app.fresh (LIKE app.org)
CREATE UNLOGGED TABLE app.fresh (id bigint PRIMARY KEY)
ALTER TABLE app.person ADD COLUMN fresh text
ALTER TABLE app.person ADD COLUMN fresh text DEFAULT 'x' NOT NULL
ALTER TABLE app.person ADD COLUMN fresh timestamptz DEFAULT now() NOT NULL
ALTER TABLE app.person ADD COLUMN fresh timestamptz DEFAULT CURRENT_TIMESTAMP
ALTER TABLE app.person ADD COLUMN fresh uuid DEFAULT gen_random_uuid()
ALTER TABLE app.person ADD COLUMN fresh double precision DEFAULT random()
ALTER TABLE app.person ADD COLUMN fresh timestamptz DEFAULT clock_timestamp()
ALTER TABLE app.person ADD COLUMN fresh jsonb DEFAULT jsonb_build_object('a', 1)
ALTER TABLE app.person ADD COLUMN fresh text[] DEFAULT ARRAY['a', upper('b')]
ALTER TABLE app.person ADD COLUMN fresh app.mood DEFAULT 'sad'
ALTER TABLE app.person ADD COLUMN fresh bigint GENERATED ALWAYS AS IDENTITY
ALTER TABLE app.person ADD COLUMN fresh int GENERATED ALWAYS AS (n + 1) STORED
ALTER TABLE app.person ADD COLUMN fresh int CHECK (fresh > 0)
ALTER TABLE app.person ADD COLUMN fresh int UNIQUE
ALTER TABLE app.person ADD COLUMN fresh app.positive
ALTER TABLE app.person DROP COLUMN amount
ALTER TABLE app.person DROP COLUMN org_id
ALTER TABLE app.person RENAME COLUMN email TO mail
ALTER TABLE app.person RENAME TO human
ALTER TABLE app.person SET SCHEMA public
ALTER TABLE app.person RENAME CONSTRAINT person_short TO person_brief
ALTER TABLE app.person RENAME CONSTRAINT person_pkey TO person_key
ALTER TABLE app.note RENAME CONSTRAINT note_person_fkey TO note_human_fkey
ALTER INDEX app.person_at_idx RENAME TO person_time_idx
ALTER TABLE app.person ALTER COLUMN email SET DEFAULT 'x'
ALTER TABLE app.person ALTER COLUMN email DROP DEFAULT
ALTER TABLE app.person ALTER COLUMN email SET NOT NULL
ALTER TABLE app.person ALTER COLUMN proven SET NOT NULL
ALTER TABLE app.alone ALTER COLUMN extra SET NOT NULL
ALTER TABLE app.person ALTER COLUMN id SET NOT NULL
ALTER TABLE app.alone ALTER COLUMN id DROP NOT NULL
ALTER TABLE app.alone ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY
ALTER TABLE app.note ALTER COLUMN id SET GENERATED BY DEFAULT
ALTER TABLE app.note ALTER COLUMN id DROP IDENTITY
ALTER TABLE app.person ALTER COLUMN doubled DROP EXPRESSION
ALTER TABLE app.person ALTER COLUMN email SET STATISTICS 500
ALTER TABLE app.person ALTER COLUMN email SET STORAGE EXTERNAL
ALTER TABLE app.person SET (fillfactor=70)
ALTER TABLE app.person SET (autovacuum_vacuum_scale_factor=0.01)
ALTER TABLE app.person RESET (fillfactor)
ALTER TABLE app.person SET (user_catalog_table=true)
ALTER TABLE app.alone SET UNLOGGED
ALTER TABLE app.person ADD CONSTRAINT fresh CHECK (n > 0)
ALTER TABLE app.person ADD CONSTRAINT fresh CHECK (n > 0) NOT VALID
ALTER TABLE app.person VALIDATE CONSTRAINT person_amount
ALTER TABLE app.person VALIDATE CONSTRAINT person_short
ALTER TABLE app.note ADD CONSTRAINT fresh FOREIGN KEY (person_id) REFERENCES app.person (id)
ALTER TABLE app.note ADD CONSTRAINT fresh FOREIGN KEY (person_id) REFERENCES app.person (id) NOT VALID
ALTER TABLE app.note VALIDATE CONSTRAINT note_person_fkey
ALTER TABLE app.note VALIDATE CONSTRAINT note_code_fkey
ALTER TABLE app.note DROP CONSTRAINT note_person_fkey
ALTER TABLE app.person DROP CONSTRAINT person_short
ALTER TABLE app.alone ADD CONSTRAINT alone_pkey PRIMARY KEY USING INDEX alone_key
ALTER TABLE app.alone ADD CONSTRAINT alone_pkey PRIMARY KEY USING INDEX alone_extra_key
ALTER TABLE app.alone ADD CONSTRAINT alone_unique UNIQUE USING INDEX alone_key
ALTER TABLE app.alone ADD CONSTRAINT alone_unique UNIQUE (id)
ALTER TABLE app.alone ADD CONSTRAINT alone_pkey PRIMARY KEY (id)
ALTER TABLE app.alone ADD CONSTRAINT alone_excl EXCLUDE USING btree (extra WITH =)
ALTER TABLE app.person ALTER COLUMN short TYPE varchar(20)
ALTER TABLE app.org ALTER COLUMN name TYPE varchar
ALTER TABLE app.org ALTER COLUMN name TYPE varchar(50)
ALTER TABLE app.org ALTER COLUMN code TYPE varchar(20)
ALTER TABLE app.org ALTER COLUMN code TYPE char(20)
ALTER TABLE app.note ALTER COLUMN code TYPE text
ALTER TABLE app.note ALTER COLUMN person_id TYPE int
ALTER TABLE app.person ALTER COLUMN amount TYPE numeric(10,2)
ALTER TABLE app.person ALTER COLUMN amount TYPE numeric(10,3)
ALTER TABLE app.person ALTER COLUMN email TYPE varchar
ALTER TABLE app.person ALTER COLUMN at TYPE timestamptz
ALTER TABLE app.person ALTER COLUMN at TYPE timestamptz USING at AT TIME ZONE 'UTC'
ALTER TABLE app.person ALTER COLUMN seen TYPE timestamptz
ALTER TABLE app.person ALTER COLUMN seen TYPE timestamptz(0)
ALTER TABLE app.person ALTER COLUMN mood TYPE text
ALTER TABLE app.org ALTER COLUMN name TYPE text COLLATE "C"
ALTER TABLE app.person ENABLE ROW LEVEL SECURITY
ALTER TABLE app.person FORCE ROW LEVEL SECURITY
CREATE POLICY fresh ON app.person FOR SELECT USING (id > 0)
ALTER POLICY own ON app.person USING (false)
DROP POLICY own ON app.person
CREATE INDEX fresh ON app.person (n)
CREATE UNIQUE INDEX fresh ON app.person (id, n)
DROP INDEX app.person_at_idx
DROP TABLE app.note
DROP TABLE app.alone
COMMENT ON TABLE app.person IS 'people'
COMMENT ON COLUMN app.person.email IS 'address'
COMMENT ON CONSTRAINT person_short ON app.person IS 'rule'
COMMENT ON INDEX app.person_at_idx IS 'time'
COMMENT ON POLICY own ON app.person IS 'own'
COMMENT ON TYPE app.mood IS 'mood'
SELECT count(*) FROM app.person
SELECT 1 FROM app.person FOR NO KEY UPDATE
UPDATE app.person SET n = 1 WHERE id < 10
UPDATE app.person SET org_id = 1 WHERE id < 10
INSERT INTO app.note (person_id, body) VALUES (1, 'fresh')
"""

SINCE = {
    "ALTER TABLE app.person ALTER COLUMN doubled SET EXPRESSION AS (n * 3)": 17,
    "ALTER TABLE app.person ADD COLUMN fresh int GENERATED ALWAYS AS (n + 1) VIRTUAL": 18,
}

_LOCKS = """
SELECT n.nspname || '.' || c.relname, l.mode, c.oid
FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE l.pid = %s AND l.locktype = 'relation' AND l.granted AND c.relkind IN ('r', 'p')
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema')
"""
_NODES = "SELECT c.oid, n.nspname || '.' || c.relname, c.relfilenode FROM pg_class AS c \
JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname IN ('app', 'public')"
_READS = "SELECT relid, seq_tup_read FROM pg_stat_xact_user_tables WHERE seq_tup_read > 0"


def _snapshot(uri: str) -> Snapshot:
    async def read() -> Snapshot:
        async with await psycopg.AsyncConnection.connect(uri) as connection:
            return await read_snapshot(connection)

    return asyncio.run(read())


def _context(snapshot: Snapshot) -> EffectContext:
    return EffectContext(snapshot.server_version_num, "UTC", snapshot.catalog)


def _difference(statement: str, uri: str, watcher: psycopg.Connection, context: EffectContext) -> list[str]:
    """What the model says differently from the server; empty when it is right."""
    expected = effects_of(statement, context)
    with psycopg.connect(uri, options="-c TimeZone=UTC") as worker:
        before = {oid: (name, node) for oid, name, node in worker.execute(_NODES)}
        worker.rollback()
        worker.execute(statement)
        found: dict[str, LockMode] = {}
        for _, mode, oid in watcher.execute(_LOCKS, [worker.info.backend_pid]).fetchall():
            if oid in before:
                name = before[oid][0]
                found[name] = max(LockMode[mode], found.get(name, LockMode.AccessShareLock))
        after = {oid: node for oid, _, node in worker.execute(_NODES)}
        rewritten = sorted(name for oid, (name, node) in before.items() if oid in after and after[oid] != node)
        read = {before[oid][0] for oid, _ in worker.execute(_READS) if oid in before}
        worker.rollback()
    problems = []
    if expected.unknown:
        problems.append(f"unknown: {expected.unknown}")
    if dict(expected.locks) != found:
        problems.append(f"locks: model {_short(expected.locks)}, server {_short(found)}")
    if list(expected.rewrites) != rewritten:
        problems.append(f"rewrites: model {expected.rewrites}, server {rewritten}")
    if statement.startswith(("ALTER", "CREATE")) and sorted({*expected.scans, *expected.rewrites}) != sorted(read):
        problems.append(f"scans: model {expected.scans} and rewrites, server {sorted(read)}")
    return [f"{statement}\n    {problem}" for problem in problems]


def _short(locks: object) -> dict[str, str]:
    assert isinstance(locks, dict)
    return {name: mode.name for name, mode in sorted(locks.items())}


def test_every_form_locks_rewrites_and_reads_what_the_model_says(any_database: str) -> None:
    with psycopg.connect(any_database) as connection:
        connection.execute(SCHEMA)
    snapshot = _snapshot(any_database)
    context = _context(snapshot)
    forms = FORMS.strip().splitlines() + [form for form, since in SINCE.items() if since <= snapshot.major]
    with psycopg.connect(any_database, autocommit=True) as watcher:
        wrong = [line for form in forms for line in _difference(form, any_database, watcher, context)]
    assert not wrong, f"{len(wrong)} forms differ:\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE INDEX CONCURRENTLY fresh ON app.person (n)", {"app.person": LockMode.ShareUpdateExclusiveLock}),
        ("DROP INDEX CONCURRENTLY app.person_at_idx", {"app.person": LockMode.ShareUpdateExclusiveLock}),
    ],
)
def test_concurrent_forms(any_database: str, statement: str, expected: dict[str, LockMode]) -> None:
    """They commit in between, so they are watched while they wait for an older transaction that wrote the table."""
    with psycopg.connect(any_database) as connection:
        connection.execute(SCHEMA)
    effects = effects_of(statement, _context(_snapshot(any_database)))
    assert dict(effects.locks) == expected
    assert not effects.in_transaction
    with (
        psycopg.connect(any_database) as writer,
        psycopg.connect(any_database, autocommit=True) as watcher,
        psycopg.connect(any_database, autocommit=True) as worker,
    ):
        writer.execute("UPDATE app.person SET n = n WHERE id = 1")
        thread = threading.Thread(target=worker.execute, args=[statement])
        thread.start()
        try:
            found = _locks_while_waiting(watcher, worker.info.backend_pid)
        finally:
            writer.rollback()
            thread.join(30)
    assert found == expected


def _locks_while_waiting(watcher: psycopg.Connection, pid: int) -> dict[str, LockMode]:
    waiting = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted AND locktype = 'virtualxid')"
    for _ in range(2000):
        row = watcher.execute(waiting, [pid]).fetchone()
        if row is not None and row[0]:
            break
        watcher.execute("SELECT pg_sleep(0.005)")
    return {name: LockMode[mode] for name, mode, _ in watcher.execute(_LOCKS, [pid]).fetchall()}


def test_a_statement_that_nobody_registered_is_unknown() -> None:
    assert "Vacuum" in effects_of("VACUUM FULL app.person", EffectContext()).unknown
    assert effects_of("ALTER TABLE app.person CLUSTER ON x, INHERIT app.org", EffectContext()).unknown
    assert "parsed" in effects_of("ALTER TABLE", EffectContext()).unknown
    assert "parsed" in effects_of("SELECT 1; SELECT 2", EffectContext()).unknown
