-- Backfills walk a table along a key, one short transaction per batch. The batch and the checkpoint move together:
-- whatever is killed, each row is visited by exactly one committed batch of a pass.

CREATE OR REPLACE FUNCTION wesley.backfill_batch(
    p_run bigint, p_fence bigint, p_ordinal integer, p_content_sha text, p_rows bigint, p_lock_timeout_ms integer,
    p_progress jsonb
) RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_path    text := current_setting('search_path');
    v_entered record;
    v_step    wesley.migration_steps;
    v_point   wesley.migration_checkpoints;
    v_key     jsonb;
    v_visited bigint;
    v_changed bigint;
BEGIN
    v_entered := wesley.enter_step(p_run, p_fence, p_ordinal, p_content_sha);
    v_step := v_entered.o_step;
    IF v_entered.o_done THEN
        RETURN jsonb_build_object('state', 'skipped');
    END IF;
    IF v_step.kind <> 'backfill' THEN
        RAISE EXCEPTION 'step % is %', p_ordinal, v_step.kind USING ERRCODE = 'WE006';
    END IF;
    PERFORM wesley.take_object_locks(v_step);
    INSERT INTO wesley.migration_checkpoints (plan_id, step_sha) VALUES (v_step.plan_id, v_step.step_sha)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        PERFORM wesley.use_settings(v_entered.o_content, p_lock_timeout_ms);
        PERFORM wesley.demand(v_step, v_entered.o_content, 'prechecks');
    END IF;
    SELECT * INTO STRICT v_point FROM wesley.migration_checkpoints c
     WHERE c.plan_id = v_step.plan_id AND c.step_sha = v_step.step_sha FOR UPDATE;
    IF NOT v_point.exhausted THEN
        -- A batch is a small part of a large table: the rows are to be found through the key, and in its order. By its
        -- own estimates the planner reads the whole table once a batch has more than a hundredth of it, for every batch
        -- again; where it knows nothing of the newest rows, it sorts what an index on a part of the key gives it, all of
        -- it for every batch; and the compiler would cost more than it saves.
        PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
                set_config('enable_sort', 'off', true), set_config('jit', 'off', true);
        IF current_setting('enable_incremental_sort', true) = 'on' THEN  -- since 13
            PERFORM set_config('enable_incremental_sort', 'off', true);
        END IF;
        PERFORM set_config('search_path', wesley.use_settings(v_entered.o_content, p_lock_timeout_ms), true);
        EXECUTE v_entered.o_content -> 'backfill' ->> 'batch_sql' INTO v_key, v_visited, v_changed
            USING v_point.last_key, p_rows;
        PERFORM set_config('search_path', v_path, true);
        v_visited := coalesce(v_visited, 0);
        v_changed := coalesce(v_changed, 0);
        UPDATE wesley.migration_checkpoints c
           SET last_key = coalesce(v_key, c.last_key), exhausted = v_key IS NULL, batches = c.batches + 1,
               visited = c.visited + v_visited, changed = c.changed + v_changed,
               changed_in_pass = c.changed_in_pass + v_changed, updated_at = clock_timestamp()
         WHERE c.plan_id = v_step.plan_id AND c.step_sha = v_step.step_sha
        RETURNING * INTO v_point;
    END IF;
    IF p_progress IS NULL THEN
        -- Rows and checkpoint are lost together or not at all when the server dies before they are on its disk: then
        -- the batch is made again. So nobody waits for the disk with the rows still locked. What tells an event does.
        PERFORM wesley.hold_head(p_run, p_fence), set_config('synchronous_commit', 'off', true);
    ELSE
        PERFORM wesley.append_event(
            p_run, p_fence, 'backfill.progress', v_step.wave, v_step.step_sha, '', p_progress || jsonb_build_object(
                'rows_done', v_point.visited, 'rows_changed', v_point.changed, 'batches', v_point.batches,
                'pass', v_point.pass, 'last_key', v_point.last_key));
    END IF;
    RETURN jsonb_build_object(
        'state', CASE WHEN v_point.exhausted THEN 'exhausted' ELSE 'more' END, 'visited', v_visited,
        'changed', v_changed, 'rows_done', v_point.visited, 'rows_changed', v_point.changed, 'pass', v_point.pass);
END
$wesley$;

CREATE OR REPLACE FUNCTION wesley.after_batch(
    p_answer jsonb, p_batch jsonb, p_begun timestamptz, p_since timestamptz, p_for_ms integer, p_rest double precision,
    OUT o_answer jsonb, OUT o_pause_s double precision
) LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_now    timestamptz := clock_timestamp();
    v_took_s double precision := EXTRACT(epoch FROM v_now - p_begun);
BEGIN
    o_answer := p_batch || jsonb_build_object(
        'batches', coalesce(p_answer -> 'batches', '[]') || jsonb_build_array(
            jsonb_build_array(p_batch -> 'visited', v_took_s)));
    IF p_batch ->> 'state' = 'more' AND v_now < p_since + p_for_ms * interval '1 millisecond' THEN
        o_pause_s := v_took_s * p_rest;
    END IF;
END
$wesley$;
COMMENT ON FUNCTION wesley.after_batch(
    jsonb, jsonb, timestamptz, timestamptz, integer, double precision, OUT jsonb, OUT double precision) IS
    'The answer with one more batch; o_pause_s is NULL when it was the last one of its call';

CREATE OR REPLACE PROCEDURE wesley.backfill_batches(
    p_run bigint, p_fence bigint, p_ordinal integer, p_content_sha text, p_rows bigint, p_lock_timeout_ms integer,
    p_progress jsonb, p_most integer, p_for_ms integer, p_rest double precision, INOUT p_answer jsonb
) LANGUAGE plpgsql AS $wesley$
DECLARE
    v_since timestamptz := pg_catalog.clock_timestamp();
    v_begun timestamptz;
    v_batch jsonb;
    v_pause double precision;
BEGIN
    FOR v_n IN 1 .. p_most LOOP
        v_begun := pg_catalog.clock_timestamp();
        v_batch := wesley.backfill_batch(p_run, p_fence, p_ordinal, p_content_sha, p_rows, p_lock_timeout_ms, p_progress);
        COMMIT;
        p_progress := NULL;
        SELECT a.o_answer, a.o_pause_s INTO p_answer, v_pause
          FROM wesley.after_batch(p_answer, v_batch, v_begun, v_since, p_for_ms, p_rest) AS a;
        EXIT WHEN v_pause IS NULL;
        PERFORM pg_catalog.pg_sleep(v_pause);
    END LOOP;
END
$wesley$;
COMMENT ON PROCEDURE wesley.backfill_batches(
    bigint, bigint, integer, text, bigint, integer, jsonb, integer, integer, double precision, jsonb) IS
    'Several batches, each in a transaction of its own, with pauses, for about so many milliseconds. Without a search_path '
    'of its own, as wesley.apply_steps';

CREATE OR REPLACE FUNCTION wesley.finish_backfill(
    p_run bigint, p_fence bigint, p_ordinal integer, p_content_sha text, p_attempt integer, p_started timestamptz
) RETURNS jsonb LANGUAGE plpgsql SET search_path = pg_catalog, wesley, pg_temp AS $wesley$
DECLARE
    v_path      text := current_setting('search_path');
    v_entered   record;
    v_step      wesley.migration_steps;
    v_point     wesley.migration_checkpoints;
    v_remaining bigint;
BEGIN
    v_entered := wesley.enter_step(p_run, p_fence, p_ordinal, p_content_sha);
    v_step := v_entered.o_step;
    IF v_entered.o_done THEN
        RETURN jsonb_build_object('state', 'skipped');
    END IF;
    PERFORM set_config('search_path', wesley.use_settings(v_entered.o_content, 2000), true);
    EXECUTE v_entered.o_content -> 'backfill' ->> 'remaining_sql' INTO v_remaining;
    PERFORM set_config('search_path', v_path, true);
    SELECT * INTO STRICT v_point FROM wesley.migration_checkpoints c
     WHERE c.plan_id = v_step.plan_id AND c.step_sha = v_step.step_sha FOR UPDATE;
    IF v_remaining IS NULL OR v_remaining > 0 THEN
        IF v_remaining IS NULL OR (v_point.changed_in_pass = 0 AND v_point.pass > 1) OR v_point.pass >= 20 THEN
            RAISE EXCEPTION '% rows are still to do after pass %, which changed % rows', v_remaining, v_point.pass,
                v_point.changed_in_pass USING ERRCODE = 'WE003',
                DETAIL = format('backfill of step %s (%s %s)', v_step.ordinal, v_step.op, v_step.object),
                HINT = 'Something writes such rows faster than the backfill repairs them, or the batch does not match '
                       'them: look for the trigger that should cover new rows.';
        END IF;
        PERFORM wesley.hold_head(p_run, p_fence);
        UPDATE wesley.migration_checkpoints c
           SET last_key = NULL, exhausted = false, pass = c.pass + 1, changed_in_pass = 0, updated_at = clock_timestamp()
         WHERE c.plan_id = v_step.plan_id AND c.step_sha = v_step.step_sha;
        RETURN jsonb_build_object('state', 'again', 'remaining', v_remaining);
    END IF;
    PERFORM wesley.demand(v_step, v_entered.o_content, 'postchecks');
    PERFORM wesley.succeed_step(
        p_run, p_fence, v_step, p_attempt, p_started, '', jsonb_build_object(
            'rows_done', v_point.visited, 'rows_changed', v_point.changed, 'batches', v_point.batches,
            'passes', v_point.pass));
    RETURN jsonb_build_object('state', 'applied');
END
$wesley$;
