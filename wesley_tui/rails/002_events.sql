-- The event chain. An event's digest covers the digest before it; fields are joined as netstrings ("5:hello,"), so no
-- two different events have the same bytes.
--
-- Here and in the next files, functions that only others of this schema call have no search_path of their own: they run
-- under their caller's, which saves looking the path up a dozen times for every step.

CREATE OR REPLACE FUNCTION wesley.event_sha(
    p_previous text, p_id bigint, p_run bigint, p_plan text, p_type text, p_time timestamptz, p_actor text,
    p_message text, p_wave text, p_step text, p_metrics jsonb
) RETURNS text LANGUAGE plpgsql STABLE AS $wesley$
DECLARE
    v_field text;
    v_bytes bytea;
    v_all   bytea := ''::bytea;
BEGIN
    FOREACH v_field IN ARRAY ARRAY[
        p_previous, p_id::text, p_run::text, p_plan, p_type,
        to_char(p_time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
        p_actor, p_message, p_wave, p_step, p_metrics::text]
    LOOP
        v_bytes := convert_to(v_field, 'UTF8');
        v_all := v_all || convert_to(coalesce(length(v_bytes)::text, '-') || ':', 'UTF8')
                       || coalesce(v_bytes, ''::bytea) || ','::bytea;
    END LOOP;
    RETURN encode(sha256(v_all), 'hex');
END
$wesley$;

CREATE OR REPLACE FUNCTION wesley.hold_head(p_run bigint, p_fence bigint)
RETURNS wesley.migration_head LANGUAGE plpgsql AS $wesley$
DECLARE
    v_head wesley.migration_head;
BEGIN
    SELECT * INTO v_head FROM wesley.migration_head FOR NO KEY UPDATE;
    IF v_head.fence IS DISTINCT FROM p_fence THEN
        RAISE EXCEPTION 'run % holds fencing number %, the current one is %', p_run, p_fence, v_head.fence
            USING ERRCODE = 'WE001', HINT = 'Another process has taken this run over; look at it with: wesley status';
    END IF;
    RETURN v_head;
END
$wesley$;
COMMENT ON FUNCTION wesley.hold_head(bigint, bigint) IS
    'Locks the end of the chain until the transaction ends, and refuses a run that is not the current one';

CREATE OR REPLACE FUNCTION wesley.chain_events(
    p_head wesley.migration_head, p_run bigint, p_wave text, p_step text,
    p_types text[], p_messages text[], p_metrics jsonb[], p_times timestamptz[]
) RETURNS bigint LANGUAGE plpgsql AS $wesley$
DECLARE
    v_id     bigint := p_head.last_id;
    v_sha    text := p_head.last_sha;
    v_before text;
    v_plan   text;
    v_actor  text;
BEGIN
    SELECT r.plan_id, r.actor INTO STRICT v_plan, v_actor FROM wesley.migration_runs r WHERE r.run_id = p_run;
    FOR v_n IN 1 .. cardinality(p_types) LOOP
        v_id := v_id + 1;
        v_before := v_sha;
        v_sha := wesley.event_sha(v_before, v_id, p_run, v_plan, p_types[v_n], p_times[v_n], v_actor, p_messages[v_n],
                                  p_wave, p_step, p_metrics[v_n]);
        INSERT INTO wesley.migration_events
        VALUES (v_id, p_run, v_plan, p_types[v_n], p_times[v_n], v_actor, p_messages[v_n], p_wave, p_step,
                p_metrics[v_n], v_before, v_sha);
    END LOOP;
    UPDATE wesley.migration_head SET last_id = v_id, last_sha = v_sha;
    PERFORM pg_notify('wesley_events', v_id::text);
    RETURN v_id;
END
$wesley$;
COMMENT ON FUNCTION wesley.chain_events(
    wesley.migration_head, bigint, text, text, text[], text[], jsonb[], timestamptz[]) IS
    'Appends behind p_head, the end of the chain, which the caller holds locked';

CREATE OR REPLACE FUNCTION wesley.chain_event(
    p_run bigint, p_type text, p_wave text, p_step text, p_message text, p_metrics jsonb, p_time timestamptz
) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_head wesley.migration_head;
BEGIN
    SELECT * INTO v_head FROM wesley.migration_head FOR NO KEY UPDATE;
    RETURN wesley.chain_events(v_head, p_run, p_wave, p_step, ARRAY[p_type], ARRAY[p_message], ARRAY[p_metrics],
                               ARRAY[p_time]);
END
$wesley$;
COMMENT ON FUNCTION wesley.chain_event(bigint, text, text, text, text, jsonb, timestamptz) IS
    'Appends without asking for the fence; the caller has held the head already';

CREATE OR REPLACE FUNCTION wesley.append_event(
    p_run bigint, p_fence bigint, p_type text, p_wave text, p_step text, p_message text, p_metrics jsonb
) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
BEGIN
    PERFORM wesley.hold_head(p_run, p_fence);
    RETURN wesley.chain_event(p_run, p_type, p_wave, p_step, p_message, p_metrics, clock_timestamp());
END
$wesley$;

CREATE TABLE IF NOT EXISTS wesley.migration_calls (
    token   text PRIMARY KEY,
    made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE wesley.migration_calls IS
    'Calls of the current run that may be made again because their answer was lost; emptied when a run begins';

CREATE OR REPLACE FUNCTION wesley.once(p_token text)
RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
BEGIN
    INSERT INTO wesley.migration_calls (token) VALUES (p_token) ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
$wesley$;
COMMENT ON FUNCTION wesley.once(text) IS
    'Whether no call with this token has been committed yet; waits for one that is under way. Asked in the statement '
    'that calls, so that both are committed together';

CREATE OR REPLACE FUNCTION wesley.verify_chain()
RETURNS TABLE (event_id bigint, problem text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
BEGIN
    RETURN QUERY
        SELECT e.id,
               CASE
                   WHEN e.id <> e.before_id + 1 THEN 'the event before it is missing'
                   WHEN e.previous_sha <> e.before_sha THEN 'it does not continue the event before it'
                   ELSE 'its content was changed'
               END
          FROM (SELECT x.*, lag(x.id, 1, 0::bigint) OVER w AS before_id,
                       lag(x.sha, 1, repeat('0', 64)) OVER w AS before_sha
                  FROM wesley.migration_events x WINDOW w AS (ORDER BY x.id)) e
         WHERE e.id <> e.before_id + 1
            OR e.previous_sha <> e.before_sha
            OR e.sha <> wesley.event_sha(e.previous_sha, e.id, e.run_id, e.plan_id, e.type, e.time, e.actor,
                                         e.message, e.wave, e.step_sha, e.metrics)
        ORDER BY e.id;
    RETURN QUERY
        SELECT h.last_id, 'the end of the chain is missing or was changed'::text
          FROM wesley.migration_head h
          LEFT JOIN (SELECT x.id, x.sha FROM wesley.migration_events x ORDER BY x.id DESC LIMIT 1) e ON true
         WHERE h.last_id <> coalesce(e.id, 0) OR h.last_sha <> coalesce(e.sha, repeat('0', 64));
END
$wesley$;
COMMENT ON FUNCTION wesley.verify_chain() IS
    'No row: nothing was edited, removed or inserted. A tail that was cut together with the head is only found against '
    'a certificate';

CREATE OR REPLACE FUNCTION wesley.verify_ledger()
RETURNS TABLE (step_sha text, problem text)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
BEGIN
    RETURN QUERY
        WITH told AS (
            SELECT e.plan_id, e.step_sha, e.run_id, (e.metrics ->> 'ledger_id')::bigint AS ledger_id, e.message, e.metrics,
                   count(*) OVER (PARTITION BY e.metrics ->> 'ledger_id') AS times
              FROM wesley.migration_events e WHERE e.type = 'step.ok'
        ), done AS (
            SELECT l.plan_id, l.step_sha, l.run_id, l.ledger_id, l.ordinal, l.attempt, l.duration_ms, l.generation,
                   l.message AS said
              FROM wesley.migration_ledger l WHERE l.status = 'succeeded'
        )
        SELECT coalesce(d.step_sha, t.step_sha),
               CASE WHEN d.ledger_id IS NULL THEN 'an event says that it succeeded, the ledger does not'
                    WHEN t.ledger_id IS NULL THEN 'the ledger says that it succeeded, no event does'
                    WHEN t.times > 1 THEN 'two events say that it succeeded, the ledger once'
                    ELSE 'the ledger says something else of it than the event' END
          FROM told t FULL JOIN done d USING (plan_id, step_sha, run_id, ledger_id)
         WHERE t.plan_id IS NULL OR d.plan_id IS NULL OR t.times > 1
            OR d.said <> t.message OR d.ordinal <> (t.metrics ->> 'ordinal')::integer
            OR d.attempt <> (t.metrics ->> 'attempt')::integer
            OR d.duration_ms IS DISTINCT FROM (t.metrics ->> 'duration_ms')::double precision
            OR d.generation <> coalesce((t.metrics ->> 'generation')::integer, d.generation);
END
$wesley$;
COMMENT ON FUNCTION wesley.verify_ledger() IS 'No row: the ledger says exactly what the event chain says';
