-- expect: ban-concurrent-index-creation-in-transaction concurrent-index-if-not-exists
SET lock_timeout = '2s';
SET statement_timeout = '30s';
BEGIN;
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_a ON users (a);
COMMIT;
