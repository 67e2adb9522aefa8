"""The forms of statements whose effects are measured, as data: one schema, and every form that is run in it.

``tests/integration/test_effects_measured.py`` runs them on real servers and compares; ``python -m tests.lock_page``
writes what was proven to ``docs/locks.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

SCHEMA = """
CREATE SCHEMA app;
CREATE SCHEMA other;
CREATE ROLE REPLACEME_ROLE;
CREATE TYPE app.mood AS ENUM ('sad', 'happy');
CREATE DOMAIN app.positive AS int CHECK (VALUE > 0);
CREATE DOMAIN app.tag AS text;
ALTER DOMAIN app.tag ADD CONSTRAINT tag_short CHECK (length(VALUE) < 50) NOT VALID;
CREATE TYPE app.point AS (x int, y int);
CREATE TABLE app.org (id bigint PRIMARY KEY, name text, code varchar(10), UNIQUE (code));
CREATE TABLE app.person (
    id bigint PRIMARY KEY, org_id bigint, email text, short varchar(10), n int, amount numeric(8,2), mood app.mood,
    at timestamp, seen timestamptz(3), proven text, doubled int GENERATED ALWAYS AS (n * 2) STORED, tag app.tag,
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
CREATE TABLE app.child (id bigint, org_id bigint REFERENCES app.org (id) ON DELETE CASCADE);
CREATE TABLE app.job (id serial PRIMARY KEY, what text, state int DEFAULT 0);
CREATE SEQUENCE app.loose;
CREATE TABLE app.event (id bigint NOT NULL, day date NOT NULL, org_id bigint, what text, CHECK (id > 0))
    PARTITION BY RANGE (day);
ALTER TABLE app.event ADD CONSTRAINT event_org_fkey FOREIGN KEY (org_id) REFERENCES app.org (id);
CREATE TABLE app.event_1 PARTITION OF app.event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE app.event_2 PARTITION OF app.event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE app.event_rest PARTITION OF app.event DEFAULT;
CREATE INDEX event_what_idx ON app.event (what);
CREATE TABLE app.ready (
    id bigint NOT NULL, day date NOT NULL, org_id bigint, what text, CONSTRAINT event_id_check CHECK (id > 0)
);
CREATE TABLE app.metric (id int NOT NULL, k int NOT NULL, v text) PARTITION BY LIST (k);
CREATE TABLE app.metric_1 PARTITION OF app.metric FOR VALUES IN (1);
CREATE TABLE app.metric_2 PARTITION OF app.metric FOR VALUES IN (2);
CREATE TABLE app.metric_new (id int NOT NULL, k int NOT NULL, v text);
CREATE TABLE app.base (id int, name text, CONSTRAINT base_id CHECK (id > 0));
CREATE TABLE app.derived (extra text) INHERITS (app.base);
CREATE TABLE app.orphan (id int, name text, extra text, CONSTRAINT base_id CHECK (id > 0));
CREATE TABLE app.typed OF app.point;
CREATE VIEW app.people AS SELECT p.id, p.email, o.name FROM app.person p JOIN app.org o ON o.id = p.org_id;
CREATE VIEW app.names AS SELECT name FROM app.people;
CREATE VIEW app.simple AS SELECT id, extra FROM app.alone;
CREATE MATERIALIZED VIEW app.totals AS SELECT what, count(*) AS n FROM app.job GROUP BY what;
CREATE UNIQUE INDEX totals_key ON app.totals (what);
CREATE FUNCTION app.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE FUNCTION app.one() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION app.code() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 7';
CREATE TABLE app.coded (id int, c int DEFAULT app.code());
CREATE PROCEDURE app.proc() LANGUAGE plpgsql AS 'BEGIN END';
CREATE TRIGGER job_stamp BEFORE INSERT ON app.job FOR EACH ROW EXECUTE FUNCTION app.stamp();
CREATE TRIGGER event_stamp BEFORE INSERT ON app.event FOR EACH ROW EXECUTE FUNCTION app.stamp();
CREATE RULE base_rule AS ON DELETE TO app.orphan DO INSTEAD NOTHING;
CREATE STATISTICS app.job_stats ON what, state FROM app.job;
CREATE PUBLICATION REPLACEME_PUB FOR TABLE app.job;
INSERT INTO app.org SELECT i, 'o' || i, 'c' || i FROM generate_series(1, 60) AS i;
INSERT INTO app.person (id, org_id, email, short, n, amount, mood, at, seen, proven)
    SELECT i, i, 'e' || i, 's', i, i, 'sad', now(), now(), 'p' FROM generate_series(1, 60) AS i;
INSERT INTO app.note (person_id, code, body) SELECT i, 'c' || i, 'b' || i FROM generate_series(1, 60) AS i;
INSERT INTO app.alone SELECT i, 'x' || i FROM generate_series(1, 60) AS i;
INSERT INTO app.child SELECT i, i FROM generate_series(1, 60) AS i;
INSERT INTO app.job (what) SELECT 'w' || i FROM generate_series(1, 60) AS i;
INSERT INTO app.event SELECT i, date '2024-06-01' + i * 9, 1, 'e' FROM generate_series(1, 60) AS i;
INSERT INTO app.event SELECT i, date '2031-06-01' + i, 1, 'e' FROM generate_series(1, 60) AS i;
INSERT INTO app.ready SELECT i, date '2028-02-01' + i, 1, 'r' FROM generate_series(1, 60) AS i;
INSERT INTO app.metric SELECT i, 1 + i % 2, 'v' FROM generate_series(1, 60) AS i;
INSERT INTO app.metric_new SELECT i, 3, 'v' FROM generate_series(1, 60) AS i;
INSERT INTO app.base SELECT i, 'b' FROM generate_series(1, 60) AS i;
INSERT INTO app.derived SELECT i, 'b', 'd' FROM generate_series(1, 60) AS i;
INSERT INTO app.orphan SELECT i, 'b', 'd' FROM generate_series(1, 60) AS i;
INSERT INTO app.coded (id) SELECT i FROM generate_series(1, 60) AS i;
INSERT INTO app.typed SELECT i, i FROM generate_series(1, 60) AS i;
REFRESH MATERIALIZED VIEW app.totals;
ANALYZE;
"""

_FORMS = {
    "Schemas, types, domains": """
CREATE SCHEMA third
ALTER SCHEMA other RENAME TO third
ALTER SCHEMA other OWNER TO CURRENT_USER
DROP SCHEMA other
DROP SCHEMA app CASCADE
CREATE TYPE app.color AS ENUM ('red', 'green')
ALTER TYPE app.mood ADD VALUE 'so-so' AFTER 'sad'
ALTER TYPE app.mood RENAME VALUE 'sad' TO 'blue'
ALTER TYPE app.mood RENAME TO feeling
ALTER TYPE app.mood SET SCHEMA public
ALTER TYPE app.mood OWNER TO CURRENT_USER
DROP TYPE app.mood CASCADE
CREATE TYPE app.pair AS (a int, b int)
CREATE TYPE app.span AS RANGE (subtype = int)
ALTER TYPE app.point ADD ATTRIBUTE z int CASCADE
ALTER TYPE app.point DROP ATTRIBUTE y CASCADE
ALTER TYPE app.point RENAME ATTRIBUTE y TO z CASCADE
CREATE DOMAIN app.percent AS int CHECK (VALUE BETWEEN 0 AND 100)
ALTER DOMAIN app.tag ADD CONSTRAINT tag_full CHECK (VALUE <> '')
ALTER DOMAIN app.tag ADD CONSTRAINT tag_full CHECK (VALUE <> '') NOT VALID
ALTER DOMAIN app.tag VALIDATE CONSTRAINT tag_short
ALTER DOMAIN app.tag DROP CONSTRAINT tag_short
ALTER DOMAIN app.tag SET DEFAULT 'x'
ALTER DOMAIN app.tag DROP NOT NULL
ALTER DOMAIN app.tag RENAME TO label
ALTER DOMAIN app.tag RENAME CONSTRAINT tag_short TO tag_brief
ALTER DOMAIN app.tag SET SCHEMA public
ALTER DOMAIN app.tag OWNER TO CURRENT_USER
DROP DOMAIN app.positive
DROP DOMAIN app.tag CASCADE
""",
    "Tables": """
CREATE TABLE app.fresh (id bigint PRIMARY KEY, org_id bigint)
CREATE TABLE app.fresh (id bigint PRIMARY KEY, org_id bigint REFERENCES app.org (id))
CREATE TABLE app.fresh (LIKE app.org)
CREATE TABLE app.fresh (LIKE app.org INCLUDING ALL)
CREATE TABLE app.fresh (more text) INHERITS (app.base)
CREATE TABLE app.fresh OF app.point
CREATE UNLOGGED TABLE app.fresh (id bigint PRIMARY KEY)
CREATE TEMPORARY TABLE fresh (id bigint)
CREATE TABLE app.fresh AS SELECT * FROM app.org
CREATE TABLE app.fresh AS SELECT * FROM app.org WITH NO DATA
CREATE TABLE IF NOT EXISTS app.org (id bigint)
SELECT * INTO app.fresh FROM app.org
ALTER TABLE app.person RENAME TO human
ALTER TABLE app.person SET SCHEMA public
ALTER TABLE app.job SET SCHEMA other
ALTER TABLE app.person OWNER TO CURRENT_USER
ALTER TABLE app.alone SET UNLOGGED
ALTER TABLE app.alone SET LOGGED
ALTER TABLE app.coded SET UNLOGGED
ALTER TABLE app.person SET (fillfactor=70)
ALTER TABLE app.person SET (autovacuum_vacuum_scale_factor=0.01)
ALTER TABLE app.person RESET (fillfactor)
ALTER TABLE app.person SET (user_catalog_table=true)
ALTER TABLE app.person CLUSTER ON person_at_idx
ALTER TABLE app.person SET WITHOUT CLUSTER
ALTER TABLE app.person REPLICA IDENTITY FULL
ALTER TABLE app.alone REPLICA IDENTITY USING INDEX alone_key
ALTER TABLE app.alone SET TABLESPACE pg_default
ALTER TABLE app.typed NOT OF
DROP TABLE app.note
DROP TABLE app.alone CASCADE
DROP TABLE app.org CASCADE
DROP TABLE app.person CASCADE
DROP TABLE IF EXISTS app.nothing
DROP TABLE app.job CASCADE
DROP TABLE app.child, app.coded
TRUNCATE app.note
TRUNCATE app.org CASCADE
TRUNCATE app.base
TRUNCATE ONLY app.base
TRUNCATE app.event
TRUNCATE app.job RESTART IDENTITY
""",
    "Columns": """
ALTER TABLE app.person ADD COLUMN fresh text
ALTER TABLE app.person ADD COLUMN fresh text DEFAULT 'x' NOT NULL
ALTER TABLE app.person ADD COLUMN IF NOT EXISTS fresh text
ALTER TABLE app.person ADD COLUMN fresh timestamptz DEFAULT now() NOT NULL
ALTER TABLE app.person ADD COLUMN fresh timestamptz DEFAULT CURRENT_TIMESTAMP
ALTER TABLE app.person ADD COLUMN fresh uuid DEFAULT gen_random_uuid()
ALTER TABLE app.person ADD COLUMN fresh double precision DEFAULT random()
ALTER TABLE app.person ADD COLUMN fresh timestamptz DEFAULT clock_timestamp()
ALTER TABLE app.person ADD COLUMN fresh jsonb DEFAULT jsonb_build_object('a', 1)
ALTER TABLE app.person ADD COLUMN fresh text[] DEFAULT ARRAY['a', upper('b')]
ALTER TABLE app.person ADD COLUMN fresh app.mood DEFAULT 'sad'
ALTER TABLE app.person ADD COLUMN fresh bigint GENERATED ALWAYS AS IDENTITY
ALTER TABLE app.person ADD COLUMN fresh bigserial
ALTER TABLE app.person ADD COLUMN fresh int DEFAULT nextval('app.loose')
ALTER TABLE app.person ADD COLUMN fresh int GENERATED ALWAYS AS (n + 1) STORED
ALTER TABLE app.person ADD COLUMN fresh int CHECK (fresh > 0)
ALTER TABLE app.person ADD COLUMN fresh int UNIQUE
ALTER TABLE app.person ADD COLUMN fresh app.positive
ALTER TABLE app.alone ADD COLUMN fresh bigint REFERENCES app.org (id)
ALTER TABLE app.alone ADD COLUMN fresh bigint DEFAULT 1 REFERENCES app.org (id)
ALTER TABLE app.base ADD COLUMN fresh text
ALTER TABLE app.base ADD COLUMN fresh uuid DEFAULT gen_random_uuid()
ALTER TABLE app.event ADD COLUMN fresh text
ALTER TABLE app.event ADD COLUMN fresh uuid DEFAULT gen_random_uuid()
ALTER TABLE app.person ADD COLUMN a1 int, ADD COLUMN a2 text DEFAULT 'x', ALTER COLUMN n SET DEFAULT 1
ALTER TABLE app.person DROP COLUMN amount
ALTER TABLE app.person DROP COLUMN org_id CASCADE
ALTER TABLE app.note DROP COLUMN person_id
ALTER TABLE app.person DROP COLUMN IF EXISTS nothing
ALTER TABLE app.base DROP COLUMN name
ALTER TABLE app.event DROP COLUMN what
ALTER TABLE app.event DROP COLUMN org_id
ALTER TABLE app.job DROP COLUMN id
ALTER TABLE app.person DROP COLUMN email CASCADE
ALTER TABLE app.person RENAME COLUMN email TO mail
ALTER TABLE app.base RENAME COLUMN name TO label
ALTER TABLE app.event RENAME COLUMN what TO kind
ALTER TABLE app.person ALTER COLUMN email SET DEFAULT 'x'
ALTER TABLE app.person ALTER COLUMN email DROP DEFAULT
ALTER TABLE app.base ALTER COLUMN name SET DEFAULT 'x'
ALTER TABLE app.event ALTER COLUMN what SET DEFAULT 'x'
ALTER TABLE app.person ALTER COLUMN email SET NOT NULL
ALTER TABLE app.person ALTER COLUMN proven SET NOT NULL
ALTER TABLE app.alone ALTER COLUMN extra SET NOT NULL
ALTER TABLE app.person ALTER COLUMN id SET NOT NULL
ALTER TABLE app.base ALTER COLUMN name SET NOT NULL
ALTER TABLE app.event ALTER COLUMN what SET NOT NULL
ALTER TABLE app.alone ALTER COLUMN id DROP NOT NULL
ALTER TABLE app.event ALTER COLUMN id DROP NOT NULL
ALTER TABLE app.alone ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY
ALTER TABLE app.note ALTER COLUMN id SET GENERATED BY DEFAULT
ALTER TABLE app.note ALTER COLUMN id RESTART WITH 1000
ALTER TABLE app.note ALTER COLUMN id DROP IDENTITY
ALTER TABLE app.person ALTER COLUMN doubled DROP EXPRESSION
ALTER TABLE app.person ALTER COLUMN email SET STATISTICS 500
ALTER TABLE app.base ALTER COLUMN name SET STATISTICS 500
ALTER TABLE app.event ALTER COLUMN what SET STATISTICS 500
ALTER TABLE app.person ALTER COLUMN email SET (n_distinct=-1)
ALTER TABLE app.event ALTER COLUMN what SET (n_distinct=-1)
ALTER TABLE app.person ALTER COLUMN email SET STORAGE EXTERNAL
ALTER TABLE app.event ALTER COLUMN what SET STORAGE EXTERNAL
ALTER TABLE app.person ALTER COLUMN email SET COMPRESSION pglz
ALTER TABLE app.event ALTER COLUMN what SET COMPRESSION pglz
""",
    "Types of columns": """
ALTER TABLE app.person ALTER COLUMN short TYPE varchar(20)
ALTER TABLE app.child ALTER COLUMN id TYPE int
ALTER TABLE app.org ALTER COLUMN code TYPE varchar(20)
ALTER TABLE app.org ALTER COLUMN code TYPE char(20)
ALTER TABLE app.note ALTER COLUMN code TYPE text
ALTER TABLE app.note ALTER COLUMN person_id TYPE int
ALTER TABLE app.person ALTER COLUMN amount TYPE numeric(10,2)
ALTER TABLE app.person ALTER COLUMN amount TYPE numeric(10,3)
ALTER TABLE app.person ALTER COLUMN at TYPE timestamptz
ALTER TABLE app.person ALTER COLUMN at TYPE timestamptz USING at AT TIME ZONE 'UTC'
ALTER TABLE app.person ALTER COLUMN seen TYPE timestamptz
ALTER TABLE app.person ALTER COLUMN seen TYPE timestamptz(0)
ALTER TABLE app.person ALTER COLUMN mood TYPE text
ALTER TABLE app.coded ALTER COLUMN c TYPE bigint
ALTER TABLE app.ready ALTER COLUMN id TYPE int USING id::int + 0
ALTER TABLE app.base ALTER COLUMN name TYPE varchar
ALTER TABLE app.base ALTER COLUMN id TYPE bigint
ALTER TABLE app.event ALTER COLUMN what TYPE varchar
ALTER TABLE app.event ALTER COLUMN id TYPE int
ALTER TABLE app.event ALTER COLUMN org_id TYPE int
""",
    "Constraints": """
ALTER TABLE app.person ADD CONSTRAINT fresh CHECK (n > 0)
ALTER TABLE app.person ADD CONSTRAINT fresh CHECK (n > 0) NOT VALID
ALTER TABLE app.person ADD CONSTRAINT fresh CHECK (n > 0) NO INHERIT
ALTER TABLE app.base ADD CONSTRAINT fresh CHECK (id > 0)
ALTER TABLE app.base ADD CONSTRAINT fresh CHECK (id > 0) NO INHERIT
ALTER TABLE app.base ADD CONSTRAINT fresh CHECK (id > 0) NOT VALID
ALTER TABLE app.event ADD CONSTRAINT fresh CHECK (what <> '')
ALTER TABLE app.event ADD CONSTRAINT fresh CHECK (what <> '') NOT VALID
ALTER TABLE app.person VALIDATE CONSTRAINT person_amount
ALTER TABLE app.person VALIDATE CONSTRAINT person_short
ALTER TABLE app.note ADD CONSTRAINT fresh FOREIGN KEY (person_id) REFERENCES app.person (id)
ALTER TABLE app.note ADD CONSTRAINT fresh FOREIGN KEY (person_id) REFERENCES app.person (id) NOT VALID
ALTER TABLE app.note ADD CONSTRAINT fresh FOREIGN KEY (id) REFERENCES app.note (id)
ALTER TABLE app.event ADD CONSTRAINT fresh FOREIGN KEY (id) REFERENCES app.org (id)
ALTER TABLE app.note VALIDATE CONSTRAINT note_person_fkey
ALTER TABLE app.note VALIDATE CONSTRAINT note_code_fkey
ALTER TABLE app.note ALTER CONSTRAINT note_code_fkey DEFERRABLE
ALTER TABLE app.note DROP CONSTRAINT note_person_fkey
ALTER TABLE app.note DROP CONSTRAINT IF EXISTS nothing
ALTER TABLE app.person DROP CONSTRAINT person_short
ALTER TABLE app.org DROP CONSTRAINT org_code_key CASCADE
ALTER TABLE app.base DROP CONSTRAINT base_id
ALTER TABLE app.event DROP CONSTRAINT event_org_fkey
ALTER TABLE app.event DROP CONSTRAINT event_id_check
ALTER TABLE app.person RENAME CONSTRAINT person_short TO person_brief
ALTER TABLE app.person RENAME CONSTRAINT person_pkey TO person_key
ALTER TABLE app.note RENAME CONSTRAINT note_person_fkey TO note_human_fkey
ALTER TABLE app.base RENAME CONSTRAINT base_id TO base_positive
ALTER TABLE app.alone ADD CONSTRAINT alone_pkey PRIMARY KEY USING INDEX alone_key
ALTER TABLE app.alone ADD CONSTRAINT alone_pkey PRIMARY KEY USING INDEX alone_extra_key
ALTER TABLE app.alone ADD CONSTRAINT alone_unique UNIQUE USING INDEX alone_key
ALTER TABLE app.alone ADD CONSTRAINT alone_unique UNIQUE (id)
ALTER TABLE app.alone ADD CONSTRAINT alone_pkey PRIMARY KEY (id)
ALTER TABLE app.alone ADD CONSTRAINT alone_excl EXCLUDE USING btree (extra WITH =)
ALTER TABLE app.event ADD PRIMARY KEY (id, day)
ALTER TABLE app.event ADD UNIQUE (id, day)
ALTER TABLE app.base ADD UNIQUE (id)
ALTER TABLE app.base ADD PRIMARY KEY (id)
ALTER TABLE app.base ADD CONSTRAINT fresh FOREIGN KEY (id) REFERENCES app.org (id)
ALTER TABLE app.base ADD CONSTRAINT fresh EXCLUDE USING btree (id WITH =)
""",
    "Indexes": """
CREATE INDEX fresh ON app.person (n)
CREATE UNIQUE INDEX fresh ON app.person (id, n)
CREATE INDEX fresh ON app.event (org_id)
CREATE INDEX fresh ON ONLY app.event (org_id)
CREATE INDEX fresh ON app.base (name)
CREATE INDEX fresh ON app.totals (n)
CREATE INDEX IF NOT EXISTS person_at_idx ON app.person (at)
DROP INDEX app.person_at_idx
DROP INDEX app.event_what_idx
DROP INDEX IF EXISTS app.nothing
ALTER INDEX app.person_at_idx RENAME TO person_time_idx
ALTER INDEX app.person_at_idx SET (fillfactor=70)
ALTER INDEX app.person_lower_idx ALTER COLUMN 1 SET STATISTICS 100
REINDEX INDEX app.person_at_idx
REINDEX TABLE app.person
REINDEX TABLE app.totals
""",
    "Partitions and inheritance": """
CREATE TABLE app.fresh PARTITION OF app.event FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')
CREATE TABLE app.fresh PARTITION OF app.metric FOR VALUES IN (9)
CREATE TABLE app.fresh PARTITION OF app.metric DEFAULT
CREATE TABLE app.fresh (id int, k int) PARTITION BY LIST (k)
ALTER TABLE app.event ATTACH PARTITION app.ready FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')
ALTER TABLE app.metric ATTACH PARTITION app.metric_new FOR VALUES IN (3)
ALTER TABLE app.metric ATTACH PARTITION app.metric_new DEFAULT
ALTER TABLE app.event DETACH PARTITION app.event_1
ALTER TABLE app.event DETACH PARTITION app.event_rest
ALTER TABLE app.metric DETACH PARTITION app.metric_1
DROP TABLE app.event_1
DROP TABLE app.event_rest
DROP TABLE app.metric_1
DROP TABLE app.metric
DROP TABLE app.event
DROP TABLE app.base CASCADE
ALTER TABLE app.orphan INHERIT app.base
ALTER TABLE app.derived NO INHERIT app.base
ALTER TABLE app.event_1 ADD CONSTRAINT fresh CHECK (what <> '')
ALTER TABLE app.event_1 RENAME TO event_first
ALTER TABLE ONLY app.base ALTER COLUMN name SET DEFAULT 'x'
""",
    "Views": """
CREATE VIEW app.fresh AS SELECT * FROM app.org
CREATE VIEW app.fresh AS SELECT * FROM app.people
CREATE VIEW app.fresh AS WITH c AS (SELECT id FROM app.org) SELECT * FROM c
CREATE VIEW app.fresh AS SELECT * FROM app.event
CREATE OR REPLACE VIEW app.simple AS SELECT id, extra, 1 AS one FROM app.alone
CREATE OR REPLACE VIEW app.fresh AS SELECT id FROM app.alone
ALTER VIEW app.simple RENAME TO plain
ALTER VIEW app.simple RENAME COLUMN extra TO more
ALTER VIEW app.simple SET SCHEMA other
ALTER VIEW app.simple OWNER TO CURRENT_USER
ALTER VIEW app.simple ALTER COLUMN id SET DEFAULT 1
ALTER VIEW app.simple SET (security_barrier=true)
DROP VIEW app.simple
DROP VIEW app.people CASCADE
CREATE MATERIALIZED VIEW app.fresh AS SELECT * FROM app.org
CREATE MATERIALIZED VIEW app.fresh AS SELECT * FROM app.org WITH NO DATA
REFRESH MATERIALIZED VIEW app.totals
REFRESH MATERIALIZED VIEW app.totals WITH NO DATA
REFRESH MATERIALIZED VIEW CONCURRENTLY app.totals
ALTER MATERIALIZED VIEW app.totals RENAME TO sums
ALTER MATERIALIZED VIEW app.totals SET SCHEMA other
ALTER MATERIALIZED VIEW app.totals OWNER TO CURRENT_USER
ALTER MATERIALIZED VIEW app.totals CLUSTER ON totals_key
ALTER MATERIALIZED VIEW app.totals SET (fillfactor=70)
ALTER MATERIALIZED VIEW app.totals ALTER COLUMN n SET STATISTICS 100
DROP MATERIALIZED VIEW app.totals
""",
    "Triggers, rules, policies": """
CREATE TRIGGER fresh BEFORE UPDATE ON app.person FOR EACH ROW EXECUTE FUNCTION app.stamp()
CREATE OR REPLACE TRIGGER job_stamp BEFORE UPDATE ON app.job FOR EACH ROW EXECUTE FUNCTION app.stamp()
CREATE TRIGGER fresh AFTER INSERT ON app.event FOR EACH ROW EXECUTE FUNCTION app.stamp()
CREATE TRIGGER fresh AFTER INSERT ON app.event FOR EACH STATEMENT EXECUTE FUNCTION app.stamp()
CREATE CONSTRAINT TRIGGER fresh AFTER INSERT ON app.job FROM app.org FOR EACH ROW EXECUTE FUNCTION app.stamp()
DROP TRIGGER job_stamp ON app.job
DROP TRIGGER event_stamp ON app.event
ALTER TRIGGER job_stamp ON app.job RENAME TO job_mark
ALTER TRIGGER event_stamp ON app.event RENAME TO event_mark
ALTER TABLE app.job DISABLE TRIGGER job_stamp
ALTER TABLE app.job ENABLE TRIGGER job_stamp
ALTER TABLE app.job ENABLE ALWAYS TRIGGER job_stamp
ALTER TABLE app.job ENABLE REPLICA TRIGGER job_stamp
ALTER TABLE app.job DISABLE TRIGGER ALL
ALTER TABLE app.job DISABLE TRIGGER USER
ALTER TABLE app.event DISABLE TRIGGER event_stamp
CREATE RULE fresh AS ON INSERT TO app.alone DO INSTEAD NOTHING
CREATE RULE fresh AS ON INSERT TO app.alone DO ALSO UPDATE app.org SET name = 'x' WHERE id = 1
DROP RULE base_rule ON app.orphan
ALTER RULE base_rule ON app.orphan RENAME TO orphan_rule
ALTER TABLE app.orphan DISABLE RULE base_rule
ALTER TABLE app.orphan ENABLE RULE base_rule
ALTER TABLE app.person ENABLE ROW LEVEL SECURITY
ALTER TABLE app.person DISABLE ROW LEVEL SECURITY
ALTER TABLE app.person FORCE ROW LEVEL SECURITY
ALTER TABLE app.person NO FORCE ROW LEVEL SECURITY
CREATE POLICY fresh ON app.person FOR SELECT USING (id > 0)
CREATE POLICY fresh ON app.person USING (org_id IN (SELECT id FROM app.org))
ALTER POLICY own ON app.person USING (false)
ALTER POLICY own ON app.person RENAME TO mine
DROP POLICY own ON app.person
""",
    "Sequences, statistics, publications": """
CREATE SEQUENCE app.fresh
CREATE SEQUENCE app.fresh OWNED BY app.job.state
ALTER SEQUENCE app.loose INCREMENT BY 5
ALTER SEQUENCE app.loose RESTART WITH 7
ALTER SEQUENCE app.loose OWNED BY app.job.state
ALTER SEQUENCE app.loose OWNED BY NONE
ALTER SEQUENCE app.loose RENAME TO free
ALTER SEQUENCE app.loose SET SCHEMA other
ALTER SEQUENCE app.loose OWNER TO CURRENT_USER
DROP SEQUENCE app.loose
DROP SEQUENCE app.job_id_seq CASCADE
CREATE STATISTICS app.fresh ON id, org_id FROM app.person
ALTER STATISTICS app.job_stats SET STATISTICS 100
ALTER STATISTICS app.job_stats RENAME TO job_numbers
ALTER STATISTICS app.job_stats SET SCHEMA other
ALTER STATISTICS app.job_stats OWNER TO CURRENT_USER
DROP STATISTICS app.job_stats
CREATE PUBLICATION REPLACEME_PUB2 FOR TABLE app.person
CREATE PUBLICATION REPLACEME_PUB2 FOR TABLE app.person (id, email), app.org
CREATE PUBLICATION REPLACEME_PUB2 FOR TABLE app.base
CREATE PUBLICATION REPLACEME_PUB2 FOR TABLE app.event
CREATE PUBLICATION REPLACEME_PUB2 FOR ALL TABLES
CREATE PUBLICATION REPLACEME_PUB2 FOR TABLES IN SCHEMA app
ALTER PUBLICATION REPLACEME_PUB ADD TABLE app.org
ALTER PUBLICATION REPLACEME_PUB SET TABLE app.org
ALTER PUBLICATION REPLACEME_PUB DROP TABLE app.job
ALTER PUBLICATION REPLACEME_PUB SET (publish = 'insert')
ALTER PUBLICATION REPLACEME_PUB RENAME TO REPLACEME_PUB3
ALTER PUBLICATION REPLACEME_PUB OWNER TO CURRENT_USER
DROP PUBLICATION REPLACEME_PUB
""",
    "Functions and the rest of the catalog": """
CREATE FUNCTION app.fresh() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'
CREATE FUNCTION app.fresh() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM app.org'
CREATE FUNCTION app.fresh() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM app.org; END
CREATE FUNCTION app.fresh() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM app.people'
CREATE FUNCTION app.fresh() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM app.event'
CREATE OR REPLACE FUNCTION app.one() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2'
ALTER FUNCTION app.one() STABLE
ALTER FUNCTION app.one() RENAME TO uno
ALTER FUNCTION app.one() SET SCHEMA other
ALTER FUNCTION app.one() OWNER TO CURRENT_USER
DROP FUNCTION app.one()
DROP FUNCTION app.stamp() CASCADE
DROP FUNCTION app.code() CASCADE
CREATE PROCEDURE app.fresh() LANGUAGE plpgsql AS 'BEGIN END'
DROP PROCEDURE app.proc()
CREATE AGGREGATE app.fresh (int) (sfunc = int4pl, stype = int)
CREATE OPERATOR app.=== (leftarg = int, rightarg = int, function = int4eq)
CREATE COLLATION app.fresh FROM "C"
CREATE CAST (app.point AS text) WITH INOUT
CREATE TEXT SEARCH CONFIGURATION app.fresh (COPY = simple)
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC
GRANT SELECT ON app.person TO PUBLIC
GRANT SELECT (id) ON app.person TO PUBLIC
REVOKE ALL ON app.person FROM PUBLIC
GRANT SELECT ON ALL TABLES IN SCHEMA app TO PUBLIC
GRANT USAGE ON SCHEMA app TO PUBLIC
GRANT USAGE ON SEQUENCE app.loose TO PUBLIC
GRANT EXECUTE ON FUNCTION app.one() TO PUBLIC
CREATE ROLE REPLACEME_ROLE2
ALTER ROLE REPLACEME_ROLE SET statement_timeout = '5s'
DROP ROLE REPLACEME_ROLE
COMMENT ON TABLE app.person IS 'people'
COMMENT ON COLUMN app.person.email IS 'address'
COMMENT ON VIEW app.simple IS 'view'
COMMENT ON COLUMN app.simple.id IS 'column of a view'
COMMENT ON MATERIALIZED VIEW app.totals IS 'totals'
COMMENT ON SEQUENCE app.loose IS 'loose'
COMMENT ON CONSTRAINT person_short ON app.person IS 'rule'
COMMENT ON INDEX app.person_at_idx IS 'time'
COMMENT ON POLICY own ON app.person IS 'own'
COMMENT ON TRIGGER job_stamp ON app.job IS 'stamp'
COMMENT ON RULE base_rule ON app.orphan IS 'rule'
COMMENT ON TYPE app.mood IS 'mood'
COMMENT ON DOMAIN app.tag IS 'tag'
COMMENT ON CONSTRAINT tag_short ON DOMAIN app.tag IS 'short'
COMMENT ON FUNCTION app.one() IS 'one'
COMMENT ON SCHEMA app IS 'app'
COMMENT ON STATISTICS app.job_stats IS 'stats'
COMMENT ON PUBLICATION REPLACEME_PUB IS 'pub'
""",
    "Queries": """
SELECT count(*) FROM app.person
SELECT 1 FROM app.person FOR NO KEY UPDATE
SELECT 1 FROM app.person FOR UPDATE
SELECT 1 FROM app.person FOR SHARE
SELECT 1 FROM app.person AS p FOR KEY SHARE OF p SKIP LOCKED
SELECT * FROM app.names
SELECT * FROM app.event
SELECT * FROM app.base
SELECT * FROM ONLY app.base
SELECT * FROM app.totals
WITH person AS (SELECT 1) SELECT * FROM person
SELECT (SELECT name FROM app.org LIMIT 1)
UPDATE app.person SET n = 1 WHERE id < 10
UPDATE app.person SET org_id = 1 WHERE id < 10
UPDATE app.person SET n = 1 FROM app.org WHERE org.id = person.org_id
UPDATE app.base SET name = 'x'
UPDATE app.event SET what = 'x'
UPDATE app.simple SET extra = 'y' WHERE id = 1
INSERT INTO app.note (person_id, body) VALUES (1, 'fresh')
INSERT INTO app.alone SELECT id + 100, 'x' || id + 100 FROM app.org
INSERT INTO app.alone VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET extra = 'y' || excluded.extra
DELETE FROM app.note
DELETE FROM app.alone WHERE id = 1
DELETE FROM app.alone USING app.org WHERE org.id = alone.id
WITH gone AS (DELETE FROM app.alone WHERE id = 1 RETURNING id) INSERT INTO app.coded (id) SELECT id FROM gone
MERGE INTO app.alone AS a USING app.org AS o ON o.id = a.id WHEN MATCHED THEN UPDATE SET extra = o.name
MERGE INTO app.alone AS a USING app.org AS o ON o.id = a.id WHEN MATCHED THEN DELETE
EXPLAIN SELECT * FROM app.person
EXPLAIN ANALYZE UPDATE app.person SET n = 1 WHERE id = 1
PREPARE fresh AS SELECT * FROM app.org
PREPARE fresh AS SELECT * FROM app.people
PREPARE fresh AS SELECT * FROM app.event
DECLARE fresh CURSOR FOR SELECT * FROM app.event
DECLARE fresh CURSOR FOR SELECT * FROM app.org
COPY (SELECT * FROM app.org) TO '/dev/null'
COPY app.org TO '/dev/null'
COPY app.alone FROM '/dev/null'
LOCK TABLE app.org
LOCK TABLE app.org IN ACCESS SHARE MODE
LOCK TABLE app.org, app.person IN SHARE MODE
LOCK TABLE app.base IN ROW EXCLUSIVE MODE
LOCK TABLE ONLY app.base IN EXCLUSIVE MODE
LOCK TABLE app.people IN SHARE ROW EXCLUSIVE MODE
SET LOCAL lock_timeout = '2s'
SHOW lock_timeout
NOTIFY fresh
SAVEPOINT fresh
SET CONSTRAINTS ALL DEFERRED
ANALYZE app.person
ANALYZE app.event
CLUSTER app.person USING person_at_idx
""",
}

_SINCE = {
    17: """
ALTER TABLE app.person ALTER COLUMN doubled SET EXPRESSION AS (n * 3)
ALTER TABLE app.person ALTER COLUMN email SET STATISTICS DEFAULT
MERGE INTO app.alone AS a USING app.org AS o ON o.id = a.id WHEN NOT MATCHED BY SOURCE THEN DELETE
""",
    18: """
ALTER TABLE app.person ADD COLUMN fresh int GENERATED ALWAYS AS (n + 1) VIRTUAL
ALTER TABLE app.person ADD CONSTRAINT fresh NOT NULL email
ALTER TABLE app.person ADD CONSTRAINT fresh NOT NULL email NOT VALID
ALTER TABLE app.person ADD CONSTRAINT fresh NOT NULL proven
ALTER TABLE app.person ADD CONSTRAINT fresh CHECK (n > 1000) NOT ENFORCED
ALTER TABLE app.note ADD CONSTRAINT fresh FOREIGN KEY (person_id) REFERENCES app.person (id) NOT ENFORCED
ALTER TABLE app.event ADD CONSTRAINT fresh FOREIGN KEY (id) REFERENCES app.org (id) NOT VALID
ALTER TABLE app.note ALTER CONSTRAINT note_code_fkey NOT ENFORCED
""",
}


class Form(NamedTuple):
    group: str
    sql: str
    since: int = 15


def forms() -> Iterator[Form]:
    """Every form, in the order of the page."""
    for group, text in _FORMS.items():
        for line in text.strip().splitlines():
            yield Form(group, line)
    for since, text in _SINCE.items():
        for line in text.strip().splitlines():
            yield Form(f"Since PostgreSQL {since}", line, since)


def named(sql: str, suffix: str) -> str:
    """Roles and publications belong to the whole cluster or must not meet: give them names of this database's own."""
    return sql.replace("REPLACEME", f"x_{suffix}")
