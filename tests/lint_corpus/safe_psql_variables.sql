\set table users
\set ON_ERROR_STOP 1
\if :{?dry_run}
\echo nothing to do
\else
SELECT count(*) FROM :table WHERE id < :limit;
SELECT :'name' AS name, :"column" FROM users WHERE id = 1;
\endif
