-- expect: disabling-row-security grant-all grant-to-public security-definer-without-search-path
SET lock_timeout = '2s';
SET statement_timeout = '30s';
CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
GRANT ALL ON a TO PUBLIC;
ALTER TABLE a DISABLE ROW LEVEL SECURITY;
