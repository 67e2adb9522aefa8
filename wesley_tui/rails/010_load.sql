-- How busy the database is, minute by minute at most: what tells when it is quiet. A run leaves samples while it goes
-- on, `wesley quiet --record` leaves one; nothing else does.

CREATE TABLE IF NOT EXISTS wesley.load_samples (
    minute       timestamptz PRIMARY KEY,
    transactions bigint NOT NULL,
    rows_written bigint NOT NULL,
    blocks_read  bigint NOT NULL,
    stats_reset  timestamptz
);
COMMENT ON TABLE wesley.load_samples IS
    'Counters of pg_stat_database as they stood at that minute; the last 60 days are kept';

CREATE OR REPLACE FUNCTION wesley.sample_load()
RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_minute timestamptz := date_trunc('minute', clock_timestamp());
BEGIN
    IF EXISTS (SELECT FROM wesley.load_samples s WHERE s.minute = v_minute) THEN
        RETURN false;
    END IF;
    INSERT INTO wesley.load_samples (minute, transactions, rows_written, blocks_read, stats_reset)
    SELECT v_minute, d.xact_commit + d.xact_rollback, d.tup_inserted + d.tup_updated + d.tup_deleted, d.blks_read,
           d.stats_reset
      FROM pg_stat_database d WHERE d.datname = current_database()
    ON CONFLICT DO NOTHING;
    DELETE FROM wesley.load_samples s WHERE s.minute < v_minute - interval '60 days';
    RETURN true;
END
$wesley$;
COMMENT ON FUNCTION wesley.sample_load() IS 'One sample, unless this minute has one; true when it was taken';
