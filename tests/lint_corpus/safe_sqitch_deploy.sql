-- Deploy shop:orders to pg
-- requires: appschema

BEGIN;

SET client_min_messages = 'warning';

CREATE TABLE shop.orders (
    order_id   BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    placed_at  TIMESTAMPTZ NOT NULL DEFAULT NOW()
);

COMMIT;
