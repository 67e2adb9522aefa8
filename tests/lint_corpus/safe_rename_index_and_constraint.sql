SET lock_timeout = '2s';
ALTER INDEX orders_idx RENAME TO orders_placed_idx;
ALTER TABLE orders RENAME CONSTRAINT orders_chk TO orders_total_positive;
