\i tables.sql
\ir views/all.sql
\c shop
SELECT version();
\q
