-- What a server is doing at this moment, and what it has done before: one row with one JSON document, one round trip.
-- Reads shared memory (pg_locks, pg_stat_*) and catalogs; it waits for nobody and takes no lock but ACCESS SHARE on
-- catalogs. What the role may not see is NULL, and counted.
WITH here AS (
    SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
), held AS MATERIALIZED (
    SELECT * FROM pg_catalog.pg_locks
), on_tables AS (
    SELECT l.pid, l.virtualtransaction, n.nspname || '.' || c.relname AS relation, l.mode, l.granted
      FROM held l
      JOIN here ON here.oid = l.database
      JOIN pg_catalog.pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p', 'm', 'v', 'f')
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'wesley')
     WHERE l.locktype = 'relation' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
       AND l.mode <> 'SIReadLock' -- of serializable transactions: it blocks nobody
     LIMIT 50000
), sessions AS (
    SELECT a.pid, coalesce(a.backend_type, '') AS backend, a.usename, a.application_name, a.state,
           left(a.query, 200) AS query, EXTRACT(epoch FROM clock_timestamp() - a.xact_start)::float8 AS age_s,
           a.backend_xmin IS NOT NULL AS snapshot
      FROM pg_catalog.pg_stat_activity a
      JOIN here ON here.oid = a.datid
     WHERE a.pid <> pg_catalog.pg_backend_pid()
       AND (a.xact_start IS NOT NULL OR a.backend_xmin IS NOT NULL OR a.pid IN (SELECT pid FROM on_tables))
), prepared AS (
    SELECT p.gid, p.owner, l.virtualtransaction,
           EXTRACT(epoch FROM clock_timestamp() - p.prepared)::float8 AS age_s
      FROM pg_catalog.pg_prepared_xacts p
      JOIN held l ON l.locktype = 'transactionid' AND l.pid IS NULL AND l.transactionid = p.transaction
     WHERE p.database = pg_catalog.current_database()
), rails AS (
    SELECT bool_and(t.readable) FILTER (WHERE t.relname <> 'load_samples') AS ledger,
           bool_and(t.readable) FILTER (WHERE t.relname = 'load_samples') AS load
      FROM (SELECT c.relname,
                   has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable
              FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = 'wesley' AND c.relname IN
                   ('migration_ledger', 'migration_plans', 'migration_checkpoints', 'load_samples')) t
)
SELECT json_build_object(
    'at', clock_timestamp(),
    'role', current_user,
    'may_signal', pg_has_role('pg_signal_backend', 'USAGE'),
    'hidden', (SELECT count(*) FROM pg_catalog.pg_stat_activity a JOIN here ON here.oid = a.datid
                WHERE a.query = '<insufficient privilege>'),
    'sessions', (SELECT json_agg(s) FROM sessions s),
    'prepared', (SELECT json_agg(p) FROM prepared p),
    'locks', (SELECT json_agg(json_build_array(pid, virtualtransaction, relation, mode, granted)) FROM on_tables),
    'slots', (SELECT json_agg(json_build_array(
                         s.slot_name, s.active, greatest(coalesce(age(s.xmin), 0), 0),
                         CASE WHEN NOT pg_is_in_recovery()
                              THEN coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn), 0) ELSE 0 END::bigint))
                FROM pg_catalog.pg_replication_slots s),
    -- The tables of the rails exist only where Wesley has run: a statement that names them would fail everywhere else.
    -- ts_stat() runs a query that is a text; the words it returns are the rows of the answer.
    'history', CASE WHEN (SELECT ledger FROM rails) THEN (SELECT json_agg(t.word) FROM ts_stat($query$
        SELECT array_to_tsvector(ARRAY[json_build_array(l.ledger_id, l.duration_ms, CASE
                   WHEN c.visited > 0 THEN x.step -> 'work' || jsonb_build_object('filled_rows', c.visited)
                   ELSE x.step -> 'work' END)::text])
          FROM (SELECT ledger_id, plan_id, step_sha, duration_ms FROM wesley.migration_ledger
                 WHERE status = 'succeeded' ORDER BY ledger_id DESC LIMIT 500) l
          JOIN (SELECT p.plan_id, s.step
                  FROM wesley.migration_plans p,
                       LATERAL jsonb_path_query(p.document::jsonb, '$.waves[*].steps[*]') AS s (step)
                 WHERE length(p.document) < 1000000 AND p.plan_id IN (
                       SELECT r.plan_id FROM (SELECT plan_id FROM wesley.migration_ledger WHERE status = 'succeeded'
                                               ORDER BY ledger_id DESC LIMIT 500) r)) x
            ON x.plan_id = l.plan_id AND x.step ->> 'step_sha' = l.step_sha AND x.step -> 'work' IS NOT NULL
          LEFT JOIN wesley.migration_checkpoints c ON c.plan_id = l.plan_id AND c.step_sha = l.step_sha
        $query$) t) END,
    'load', CASE WHEN (SELECT load FROM rails) THEN (SELECT json_agg(t.word) FROM ts_stat($query$
        SELECT array_to_tsvector(ARRAY[json_build_array(
                   to_char(d.hour AT TIME ZONE 'UTC', 'YYYY-MM-DD'),
                   EXTRACT(hour FROM d.hour AT TIME ZONE 'UTC')::int,
                   sum(d.seconds)::bigint, sum(d.transactions)::bigint)::text])
          FROM (SELECT date_trunc('hour', minute) AS hour,
                       EXTRACT(epoch FROM minute - lag(minute) OVER w) AS seconds,
                       transactions - lag(transactions) OVER w AS transactions,
                       stats_reset IS NOT DISTINCT FROM lag(stats_reset) OVER w AS whole
                  FROM wesley.load_samples WINDOW w AS (ORDER BY minute)) d
         WHERE d.whole AND d.seconds <= 3900 AND d.transactions >= 0
         GROUP BY d.hour
        $query$) t) END)
