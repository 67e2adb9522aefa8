BEGIN;
DROP FUNCTION IF EXISTS app.rate(numeric);
CREATE FUNCTION app.rate(amount numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT amount * 0.19';
COMMIT;
