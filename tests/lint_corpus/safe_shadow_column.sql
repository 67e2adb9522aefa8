SET lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN id_new bigint;
CREATE FUNCTION orders_sync() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.id_new := NEW.id; RETURN NEW; END $$;
CREATE TRIGGER orders_sync BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_sync();
UPDATE orders SET id_new = id WHERE id BETWEEN 1 AND 10000;
CREATE UNIQUE INDEX CONCURRENTLY orders_id_new ON orders (id_new);
