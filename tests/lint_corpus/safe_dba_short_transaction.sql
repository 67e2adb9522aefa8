\set ON_ERROR_STOP on
\timing on
BEGIN;
SET LOCAL lock_timeout = '1500ms';
SET LOCAL statement_timeout = '5s';
ALTER TABLE app.customer
  ADD COLUMN vat_id text,
  ADD COLUMN vat_checked_at timestamptz;
COMMENT ON COLUMN app.customer.vat_id IS 'as the tax office spells it';
COMMIT;
\echo done
