-- expect: enum-value-used-in-transaction enum-value-without-place
SET lock_timeout = '2s';
SET statement_timeout = '30s';
BEGIN;
ALTER TYPE mood ADD VALUE 'x';
INSERT INTO a (m) VALUES ('x');
COMMIT;
