SET lock_timeout = '2s';
SET statement_timeout = '30s';
SET statement_timeout = '2h';
CREATE INDEX CONCURRENTLY users_email_idx ON users (email);
