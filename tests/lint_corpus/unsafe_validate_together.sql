-- expect: long-statement-under-lock several-alters-of-one-table validating-in-same-transaction
SET lock_timeout = '2s';
SET statement_timeout = '30s';
BEGIN;
ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID;
ALTER TABLE a VALIDATE CONSTRAINT c;
COMMIT;
