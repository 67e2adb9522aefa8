-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX CONCURRENTLY items_kind_idx ON items (kind);
-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS items_kind_idx;
