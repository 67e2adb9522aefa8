SET lock_timeout = '2s';
SET statement_timeout = '30s';
ALTER TABLE users SET (autovacuum_vacuum_scale_factor = 0.02);
