BEGIN;
SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '10s';
ALTER TABLE invoices ADD COLUMN IF NOT EXISTS due_on date;
COMMIT;
