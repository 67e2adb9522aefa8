"""The forms of statements whose effects are measured, as data: one schema, and every form that is run in it.

``tests/integration/test_effects_measured.py`` runs them on real servers and compares; ``python -m tests.lock_page``
writes what was proven to ``docs/locks.md``.
"""

# ruff: noqa: E501 - one form a line, however long

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
CREATE DOMAIN app.small AS app.positive CHECK (VALUE < 1000);
CREATE DOMAIN app.free AS int;
CREATE TABLE app.kinds (
    id int PRIMARY KEY, i2 smallint, i4 int, i8 bigint, f4 real, f8 double precision, n numeric, n82 numeric(8,2),
    v varchar, v10 varchar(10), c10 char(10), t text, b4 bit(4), vb8 varbit(8), ts timestamp, ts3 timestamp(3),
    tz timestamptz, d date, ti time, ti3 time(3), iv interval, iv3 interval(3), ci cidr, ne inet, j json, jb jsonb,
    u uuid, by bytea, a4 int[], av varchar(10)[], m app.mood, dom app.tag, pos app.positive, fr app.free, o oid,
    bo boolean, indexed varchar(10), keyed varchar(10) UNIQUE, checked varchar(10) CHECK (checked <> 'x')
);
CREATE INDEX kinds_indexed_idx ON app.kinds (indexed);
CREATE INDEX kinds_upper_idx ON app.kinds (upper(v)) WHERE i2 > 0;
CREATE TABLE app.stay (id int PRIMARY KEY, room int4range, during tstzrange, EXCLUDE USING gist (during WITH &&));
CREATE TABLE app.parent (id int, k int, name text, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE app.parent_1 PARTITION OF app.parent FOR VALUES IN (1);
CREATE TABLE app.parent_2 PARTITION OF app.parent FOR VALUES IN (2);
CREATE TABLE app.parent_new (id int NOT NULL, k int NOT NULL, name text);
CREATE TABLE app.kid (
    id int PRIMARY KEY, parent_id int, k int, CONSTRAINT kid_parent_fkey FOREIGN KEY (parent_id, k) REFERENCES app.parent
);
CREATE TABLE app.deep (id int NOT NULL, d date NOT NULL, k int NOT NULL, org_id bigint) PARTITION BY RANGE (d);
CREATE TABLE app.deep_1 PARTITION OF app.deep FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (k);
CREATE TABLE app.deep_1_a PARTITION OF app.deep_1 FOR VALUES IN (1);
CREATE TABLE app.deep_1_b PARTITION OF app.deep_1 FOR VALUES IN (2);
CREATE TABLE app.proven_range (
    id int NOT NULL, d date NOT NULL, k int NOT NULL, org_id bigint,
    CONSTRAINT proven_range_bound CHECK (d >= '2026-01-01' AND d < '2027-01-01')
);
CREATE TABLE app.proven_list (
    id int NOT NULL, k int NOT NULL, v text, CONSTRAINT proven_list_bound CHECK (k IN (3, 4))
);
CREATE TABLE app.tree (id int PRIMARY KEY, up int REFERENCES app.tree (id) ON DELETE CASCADE, label text);
CREATE INDEX tree_up_idx ON app.tree (up);
CREATE TABLE app.fan (
    id int PRIMARY KEY, code varchar(10) REFERENCES app.org (code) ON DELETE SET NULL ON UPDATE CASCADE, n int
);
CREATE TABLE app.p1 (a int, b int);
CREATE TABLE app.p2 (a int, c int);
CREATE TABLE app.both (own int) INHERITS (app.p1, app.p2);
CREATE TABLE app.ruled (id int);
CREATE TABLE app.ruled_log (id int);
INSERT INTO app.ruled SELECT i FROM generate_series(1, 60) AS i;
CREATE RULE ruled_log AS ON INSERT TO app.ruled DO ALSO INSERT INTO app.ruled_log VALUES (new.id);
CREATE FOREIGN DATA WRAPPER REPLACEME_WRAPPER;
CREATE SERVER REPLACEME_SERVER FOREIGN DATA WRAPPER REPLACEME_WRAPPER;
CREATE FOREIGN TABLE app.far (id int, name text) SERVER REPLACEME_SERVER;
CREATE VIEW app.people AS SELECT p.id, p.email, o.name FROM app.person p JOIN app.org o ON o.id = p.org_id;
CREATE VIEW app.names AS SELECT name FROM app.people;
CREATE VIEW app.simple AS SELECT id, extra FROM app.alone;
CREATE MATERIALIZED VIEW app.totals AS SELECT what, count(*) AS n FROM app.job GROUP BY what;
CREATE UNIQUE INDEX totals_key ON app.totals (what);
CREATE FUNCTION app.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE FUNCTION app.one() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION app.code() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 7';
CREATE TABLE app.coded (id int, c int DEFAULT app.code());
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER REPLACEME_WATCH ON sql_drop WHEN TAG IN ('DROP CAST') EXECUTE FUNCTION app.watch();
CREATE PROCEDURE app.proc() LANGUAGE plpgsql AS 'BEGIN END';
CREATE TRIGGER job_stamp BEFORE INSERT ON app.job FOR EACH ROW EXECUTE FUNCTION app.stamp();
CREATE TRIGGER event_stamp BEFORE INSERT ON app.event FOR EACH ROW EXECUTE FUNCTION app.stamp();
CREATE RULE base_rule AS ON DELETE TO app.orphan DO INSTEAD NOTHING;
CREATE STATISTICS app.job_stats ON what, state FROM app.job;
CREATE PUBLICATION REPLACEME_PUB FOR TABLE app.job;
INSERT INTO app.org SELECT i, 'o' || i, 'c' || i FROM generate_series(1, 60) AS i;
INSERT INTO app.person (id, org_id, email, short, n, amount, mood, at, seen, proven)
    SELECT i, i, 'e' || i, 's', i, i, 'sad', now(), now(), 'p' FROM generate_series(1, 60) AS i;
INSERT INTO app.note (person_id, code, body) SELECT i, CASE WHEN i < 60 THEN 'c' || i END, 'b' || i FROM generate_series(1, 60) AS i;
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
INSERT INTO app.kinds (
    id, i2, i4, i8, f4, f8, n, n82, v, v10, c10, t, b4, vb8, ts, ts3, tz, d, ti, ti3, iv, iv3, ci, ne, j, jb, u, by,
    a4, av, m, dom, pos, fr, o, bo, indexed, keyed, checked
)
    SELECT i, i, i, i, i, i, i, i, i, i, i, i, '1010', '101', now(), now(), now(), now(), now(), now(), '1 h', '1 h',
        '10.0.0.0/8', '10.0.0.1', '1', '1', gen_random_uuid(), 'x', ARRAY[i], ARRAY[i::varchar(10)], 'sad', i::text, i,
        i, i, true, i, i, i
    FROM generate_series(1, 60) AS i;
INSERT INTO app.stay SELECT i, int4range(i, i), tstzrange(now() + i * interval '1 h', now() + i * interval '1 h' + interval '1 min') FROM generate_series(1, 60) AS i;
INSERT INTO app.parent SELECT i, 1 + i % 2, 'p' FROM generate_series(1, 60) AS i;
INSERT INTO app.parent_new SELECT i, 3, 'p' FROM generate_series(1, 60) AS i;
INSERT INTO app.kid SELECT i, 2 * i - 1, 2 FROM generate_series(1, 30) AS i;
INSERT INTO app.deep SELECT i, '2024-06-01', 1 + i % 2, 1 FROM generate_series(1, 60) AS i;
INSERT INTO app.proven_range SELECT i, '2026-06-01', 1, 1 FROM generate_series(1, 60) AS i;
INSERT INTO app.proven_list SELECT i, 3, 'v' FROM generate_series(1, 60) AS i;
INSERT INTO app.tree SELECT i, NULLIF(i - 1, 0), 'l' FROM generate_series(1, 60) AS i;
INSERT INTO app.fan SELECT i, 'c' || i, i FROM generate_series(1, 60) AS i;
INSERT INTO app.p1 SELECT i, i FROM generate_series(1, 60) AS i;
INSERT INTO app.p2 SELECT i, i FROM generate_series(1, 60) AS i;
INSERT INTO app.both SELECT i, i, i, i FROM generate_series(1, 60) AS i;
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
DROP DOMAIN app.tag CASCADE
ALTER DOMAIN app.positive ADD CONSTRAINT fresh CHECK (VALUE < 100000)
ALTER DOMAIN app.free ADD CONSTRAINT fresh CHECK (VALUE > 0)
ALTER DOMAIN app.free SET NOT NULL
ALTER DOMAIN app.free ADD CONSTRAINT fresh CHECK (VALUE > 0) NOT VALID
ALTER DOMAIN app.positive DROP CONSTRAINT positive_check
ALTER DOMAIN app.free DROP DEFAULT
DROP DOMAIN app.free CASCADE
ALTER TYPE app.mood ADD VALUE IF NOT EXISTS 'happy'
ALTER TYPE app.mood ADD VALUE 'first' BEFORE 'sad'
CREATE SCHEMA third CREATE TABLE fresh (id int PRIMARY KEY)
CREATE SCHEMA IF NOT EXISTS app
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
CREATE FOREIGN TABLE app.fresh (id int) SERVER REPLACEME_SERVER
ALTER FOREIGN TABLE app.far ADD COLUMN fresh int DEFAULT 1 NOT NULL
ALTER FOREIGN TABLE app.far ADD COLUMN fresh uuid DEFAULT gen_random_uuid()
ALTER FOREIGN TABLE app.far ADD CONSTRAINT fresh CHECK (id > 0)
ALTER FOREIGN TABLE app.far ALTER COLUMN id TYPE bigint
ALTER TABLE app.far ALTER COLUMN name SET NOT NULL
ALTER FOREIGN TABLE app.far RENAME TO distant
DROP FOREIGN TABLE app.far
DROP FOREIGN TABLE IF EXISTS app.far
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
ALTER TABLE app.person ADD COLUMN fresh app.small
ALTER TABLE app.person ADD COLUMN fresh app.free
ALTER TABLE app.person ADD COLUMN fresh app.tag DEFAULT 'x'
ALTER TABLE app.person ADD COLUMN fresh app.point
ALTER TABLE app.person ADD COLUMN fresh int DEFAULT app.one()
ALTER TABLE app.person ADD COLUMN fresh date DEFAULT CURRENT_DATE
ALTER TABLE app.person ADD COLUMN fresh text DEFAULT CURRENT_USER
ALTER TABLE app.person ADD COLUMN fresh jsonb DEFAULT '{}' NOT NULL
ALTER TABLE app.person ADD COLUMN fresh text DEFAULT NULL
ALTER TABLE app.person ADD COLUMN fresh text COLLATE "C"
ALTER TABLE app.person ADD COLUMN fresh smallserial
ALTER TABLE app.person ADD COLUMN fresh int DEFAULT 1 CHECK (fresh > 0)
ALTER TABLE app.person ADD COLUMN fresh bigint, ADD CONSTRAINT fresh_fkey FOREIGN KEY (fresh) REFERENCES app.org (id) NOT VALID
ALTER TABLE app.kid ADD COLUMN fresh int REFERENCES app.tree (id)
ALTER TABLE app.event ADD COLUMN fresh int DEFAULT 1 NOT NULL
ALTER TABLE app.event ADD COLUMN fresh bigint REFERENCES app.org (id)
ALTER TABLE app.p1 ADD COLUMN c int
ALTER TABLE app.p1 DROP COLUMN a
ALTER TABLE app.p1 DROP COLUMN b
ALTER TABLE ONLY app.p1 DROP COLUMN b
ALTER TABLE app.parent DROP COLUMN name
ALTER TABLE app.kid DROP COLUMN parent_id
ALTER TABLE app.tree DROP COLUMN up
ALTER TABLE app.kinds DROP COLUMN keyed
ALTER TABLE app.kinds DROP COLUMN t
ALTER TABLE app.kinds DROP COLUMN i2, DROP COLUMN i4 CASCADE
ALTER TABLE app.p1 RENAME COLUMN b TO bb
ALTER TABLE app.parent RENAME COLUMN name TO label
ALTER TABLE IF EXISTS app.nothing ADD COLUMN fresh text
ALTER TABLE IF EXISTS app.nothing RENAME COLUMN a TO b
ALTER TABLE app.parent ALTER COLUMN name SET NOT NULL
ALTER TABLE app.parent ALTER COLUMN name SET DEFAULT 'x'
ALTER TABLE app.parent ALTER COLUMN name DROP DEFAULT
ALTER TABLE app.p1 ALTER COLUMN b SET NOT NULL
ALTER TABLE app.kinds ALTER COLUMN id SET DEFAULT 1, ALTER COLUMN t SET NOT NULL
ALTER TABLE app.kinds ALTER COLUMN t RESET (n_distinct)
ALTER TABLE app.kinds ALTER COLUMN jb SET STORAGE MAIN
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
ALTER TABLE app.kinds ALTER COLUMN i2 TYPE int
ALTER TABLE app.kinds ALTER COLUMN i2 TYPE bigint
ALTER TABLE app.kinds ALTER COLUMN i4 TYPE bigint
ALTER TABLE app.kinds ALTER COLUMN i4 TYPE smallint
ALTER TABLE app.kinds ALTER COLUMN i4 TYPE numeric
ALTER TABLE app.kinds ALTER COLUMN i4 TYPE text
ALTER TABLE app.kinds ALTER COLUMN i4 TYPE oid
ALTER TABLE app.kinds ALTER COLUMN i4 TYPE boolean USING i4 > 0
ALTER TABLE app.kinds ALTER COLUMN i8 TYPE int
ALTER TABLE app.kinds ALTER COLUMN i8 TYPE numeric(20)
ALTER TABLE app.kinds ALTER COLUMN f4 TYPE double precision
ALTER TABLE app.kinds ALTER COLUMN f8 TYPE real
ALTER TABLE app.kinds ALTER COLUMN n TYPE numeric(10,2)
ALTER TABLE app.kinds ALTER COLUMN n82 TYPE numeric
ALTER TABLE app.kinds ALTER COLUMN n82 TYPE numeric(8,3)
ALTER TABLE app.kinds ALTER COLUMN n82 TYPE numeric(6,2)
ALTER TABLE app.kinds ALTER COLUMN n82 TYPE int
ALTER TABLE app.kinds ALTER COLUMN v TYPE text
ALTER TABLE app.kinds ALTER COLUMN v TYPE varchar(50)
ALTER TABLE app.kinds ALTER COLUMN v10 TYPE varchar
ALTER TABLE app.kinds ALTER COLUMN v10 TYPE varchar(11)
ALTER TABLE app.kinds ALTER COLUMN v10 TYPE varchar(9)
ALTER TABLE app.kinds ALTER COLUMN v10 TYPE text
ALTER TABLE app.kinds ALTER COLUMN v10 TYPE char(10)
ALTER TABLE app.kinds ALTER COLUMN v10 TYPE varchar(20) USING v10::varchar(20)
ALTER TABLE app.kinds ALTER COLUMN v10 TYPE text USING v10
ALTER TABLE app.kinds ALTER COLUMN v10 TYPE text USING lower(v10)
ALTER TABLE app.kinds ALTER COLUMN c10 TYPE char(20)
ALTER TABLE app.kinds ALTER COLUMN c10 TYPE varchar(10)
ALTER TABLE app.kinds ALTER COLUMN c10 TYPE text
ALTER TABLE app.kinds ALTER COLUMN t TYPE varchar
ALTER TABLE app.kinds ALTER COLUMN t TYPE varchar(100)
ALTER TABLE app.kinds ALTER COLUMN t TYPE int USING t::int
ALTER TABLE app.kinds ALTER COLUMN t TYPE jsonb USING to_jsonb(t)
ALTER TABLE app.kinds ALTER COLUMN t TYPE text COLLATE "C"
ALTER TABLE app.kinds ALTER COLUMN t TYPE bytea USING t::bytea
ALTER TABLE app.kinds ALTER COLUMN b4 TYPE bit varying
ALTER TABLE app.kinds ALTER COLUMN b4 TYPE bit(8) USING b4::bit(8)
ALTER TABLE app.kinds ALTER COLUMN vb8 TYPE varbit(16)
ALTER TABLE app.kinds ALTER COLUMN vb8 TYPE varbit
ALTER TABLE app.kinds ALTER COLUMN vb8 TYPE varbit(4)
ALTER TABLE app.kinds ALTER COLUMN ts TYPE timestamp(3)
ALTER TABLE app.kinds ALTER COLUMN ts TYPE date
ALTER TABLE app.kinds ALTER COLUMN ts TYPE timestamptz
ALTER TABLE app.kinds ALTER COLUMN ts TYPE timestamptz(3)
ALTER TABLE app.kinds ALTER COLUMN ts TYPE timestamptz USING ts AT TIME ZONE 'Europe/Berlin'
ALTER TABLE app.kinds ALTER COLUMN ts3 TYPE timestamp
ALTER TABLE app.kinds ALTER COLUMN ts3 TYPE timestamp(6)
ALTER TABLE app.kinds ALTER COLUMN ts3 TYPE timestamp(0)
ALTER TABLE app.kinds ALTER COLUMN tz TYPE timestamp
ALTER TABLE app.kinds ALTER COLUMN tz TYPE timestamptz(6)
ALTER TABLE app.kinds ALTER COLUMN tz TYPE date
ALTER TABLE app.kinds ALTER COLUMN d TYPE timestamp
ALTER TABLE app.kinds ALTER COLUMN d TYPE timestamptz
ALTER TABLE app.kinds ALTER COLUMN ti TYPE time(0)
ALTER TABLE app.kinds ALTER COLUMN ti3 TYPE time(6)
ALTER TABLE app.kinds ALTER COLUMN iv TYPE interval(2)
ALTER TABLE app.kinds ALTER COLUMN iv3 TYPE interval(6)
ALTER TABLE app.kinds ALTER COLUMN iv3 TYPE interval
ALTER TABLE app.kinds ALTER COLUMN ci TYPE inet
ALTER TABLE app.kinds ALTER COLUMN ne TYPE cidr
ALTER TABLE app.kinds ALTER COLUMN j TYPE jsonb
ALTER TABLE app.kinds ALTER COLUMN jb TYPE json
ALTER TABLE app.kinds ALTER COLUMN jb TYPE text
ALTER TABLE app.kinds ALTER COLUMN u TYPE text
ALTER TABLE app.kinds ALTER COLUMN a4 TYPE bigint[]
ALTER TABLE app.kinds ALTER COLUMN a4 TYPE int[]
ALTER TABLE app.kinds ALTER COLUMN av TYPE varchar(20)[]
ALTER TABLE app.kinds ALTER COLUMN av TYPE text[]
ALTER TABLE app.kinds ALTER COLUMN m TYPE text
ALTER TABLE app.kinds ALTER COLUMN m TYPE varchar(10)
ALTER TABLE app.kinds ALTER COLUMN dom TYPE text
ALTER TABLE app.kinds ALTER COLUMN pos TYPE int
ALTER TABLE app.kinds ALTER COLUMN fr TYPE int
ALTER TABLE app.kinds ALTER COLUMN fr TYPE bigint
ALTER TABLE app.kinds ALTER COLUMN i4 TYPE app.free
ALTER TABLE app.kinds ALTER COLUMN i4 TYPE app.positive
ALTER TABLE app.kinds ALTER COLUMN t TYPE app.tag
ALTER TABLE app.kinds ALTER COLUMN o TYPE int
ALTER TABLE app.kinds ALTER COLUMN bo TYPE int USING bo::int
ALTER TABLE app.kinds ALTER COLUMN indexed TYPE varchar(20)
ALTER TABLE app.kinds ALTER COLUMN indexed TYPE text
ALTER TABLE app.kinds ALTER COLUMN indexed TYPE char(20)
ALTER TABLE app.kinds ALTER COLUMN keyed TYPE varchar(20)
ALTER TABLE app.kinds ALTER COLUMN keyed TYPE text
ALTER TABLE app.kinds ALTER COLUMN checked TYPE varchar(20)
ALTER TABLE app.kinds ALTER COLUMN checked TYPE text
ALTER TABLE app.kinds ALTER COLUMN id TYPE bigint
ALTER TABLE app.kinds ALTER COLUMN i4 TYPE bigint, ALTER COLUMN i2 TYPE int
ALTER TABLE app.parent ALTER COLUMN name TYPE varchar
ALTER TABLE app.parent ALTER COLUMN id TYPE bigint
ALTER TABLE app.kid ALTER COLUMN parent_id TYPE bigint
ALTER TABLE app.tree ALTER COLUMN id TYPE bigint
ALTER TABLE app.p1 ALTER COLUMN b TYPE bigint
ALTER TABLE app.fan ALTER COLUMN code TYPE text
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
ALTER TABLE app.kid ADD CONSTRAINT fresh FOREIGN KEY (parent_id, k) REFERENCES app.parent
ALTER TABLE app.kid ADD CONSTRAINT fresh FOREIGN KEY (parent_id, k) REFERENCES app.parent NOT VALID
ALTER TABLE app.kid ADD CONSTRAINT fresh FOREIGN KEY (id) REFERENCES app.kinds (id) ON DELETE CASCADE
ALTER TABLE app.kid DROP CONSTRAINT kid_parent_fkey
ALTER TABLE app.kid ALTER CONSTRAINT kid_parent_fkey DEFERRABLE INITIALLY DEFERRED
ALTER TABLE app.kid RENAME CONSTRAINT kid_parent_fkey TO kid_fkey
ALTER TABLE app.parent DROP CONSTRAINT parent_pkey CASCADE
ALTER TABLE app.parent ADD CONSTRAINT fresh CHECK (name <> '')
ALTER TABLE app.parent ADD CONSTRAINT fresh CHECK (name <> '') NOT VALID
ALTER TABLE app.parent ADD CONSTRAINT fresh UNIQUE (k, id)
ALTER TABLE app.parent ADD CONSTRAINT fresh FOREIGN KEY (id) REFERENCES app.kinds (id)
ALTER TABLE app.tree ADD CONSTRAINT fresh FOREIGN KEY (id) REFERENCES app.tree (id)
ALTER TABLE app.tree DROP CONSTRAINT tree_up_fkey
ALTER TABLE app.tree DROP CONSTRAINT tree_pkey CASCADE
ALTER TABLE app.fan DROP CONSTRAINT fan_code_fkey
ALTER TABLE app.stay DROP CONSTRAINT stay_during_excl
ALTER TABLE app.stay ADD CONSTRAINT fresh EXCLUDE USING gist (during WITH &&)
ALTER TABLE app.p1 ADD CONSTRAINT fresh CHECK (a > 0)
ALTER TABLE app.p1 ADD CONSTRAINT fresh CHECK (a > 0) NO INHERIT
ALTER TABLE app.kinds ADD CONSTRAINT fresh UNIQUE (id, i4) INCLUDE (t)
ALTER TABLE app.kinds ADD CONSTRAINT fresh UNIQUE NULLS NOT DISTINCT (i8)
ALTER TABLE app.kinds ADD CONSTRAINT fresh UNIQUE (i8) DEFERRABLE
ALTER TABLE app.kinds ADD CHECK (i4 > 0), ADD CHECK (i8 > 0) NOT VALID
ALTER TABLE app.kinds DROP CONSTRAINT kinds_pkey
ALTER TABLE app.kinds DROP CONSTRAINT kinds_checked_check, DROP CONSTRAINT kinds_keyed_key
ALTER TABLE ONLY app.base DROP CONSTRAINT base_id
ALTER TABLE ONLY app.event ADD CONSTRAINT fresh UNIQUE (id, day)
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
CREATE INDEX fresh ON app.parent (name)
CREATE INDEX fresh ON app.deep (org_id)
CREATE INDEX fresh ON app.deep_1 (org_id)
CREATE UNIQUE INDEX fresh ON app.parent (k, id)
CREATE INDEX fresh ON app.kinds USING hash (t)
CREATE INDEX fresh ON app.kinds USING brin (i8)
CREATE INDEX fresh ON app.kinds USING gin (jb)
CREATE INDEX fresh ON app.stay USING gist (during)
CREATE INDEX fresh ON app.kinds (lower(t)) WHERE i4 IS NOT NULL
CREATE INDEX fresh ON app.kinds (i4 DESC NULLS LAST) INCLUDE (t)
DROP INDEX app.kinds_indexed_idx, app.tree_up_idx
DROP INDEX app.person_email_key
ALTER INDEX app.event_what_idx RENAME TO event_kind_idx
ALTER INDEX app.person_at_idx RESET (fillfactor)
ALTER INDEX IF EXISTS app.nothing RENAME TO something
ALTER TABLE app.kinds CLUSTER ON kinds_pkey
REINDEX TABLE app.tree
REINDEX INDEX app.kinds_pkey
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
CREATE TABLE app.fresh PARTITION OF app.parent FOR VALUES IN (3)
CREATE TABLE app.fresh PARTITION OF app.deep FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
CREATE TABLE app.fresh PARTITION OF app.deep_1 FOR VALUES IN (3)
CREATE TABLE app.fresh PARTITION OF app.deep DEFAULT
CREATE TABLE app.fresh () INHERITS (app.p1, app.p2)
ALTER TABLE app.parent ATTACH PARTITION app.parent_new FOR VALUES IN (3)
ALTER TABLE app.parent DETACH PARTITION app.parent_1
ALTER TABLE app.deep ATTACH PARTITION app.proven_range FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
ALTER TABLE app.deep ATTACH PARTITION app.proven_range FOR VALUES FROM ('2025-06-01') TO ('2027-01-01')
ALTER TABLE app.metric ATTACH PARTITION app.proven_list FOR VALUES IN (3, 4, 5)
ALTER TABLE app.metric ATTACH PARTITION app.proven_list FOR VALUES IN (3)
ALTER TABLE app.deep DETACH PARTITION app.deep_1
ALTER TABLE app.deep_1 DETACH PARTITION app.deep_1_a
DROP TABLE app.parent_1 CASCADE
DROP TABLE app.deep_1
DROP TABLE app.deep_1_b
DROP TABLE app.parent CASCADE
TRUNCATE app.parent CASCADE
TRUNCATE app.parent_1 CASCADE
TRUNCATE app.deep
TRUNCATE app.deep_1
ALTER TABLE app.deep ADD COLUMN fresh text
ALTER TABLE app.deep_1 ADD CONSTRAINT fresh CHECK (org_id > 0)
ALTER TABLE app.deep SET SCHEMA other
ALTER TABLE app.deep RENAME TO depth
ALTER TABLE app.deep OWNER TO CURRENT_USER
ALTER TABLE app.deep_1_a SET (fillfactor=70)
ALTER TABLE app.deep REPLICA IDENTITY FULL
ALTER TABLE app.deep ENABLE ROW LEVEL SECURITY
ALTER TABLE app.event_1 DISABLE TRIGGER event_stamp
ALTER TABLE app.both NO INHERIT app.p2
DROP TABLE app.p1 CASCADE
DROP TABLE app.both
DROP TABLE app.ruled_log CASCADE
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
CREATE VIEW app.fresh AS SELECT id FROM app.tree WHERE id = 1
CREATE RECURSIVE VIEW fresh (id) AS SELECT 1 UNION SELECT t.id FROM app.tree AS t JOIN fresh ON fresh.id = t.up
CREATE OR REPLACE VIEW app.people AS SELECT p.id, p.email, o.name, p.n FROM app.person p JOIN app.org o ON o.id = p.org_id
CREATE MATERIALIZED VIEW IF NOT EXISTS app.totals AS SELECT what FROM app.job
CREATE MATERIALIZED VIEW app.fresh AS SELECT * FROM app.people
CREATE UNIQUE INDEX fresh ON app.totals (what, n)
ALTER VIEW app.simple SET (security_invoker=true)
ALTER VIEW app.simple ALTER COLUMN id DROP DEFAULT
DROP VIEW IF EXISTS app.nothing
DROP VIEW app.names, app.simple
DROP MATERIALIZED VIEW IF EXISTS app.totals
COMMENT ON COLUMN app.totals.n IS 'how many'
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
CREATE TRIGGER fresh AFTER UPDATE OF label ON app.tree FOR EACH ROW WHEN (old.label <> new.label) EXECUTE FUNCTION app.stamp()
CREATE TRIGGER fresh AFTER TRUNCATE ON app.tree FOR EACH STATEMENT EXECUTE FUNCTION app.stamp()
CREATE TRIGGER fresh INSTEAD OF INSERT ON app.people FOR EACH ROW EXECUTE FUNCTION app.stamp()
CREATE CONSTRAINT TRIGGER fresh AFTER INSERT ON app.tree DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION app.stamp()
CREATE TRIGGER fresh AFTER INSERT ON app.deep FOR EACH ROW EXECUTE FUNCTION app.stamp()
DROP TRIGGER IF EXISTS nothing ON app.job
DROP RULE IF EXISTS nothing ON app.job
DROP POLICY IF EXISTS nothing ON app.person
CREATE POLICY fresh ON app.tree AS RESTRICTIVE FOR INSERT WITH CHECK (id > 0)
CREATE EVENT TRIGGER REPLACEME_EVENT ON ddl_command_start EXECUTE FUNCTION app.watch()
ALTER EVENT TRIGGER REPLACEME_WATCH DISABLE
ALTER EVENT TRIGGER REPLACEME_WATCH ENABLE ALWAYS
DROP EVENT TRIGGER REPLACEME_WATCH
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
CREATE SEQUENCE IF NOT EXISTS app.loose
ALTER SEQUENCE IF EXISTS app.nothing RESTART
ALTER SEQUENCE app.loose AS bigint
ALTER SEQUENCE app.loose SET LOGGED
ALTER SEQUENCE app.job_id_seq RESTART WITH 1000
CREATE STATISTICS app.fresh (ndistinct) ON i4, i8 FROM app.kinds
CREATE PUBLICATION REPLACEME_PUB2 FOR TABLE app.deep
CREATE PUBLICATION REPLACEME_PUB2 FOR TABLE app.tree WHERE (id > 10)
CREATE PUBLICATION REPLACEME_PUB2 FOR TABLE ONLY app.base, app.tree
CREATE SUBSCRIPTION REPLACEME_SUB CONNECTION 'dbname=nothing' PUBLICATION fresh WITH (connect = false)
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
CREATE FUNCTION app.fresh(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT label FROM app.tree WHERE id = $1'
CREATE FUNCTION app.fresh() RETURNS SETOF app.tree LANGUAGE sql AS 'SELECT * FROM app.tree'
CREATE FUNCTION app.fresh() RETURNS void LANGUAGE sql AS 'DELETE FROM app.tree WHERE id = 1'
CREATE FUNCTION app.fresh() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM app.people; END
CREATE FUNCTION app.fresh() RETURNS void LANGUAGE sql BEGIN ATOMIC INSERT INTO app.simple VALUES (1, 'x'); END
DROP FUNCTION IF EXISTS app.nothing()
CREATE TYPE app.fresh
GRANT SELECT ON app.simple TO PUBLIC
GRANT INSERT, UPDATE ON app.tree, app.kid TO PUBLIC
REVOKE USAGE ON SCHEMA app FROM PUBLIC
GRANT ALL ON ALL SEQUENCES IN SCHEMA app TO PUBLIC
COMMENT ON CONSTRAINT kid_parent_fkey ON app.kid IS 'key'
COMMENT ON COLUMN app.parent.name IS 'name'
COMMENT ON TABLE app.deep IS NULL
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
SELECT * FROM app.tree WHERE id = 5
SELECT * FROM app.tree WHERE label = 'l'
SELECT * FROM app.tree WHERE up IN (1, 2, 3)
SELECT * FROM app.tree WHERE id BETWEEN 1 AND 5 OR up = 7
SELECT * FROM app.tree LIMIT 3
SELECT * FROM app.tree AS t JOIN app.kid AS k ON k.id = t.id WHERE t.id = 1
SELECT * FROM app.tree AS t JOIN app.kid AS k ON k.id = t.id
SELECT * FROM app.tree AS t JOIN app.kid AS k ON k.id = t.id FOR UPDATE OF t
SELECT * FROM app.tree WHERE EXISTS (SELECT 1 FROM app.kid WHERE kid.id = tree.id)
SELECT id FROM app.tree UNION ALL SELECT id FROM app.kid
SELECT * FROM app.deep WHERE id = 1 FOR UPDATE
SELECT * FROM app.parent FOR NO KEY UPDATE
SELECT * FROM app.people FOR SHARE
SELECT * FROM pg_class
SELECT relname FROM pg_catalog.pg_class WHERE oid = 1
SELECT table_name FROM information_schema.tables
TABLE app.tree
VALUES (1), (2)
INSERT INTO app.tree VALUES (100, 1, 'x')
INSERT INTO app.tree (id) VALUES (100)
INSERT INTO app.kid VALUES (100, 1, 2)
INSERT INTO app.fan (id, code) VALUES (100, 'c1')
INSERT INTO app.fan (id) SELECT id + 100 FROM app.tree
INSERT INTO app.base VALUES (100, 'x')
INSERT INTO app.tree VALUES (1, 1, 'x') ON CONFLICT DO NOTHING
INSERT INTO app.tree VALUES (1, NULL, 'x') ON CONFLICT (id) DO UPDATE SET label = 'y'
INSERT INTO app.simple VALUES (200, 'z')
INSERT INTO app.tree SELECT 100, 1, 'x' WHERE NOT EXISTS (SELECT 1 FROM app.tree WHERE id = 100)
UPDATE app.tree SET label = 'x'
UPDATE app.tree SET label = 'x' WHERE id = 1
UPDATE app.tree SET label = 'x' WHERE label IS NULL
UPDATE app.tree SET label = 'x' WHERE label = 'l' AND id < 10
UPDATE app.tree SET label = 'x' WHERE id IN (SELECT id FROM app.tree WHERE label = 'l' ORDER BY id LIMIT 5)
UPDATE app.tree SET up = 1 WHERE id = 5
UPDATE app.tree SET id = id + 1000 WHERE id = 60
UPDATE app.kid SET parent_id = 3 WHERE id = 1
UPDATE app.org SET code = 'z' || code WHERE id = 60
UPDATE app.org SET name = 'z'
UPDATE app.deep SET org_id = 2 WHERE id = 1
UPDATE app.both SET own = 1
UPDATE app.p1 SET b = 1
UPDATE ONLY app.p1 SET b = 1
UPDATE app.kinds AS k SET t = o.name FROM app.org AS o WHERE o.id = k.id AND k.id < 10
DELETE FROM app.tree WHERE id = 60
DELETE FROM app.kid
DELETE FROM app.kid WHERE parent_id = 3
DELETE FROM app.deep WHERE d < '2024-01-02'
DELETE FROM app.p1 WHERE a = 1
DELETE FROM ONLY app.p1
DELETE FROM app.fan WHERE code IS NULL
DELETE FROM app.fan USING app.tree WHERE tree.id = fan.id
DELETE FROM app.simple WHERE id = 3
DELETE FROM ONLY app.simple WHERE id = 3
INSERT INTO app.ruled VALUES (1)
UPDATE app.ruled SET id = 2
WITH moved AS (DELETE FROM app.fan WHERE id = 1 RETURNING *) INSERT INTO app.tree (id) SELECT id + 200 FROM moved
WITH few AS (SELECT id FROM app.tree WHERE id < 5) UPDATE app.fan SET n = 1 FROM few WHERE few.id = fan.id
MERGE INTO app.tree AS t USING app.fan AS f ON f.id = t.id WHEN MATCHED THEN UPDATE SET label = 'm'
MERGE INTO app.tree AS t USING app.org AS o ON o.id = t.id WHEN NOT MATCHED THEN INSERT (id, label) VALUES (o.id, o.name)
MERGE INTO app.tree AS t USING (VALUES (1, 'x')) AS v (id, l) ON v.id = t.id WHEN MATCHED THEN UPDATE SET label = v.l
CREATE TABLE app.fresh AS SELECT * FROM app.tree WHERE id = 1
CREATE TEMPORARY TABLE fresh AS SELECT * FROM app.tree
SELECT * INTO TEMPORARY fresh FROM app.deep
EXPLAIN ANALYZE SELECT * FROM app.tree
EXPLAIN DELETE FROM app.tree
COPY app.kid FROM PROGRAM 'echo 100,3,2' (FORMAT csv)
COPY app.deep_1_a TO '/dev/null'
COPY app.deep FROM '/dev/null'
LOCK TABLE app.deep IN SHARE MODE
LOCK TABLE app.names IN ACCESS SHARE MODE
ANALYZE app.base
ANALYZE app.deep
ANALYZE app.kinds (t, i4)
CLUSTER app.kinds USING kinds_pkey
TRUNCATE app.tree
TRUNCATE app.fan, app.kid
TRUNCATE app.p1 RESTART IDENTITY CASCADE
DISCARD PLANS
RESET search_path
LISTEN fresh
UNLISTEN *
""",
}

_SINCE = {
    17: """
ALTER TABLE app.person ALTER COLUMN doubled SET EXPRESSION AS (n * 3)
ALTER TABLE app.person ALTER COLUMN email SET STATISTICS DEFAULT
MERGE INTO app.alone AS a USING app.org AS o ON o.id = a.id WHEN NOT MATCHED BY SOURCE THEN DELETE
""",
    18: """
ALTER TABLE app.person ADD COLUMN fresh text GENERATED ALWAYS AS (lower(email)) VIRTUAL NOT NULL
ALTER TABLE app.stay ADD CONSTRAINT fresh UNIQUE (room, during WITHOUT OVERLAPS)
ALTER TABLE app.parent ADD CONSTRAINT fresh NOT NULL name
ALTER TABLE app.parent ADD CONSTRAINT fresh NOT NULL name NOT VALID
ALTER TABLE app.base ADD CONSTRAINT fresh NOT NULL name NO INHERIT
ALTER TABLE app.tree ADD CONSTRAINT fresh CHECK (id > 0) NOT ENFORCED
ALTER TABLE app.kid ADD CONSTRAINT fresh FOREIGN KEY (parent_id, k) REFERENCES app.parent NOT ENFORCED
ALTER TABLE app.parent ADD CONSTRAINT fresh FOREIGN KEY (id) REFERENCES app.kinds (id) NOT VALID
ANALYZE ONLY app.base
ANALYZE ONLY app.deep
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
