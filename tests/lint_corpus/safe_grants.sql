SET lock_timeout = '2s';
SET statement_timeout = '30s';
GRANT SELECT, INSERT ON users TO app;
