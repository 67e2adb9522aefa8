SELECT format('ANALYZE %I.%I', schemaname, relname) FROM pg_stat_user_tables \gexec
SELECT 1 AS one \gset
\echo :one
\d users
\copy users (id, name) FROM 'users.csv' CSV HEADER
