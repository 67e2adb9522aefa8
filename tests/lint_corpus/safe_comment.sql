SET lock_timeout = '2s';
SET statement_timeout = '30s';
COMMENT ON TABLE users IS 'people; with an account';
