SET lock_timeout = '2s';
SET statement_timeout = '30s';
BEGIN;
ALTER TABLE users ADD COLUMN a text;
COMMIT;
BEGIN;
UPDATE users SET a = 'x' WHERE id BETWEEN 1 AND 1000;
COMMIT;
