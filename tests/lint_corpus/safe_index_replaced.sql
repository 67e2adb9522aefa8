SET lock_timeout = '2s';
CREATE INDEX CONCURRENTLY orders_placed_new ON orders (placed_at) INCLUDE (total);
DROP INDEX CONCURRENTLY orders_placed;
ALTER INDEX orders_placed_new RENAME TO orders_placed;
