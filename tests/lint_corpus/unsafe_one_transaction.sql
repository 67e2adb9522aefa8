-- expect: adding-not-nullable-field ddl-and-backfill-in-one-transaction long-statement-under-lock several-alters-of-one-table update-without-where
SET lock_timeout = '2s';
SET statement_timeout = '30s';
BEGIN;
ALTER TABLE users ADD COLUMN a text;
UPDATE users SET a = b;
ALTER TABLE users ALTER COLUMN a SET NOT NULL;
COMMIT;
