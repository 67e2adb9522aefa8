BEGIN;
SET LOCAL lock_timeout = '1s';
ALTER TABLE app.customer ADD COLUMN region text;
ALTER TABLE app.supplier ADD COLUMN region text;
COMMIT;
