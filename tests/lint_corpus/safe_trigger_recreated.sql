BEGIN;
SET LOCAL lock_timeout = '2s';
DROP TRIGGER IF EXISTS orders_touch ON app.orders;
CREATE TRIGGER orders_touch BEFORE UPDATE ON app.orders FOR EACH ROW EXECUTE FUNCTION app.touch();
COMMIT;
