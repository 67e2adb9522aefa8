SET lock_timeout = '2s';
SET statement_timeout = 0;
REINDEX INDEX CONCURRENTLY app.orders_created_idx;
REINDEX (CONCURRENTLY) TABLE app.orders;
