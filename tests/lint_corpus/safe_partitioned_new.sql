CREATE TABLE measurement (id bigint, at timestamptz NOT NULL, value float8, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE measurement_2026 PARTITION OF measurement FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE measurement_rest PARTITION OF measurement DEFAULT;
CREATE INDEX measurement_at ON measurement USING brin (at);
INSERT INTO measurement VALUES (1, '2026-02-03', 0.5);
