EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM orders WHERE id = 5;
SELECT relname, n_dead_tup FROM pg_stat_user_tables ORDER BY 2 DESC LIMIT 10;
WITH recent AS (SELECT id FROM orders WHERE placed_at > now() - interval '1 day') SELECT count(*) FROM recent;
TABLE settings;
SHOW server_version;
