BEGIN;
ALTER TABLE "orders" ADD "city_id" bigint;
INSERT INTO "schema_migrations" ("version") VALUES ('20240301120000') RETURNING "version";
COMMIT;
CREATE INDEX CONCURRENTLY "index_orders_on_city_id" ON "orders" ("city_id");
BEGIN;
ALTER TABLE "orders" ADD CONSTRAINT "fk_rails_city" FOREIGN KEY ("city_id") REFERENCES "cities" ("id") NOT VALID;
COMMIT;
ALTER TABLE "orders" VALIDATE CONSTRAINT "fk_rails_city";
