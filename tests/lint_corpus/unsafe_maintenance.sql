-- expect: cluster refresh-without-concurrently reindex-without-concurrently vacuum-full
SET lock_timeout = '2s';
SET statement_timeout = '30s';
VACUUM FULL a;
CLUSTER b USING i;
REINDEX TABLE c;
REFRESH MATERIALIZED VIEW d;
