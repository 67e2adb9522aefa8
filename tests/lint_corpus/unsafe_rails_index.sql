-- expect: require-concurrent-index-creation
SET lock_timeout = '2s';
SET statement_timeout = '30s';
BEGIN;
CREATE INDEX users_a ON users (a);
COMMIT;
