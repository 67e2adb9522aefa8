-- expect: changing-column-type
SET lock_timeout = '2s';
SET statement_timeout = '30s';
ALTER TABLE users ALTER COLUMN id TYPE bigint;
