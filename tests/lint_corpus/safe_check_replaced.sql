SET lock_timeout = '2s';
ALTER TABLE orders DROP CONSTRAINT orders_state_check, ADD CONSTRAINT orders_state_check CHECK (state IN ('a', 'b', 'c')) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT orders_state_check;
