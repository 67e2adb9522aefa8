SET lock_timeout TO '2s';
ALTER TABLE app.hot SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE app.hot ALTER COLUMN kind SET STATISTICS 1000;
ANALYZE (VERBOSE) app.hot;
VACUUM (ANALYZE) app.hot;
