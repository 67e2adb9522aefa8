-- Verify shop:orders on pg
BEGIN;
SELECT order_id, placed_at FROM shop.orders WHERE FALSE;
SELECT 1/COUNT(*) FROM information_schema.schemata WHERE schema_name = 'shop';
ROLLBACK;
