BEGIN;
SET LOCAL lock_timeout = '2s';
DROP VIEW IF EXISTS app.open_orders;
CREATE VIEW app.open_orders AS SELECT id, placed_at FROM app.orders WHERE closed_at IS NULL;
GRANT SELECT ON app.open_orders TO reporting;
COMMIT;
